// Search of compounds: by elements, in any order and case, and by parts of names.
const KNOWN = new Set(ELEMENTS);
const LETTERS = 12; // of a word in small letters, which is read in all ways: `co` is Co, or C and O

// Atoms of each element in a formula without brackets, such as SrTiO3.
export function compositionOf(formula) {
  const counts = new Map();
  for (const [, symbol, number] of formula.matchAll(/([A-Z][a-z]?)([\d.]*)/g)) {
    counts.set(symbol, (counts.get(symbol) ?? 0) + Number(number || 1));
  }
  return counts;
}

// All ways to read small letters as element symbols, each with a number or none: lists of [symbol, number as text].
function split(text) {
  if (!text) return [[]];
  return [2, 1].flatMap(length => {
    const symbol = text[0].toUpperCase() + text.slice(1, length), [number] = text.slice(length).match(/^[\d.]*/);
    if (text.length < length || !KNOWN.has(symbol)) return [];
    return split(text.slice(length + number.length)).map(rest => [[symbol, number], ...rest]);
  });
}

// Ways to read a word as elements: one where its capital letters say it, none where it is no elements.
function readings(word) {
  const atoms = [...word.matchAll(/([A-Z][a-z]?)([\d.]*)/g)].map(([, symbol, number]) => [symbol, number]);
  if (atoms.flat().join("") === word && atoms.every(([symbol]) => KNOWN.has(symbol))) return [atoms];
  return word.replace(/[\d.]/g, "").length > LETTERS ? [] : split(word.toLowerCase());
}

// With numbers several elements are a formula, of just these atoms; else what contains them is meant.
function contains(composition, atoms) {
  const asked = compositionOf(atoms.flat().join(""));
  const whole = atoms.length > 1 && atoms.some(([, number]) => number);
  if (whole && asked.size !== composition.size) return false;
  const numbered = new Set(atoms.filter(([, number]) => number || whole).map(([symbol]) => symbol));
  return [...asked].every(([symbol, n]) => (numbered.has(symbol) ? composition.get(symbol) === n
    : composition.has(symbol)));
}

// The words of a search; elements may be joined, as in Ti-O.
function wordsOf(query) {
  const parts = word => word.split(/[-–+/·]/).filter(Boolean);
  const joined = word => parts(word).every(part => readings(part).length);
  const words = query.normalize("NFKC").split(/[\s,;]+/).filter(Boolean); // NFKC: ₃ is 3
  return words.flatMap(word => (joined(word) ? parts(word) : [word]));
}

// Whether a compound fits all words of the search. A word that can be elements is looked for in names too where these
// are no formulas.
export function fitting(ds) {
  const { names, formulas, compositions } = ds;
  const tests = wordsOf(ds.state.query).map(word => {
    const ways = readings(word), text = word.toLowerCase();
    const named = i => (!ways.length || names[i] !== formulas[i]) && names[i].toLowerCase().includes(text);
    return i => named(i) || ways.some(atoms => contains(compositions[i], atoms));
  });
  return i => tests.every(test => test(i));
}
