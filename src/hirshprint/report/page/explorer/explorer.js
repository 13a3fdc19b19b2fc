// The explorer of a dataset: table, plots and texts that show the same compound.
import { arrange, markRow, startTable, writeRows } from "./compounds_table.js";
import { writeCompound } from "./compound.js";
import { offerContacts } from "./contacts.js";
import { errorBy, predictedBy, readDataset, sitesOf } from "./dataset.js";
import { debounced } from "./dom.js";
import { drawFingerprint, offerFingerprint } from "./fingerprint.js";
import { findMeshes } from "./mesh.js";
import { withPlotly } from "./packed.js";
import { drawParity, matching, moveRing, offerParity, writeParityText } from "./parity.js";
import { drawSurface, drawSurfaceSoon, startSurface } from "./surface.js";

function drawAll(ds) {
  ds.drawn = true;
  drawParity(ds);
  drawFingerprint(ds);
  drawSurface(ds);
}

// Show a compound everywhere; `focus` brings the reader to it.
function show(ds, i, focus = false) {
  const { state, find } = ds;
  state.compound = i;
  state.site = Math.min(state.site, (sitesOf(ds, i)?.length ?? 1) - 1);
  writeCompound(ds);
  markRow(ds);
  if (ds.drawn) {
    if (ds.learned) moveRing(ds);
    drawFingerprint(ds);
    drawSurfaceSoon(ds);
  }
  if (focus) {
    find("explorer").scrollIntoView({ block: "start" });
    find("compound").focus({ preventScroll: true });
  }
}

function startSearch(ds) {
  const select = () => {
    if (ds.drawn && ds.learned) Plotly.restyle(ds.parity, { selectedpoints: [matching(ds)] }, [0]);
  };
  const selectSoon = debounced(select, 120);
  ds.find("search").addEventListener("input", event => {
    ds.state.query = event.target.value.trim();
    arrange(ds);
    selectSoon();
  });
}

// Arrow keys on the parity plot go through its compounds, the largest error first.
function step(ds, event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const size = i => Math.abs(errorBy(ds, ds.state.model, i));
  const listed = ds.places.slice().sort((a, b) => size(b) - size(a));
  const next = Math.min(Math.max(listed.indexOf(ds.state.compound) + by, 0), listed.length - 1);
  if (listed.length) ds.show(listed[next]);
}

function startParity(ds) {
  const { find, state, data } = ds;
  const fill = (name, options) => find(name).append(...options.map((text, k) => new Option(text, k)));
  fill("model", data.models);
  fill("split", data.splits);
  find("split").parentElement.hidden = data.splits.length < 2;
  const changed = () => {
    state.model = Number(find("model").value);
    state.split = Number(find("split").value);
    state.view = find("view").value;
    drawParity(ds);
    writeCompound(ds);
    writeParityText(ds);
  };
  for (const name of ["model", "split", "view"]) find(name).addEventListener("change", changed);
  find("shows").addEventListener("change", event => {
    state.shows = event.target.value;
    arrange(ds);
  });
  ds.parity.addEventListener("keydown", event => step(ds, event));
  offerParity(ds);
}

function startButtons(ds) {
  ds.find("copy").addEventListener("click", async () => {
    getSelection().selectAllChildren(ds.find("command"));
    await navigator.clipboard?.writeText(ds.find("command").textContent);
  });
  for (const button of ds.section.querySelectorAll("button[data-show]")) {
    const i = ds.names.indexOf(button.dataset.show);
    if (i >= 0) button.addEventListener("click", () => ds.show(i, true));
    else button.disabled = true;
  }
}

async function firstDrawing(ds) {
  await withPlotly();
  drawAll(ds);
  if (ds.learned) {
    writeParityText(ds);
    ds.parity.on("plotly_afterplot", () => moveRing(ds));
    moveRing(ds);
    ds.parity.on("plotly_click", event => ds.show(ds.places[event.points[0].pointNumber]));
  }
  ds.section.dataset.ready = "true";
}

// Start the explorer of a section; `redraws` gets what to do when light and dark change.
export async function startDataset(section, redraws) {
  const ds = await readDataset(section);
  ds.show = (i, focus) => show(ds, i, focus);
  findMeshes(ds);
  startTable(ds);
  startSearch(ds);
  if (ds.learned) startParity(ds);
  startSurface(ds);
  offerFingerprint(ds);
  offerContacts(ds);
  startButtons(ds);
  arrange(ds);
  const isPredicted = i => !ds.learned || Number.isFinite(predictedBy(ds, ds.state.model, i));
  ds.state.compound = ds.data.mesh_order.find(isPredicted) ?? 0; // what is worth a look first
  writeCompound(ds);
  markRow(ds);
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    observer.disconnect();
    firstDrawing(ds);
  }, { rootMargin: "300px" }).observe(ds.find("explorer"));
  redraws.push(() => {
    writeRows(ds);
    writeCompound(ds);
    if (ds.drawn) drawAll(ds);
  });
}
