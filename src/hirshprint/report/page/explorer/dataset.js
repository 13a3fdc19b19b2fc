// One dataset: what the page holds of it, and what of it is shown.
import { unpacked } from "./packed.js";
import { compositionOf } from "./search.js";

// Read the data of a section. `state` says what is shown; `places` and `order` are the compounds of the parity plot and
// of the table, in their order.
export async function readDataset(section) {
  const data = JSON.parse(section.querySelector("script[type='application/json']").textContent);
  const arrays = {};
  const unpack = async ([name, given]) => { arrays[name] = await unpacked(given); };
  await Promise.all(Object.entries(data.arrays).map(unpack));
  const find = name => section.querySelector(`[data-part=${name}]`), names = data.compounds, count = names.length;
  const formulas = data.formulas.length ? data.formulas : names;
  return {
    section, data, arrays, find, names, count,
    key: section.dataset.name,
    learned: data.models.length > 0,
    unit: data.unit ? ` (${data.unit})` : "",
    step: (data.high - data.low) / data.n_bins,
    starts: runningSums(arrays.filled),
    siteStarts: runningSums(arrays.sites), contactStarts: runningSums(arrays.site_contacts),
    span: filledSpan(arrays.bins, data.n_bins),
    formulas, compositions: formulas.map(compositionOf),
    parity: find("parity"), fingerprint: find("fingerprint"), surface: find("surface"),
    drawn: false,
    places: [],
    order: Array.from({ length: count }, (_, i) => i),
    state: {
      compound: 0, split: 0, model: 0, view: "predicted", shows: "predicted", site: 0, colour: "d_e",
      query: "", column: 0, down: false, first: 0,
    },
  };
}

function runningSums(sizes) {
  const starts = new Uint32Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i++) starts[i + 1] = starts[i] + sizes[i];
  return starts;
}

// First and last bin along an axis that any fingerprint fills, with one more on each side.
function filledSpan(bins, n) {
  let low = n - 1, high = 0;
  for (const bin of bins) {
    const i = Math.floor(bin / n), j = bin % n;
    low = Math.min(low, i, j);
    high = Math.max(high, i, j);
  }
  return low > high ? [0, n - 1] : [Math.max(0, low - 1), Math.min(n - 1, high + 1)];
}

export function predictedBy(ds, model, i, split = ds.state.split) {
  return ds.arrays[`predicted_${split}`][model * ds.count + i];
}

export function stdBy(ds, model, i, split = ds.state.split) {
  return ds.arrays[`std_${split}`][model * ds.count + i];
}

export function errorBy(ds, model, i, split = ds.state.split) {
  return predictedBy(ds, model, i, split) - ds.arrays.true[i];
}

export const sitesOf = (ds, i) => ds.data.meshes[i];
