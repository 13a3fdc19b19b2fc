// The table of all compounds: search, order, pages.
import { errorBy, predictedBy, stdBy } from "./dataset.js";
import { fixed, make, many, signed } from "./dom.js";
import { downloads, saveTable } from "./downloads.js";
import { thumbnail } from "./fingerprint.js";
import { fitting } from "./search.js";
import { COLLATOR } from "./tables.js";

const ROWS = 25; // at a time

// Title of each column, what it is sorted by, and its text.
function columnsOf(ds) {
  const { arrays, state } = ds, columns = [{ title: "Compound", value: i => ds.names[i] }];
  const add = (title, values) => columns.push({ title, value: i => values[i], text: i => fixed(values[i]) });
  if (ds.learned) add(`True${ds.unit}`, arrays.true);
  if (new Set(arrays.initial_edge).size > 1) add("Initial edge (Å)", arrays.initial_edge);
  ds.data.models.forEach((title, m) => columns.push({
    title,
    value: i => (state.shows === "error" ? Math.abs(errorBy(ds, m, i)) : predictedBy(ds, m, i)),
    text: i => (state.shows === "error" ? signed(errorBy(ds, m, i)) : fixed(predictedBy(ds, m, i))),
  }));
  return columns;
}

export function arrange(ds) {
  const { state, count } = ds, { value } = ds.columns[state.column], sign = state.down ? -1 : 1;
  const all = Array.from({ length: count }, (_, i) => i), values = all.map(value);
  ds.order = all.filter(fitting(ds));
  ds.order.sort((a, b) => {
    const [x, y] = [values[a], values[b]];
    if (typeof x === "string") return sign * COLLATOR.compare(x, y);
    return Number.isNaN(x) || Number.isNaN(y) ? Number.isNaN(x) - Number.isNaN(y) : sign * (x - y);
  });
  state.first = 0;
  writeRows(ds);
}

function rowOf(ds, i) {
  const attributes = { type: "button", class: "compound", onclick: () => ds.show(i, true) };
  const button = make("button", attributes, thumbnail(ds, i), make("b", {}, ds.names[i]));
  return make("tr", { "data-row": i, class: i === ds.state.compound ? "current" : undefined },
    make("th", { scope: "row" }, button),
    ...ds.columns.slice(1).map(column => make("td", { class: "n" }, column.text(i))));
}

export function writeRows(ds) {
  const { state, order, find } = ds, shown = order.slice(state.first, state.first + ROWS);
  find("rows").replaceChildren(...shown.map(i => rowOf(ds, i)));
  const last = state.first + shown.length, range = `${many(state.first + 1)}–${many(last)}`;
  find("count").textContent = shown.length ? `${range} of ${many(order.length)}` : "no compound fits";
  for (const name of ["start", "back"]) find(name).disabled = state.first === 0;
  for (const name of ["next", "end"]) find(name).disabled = last >= order.length;
}

export function markRow(ds) {
  for (const row of ds.find("rows").rows) {
    row.classList.toggle("current", Number(row.dataset.row) === ds.state.compound);
  }
}

function saveCompounds(ds) {
  const { data, arrays, learned } = ds;
  const header = ["compound", "structure_id", "initial_edge_angstrom", "structures"];
  const columns = split => data.models.flatMap(model => [`${model} ${split}`, `${model} ${split} std`]);
  if (learned) {
    header.push(`true${ds.unit}`, ...data.splits.flatMap(split => [`fold ${split}`, ...columns(split)]));
  }
  const values = (i, k) => data.models.flatMap((_, m) => [predictedBy(ds, m, i, k), stdBy(ds, m, i, k)]);
  const predictions = i => [
    arrays.true[i], ...data.splits.flatMap((_, k) => [arrays[`fold_${k}`][i], ...values(i, k)]),
  ];
  const row = (name, i) => [
    name, data.structure_ids[i], arrays.initial_edge[i], arrays.structures[i], ...(learned ? predictions(i) : []),
  ];
  saveTable(header, ds.names.map(row), `${ds.key}-compounds.csv`);
}

function headsOf(ds) {
  const { state } = ds;
  const sortBy = k => () => {
    state.down = state.column === k ? !state.down : k > 0 && state.shows === "error";
    state.column = k;
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[k].setAttribute("aria-sort", state.down ? "descending" : "ascending");
    arrange(ds);
  };
  const heads = ds.columns.map((column, k) =>
    make("th", { scope: "col", class: k ? "n" : undefined },
      make("button", { type: "button", onclick: sortBy(k) }, column.title)));
  return heads;
}

export function startTable(ds) {
  const { state, find } = ds;
  ds.columns = columnsOf(ds);
  find("heads").append(...headsOf(ds));
  const firstRows = {
    start: () => 0,
    back: () => state.first - ROWS,
    next: () => state.first + ROWS,
    end: () => Math.floor((ds.order.length - 1) / ROWS) * ROWS,
  };
  for (const [name, first] of Object.entries(firstRows)) {
    find(name).addEventListener("click", () => {
      state.first = Math.max(0, first());
      writeRows(ds);
    });
  }
  find("table-bar").append(downloads({ CSV: () => saveCompounds(ds) }));
}
