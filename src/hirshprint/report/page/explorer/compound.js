// What is written of the compound that is shown: facts, predictions, neighbours, the command that draws it.
import { writeContacts } from "./contacts.js";
import { errorBy, predictedBy, stdBy } from "./dataset.js";
import { fixed, make, signed } from "./dom.js";
import { thumbnail } from "./fingerprint.js";
import { writeSites } from "./surface.js";

function factsOf(ds, i) {
  const { arrays, data, state } = ds, edge = arrays.initial_edge[i];
  const several = arrays.structures[i] > 1 ? `, the first of ${arrays.structures[i]}` : "";
  const facts = [["structure shown", data.structure_ids[i] + several]];
  if (Number.isFinite(edge)) facts.push(["initial edge", `${edge.toFixed(4)} Å`]);
  if (ds.learned) {
    const fold = arrays[`fold_${state.split}`][i];
    facts.push([`true ${data.property}`, `${fixed(arrays.true[i])} ${data.unit}`.trim()]);
    facts.push(["test part of fold", fold === 255 ? "none" : String(fold)]);
  }
  return facts;
}

function predictionRow(ds, model, m, i) {
  const std = stdBy(ds, m, i);
  return make("tr", { class: m === ds.state.model ? "current" : undefined },
    make("th", { scope: "row" }, model),
    make("td", { class: "n" }, fixed(predictedBy(ds, m, i))),
    make("td", { class: "n soft" }, Number.isFinite(std) ? `± ${fixed(std, 3)}` : ""),
    make("td", { class: "n" }, signed(errorBy(ds, m, i))));
}

function neighbour(ds, at) {
  const other = ds.arrays.neighbours[at], distance = ds.arrays.distances[at].toFixed(3);
  const text = make("span", {}, make("b", {}, ds.names[other]), make("span", { class: "soft" }, distance));
  const attributes = { type: "button", class: "compound", onclick: () => ds.show(other) };
  return make("li", {}, make("button", attributes, thumbnail(ds, other), text));
}

export function writeCompound(ds) {
  const { find, data } = ds, i = ds.state.compound;
  find("compound").textContent = ds.names[i];
  const terms = factsOf(ds, i).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
  find("facts").replaceChildren(...terms);
  if (ds.learned) {
    find("predictions").replaceChildren(...data.models.map((model, m) => predictionRow(ds, model, m, i)));
  }
  const near = Array.from({ length: data.neighbour_count }, (_, k) => i * data.neighbour_count + k);
  find("neighbours").replaceChildren(...near.map(at => neighbour(ds, at)));
  find("command").textContent = data.commands[i];
  writeContacts(ds);
  writeSites(ds);
}
