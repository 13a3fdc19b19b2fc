// The surfaces of a compound's sites, in three dimensions.
import { contactsOf, percent, siteName } from "./contacts.js";
import { sitesOf } from "./dataset.js";
import { make } from "./dom.js";
import { downloads, saveTable } from "./downloads.js";
import { meshOf, patchesOf } from "./mesh.js";
import { D, layoutOf, savePlot, SETTINGS, stops, theme } from "./plots.js";

const litBy = (ambient, diffuse) => ({
  lighting: { ambient, diffuse, specular: 0.12, roughness: 0.6, fresnel: 0.1 },
  lightposition: { x: 400, y: 300, z: 800 },
});
// Of the sites that are faced, told apart by all eyes (Okabe and Ito, with three more).
const HUES = [
  "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c6bb1", "#999999", "#7f4f24",
];

function distanceTrace(ds) {
  const { state } = ds, sites = sitesOf(ds, state.compound), letter = state.colour.slice(2);
  const { x, y, z, i, j, k, ...distances } = meshOf(ds, state.compound, state.site);
  const low = Math.min(...sites.map(s => s[state.colour][0])), high = Math.max(...sites.map(s => s[state.colour][1]));
  return {
    type: "mesh3d", uid: "distance", x, y, z, i, j, k, intensity: distances[state.colour], cmin: low, cmax: high,
    colorscale: stops(SCALES.distance), customdata: distances.d_i.map((d, at) => [d, distances.d_e[at]]),
    hovertemplate: `${D.i} %{customdata[0]:.4f} Å<br>${D.e} %{customdata[1]:.4f} Å<extra></extra>`, ...litBy(0.55, 0.6),
    colorbar: {
      title: { text: `${D[letter]} (Å)`, side: "right" }, thickness: 12, outlinewidth: 0, len: 0.9,
      tickfont: { size: 11 },
    },
  };
}

// Colour of the n-th of several contacts with one site, the nearest darkest.
function shade(hue, n, several) {
  const white = several > 1 ? (0.6 * n) / (several - 1) : 0;
  const mixed = [1, 3, 5].map(at => Math.round(parseInt(hue.slice(at, at + 2), 16) * (1 - white) + 255 * white));
  return `rgb(${mixed.join()})`;
}

// A trace for each contact; the legend names the atoms that it faces, and switches it off and on. Each has an id of its
// own: Plotly would mix its colour with those that a trace in its place had by distance.
function contactTraces(ds) {
  const { state: { compound, site } } = ds, sites = contactsOf(ds, compound), { contacts } = sites[site];
  const patches = patchesOf(ds, compound, site);
  return patches.map(({ met, distance, mesh: { d_i, d_e, ...mesh } }, n) => {
    const alike = patches.filter(other => other.met === met).map(other => other.distance);
    const listed = contacts.find(c => c.met === met && Math.abs(c.distance - distance) < 0.01);
    const name = `${listed ? `${listed.atoms} × ` : ""}${siteName(sites[met])}, ${distance.toFixed(2)} Å`;
    const share = listed ? `: ${percent(listed.share)} of the surface` : "";
    const hover = [`faces ${name}${share}`, `${D.i} %{customdata[0]:.4f} Å`, `${D.e} %{customdata[1]:.4f} Å`];
    return {
      type: "mesh3d", uid: `contact-${n}`, ...mesh, name, showlegend: true, ...litBy(0.75, 0.35),
      color: shade(HUES[met % HUES.length], alike.indexOf(distance), alike.length),
      customdata: d_i.map((d, at) => [d, d_e[at]]),
      hovertemplate: `${hover.join("<br>")}<extra></extra>`,
    };
  });
}

function surfaceFigure(ds, t) {
  const hidden = { visible: false, showspikes: false }, faced = ds.state.colour === "contact";
  const below = ds.surface.clientWidth < 420 ? { orientation: "h", y: 0, yanchor: "top" } : {};
  return {
    data: faced ? contactTraces(ds) : [distanceTrace(ds)],
    layout: layoutOf(t, {
      margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: "kept", showlegend: faced,
      legend: { itemsizing: "constant", font: { size: 11 }, ...below },
      scene: {
        xaxis: hidden, yaxis: hidden, zaxis: hidden, aspectmode: "data",
        camera: { eye: { x: 1.4, y: 0.85, z: 0.68 } }, dragmode: "orbit", uirevision: "kept",
      },
    }),
  };
}

export function drawSurface(ds) {
  const { state, surface, find } = ds, here = state.compound in ds.data.meshes;
  find("surface-none").hidden = here;
  find("surface-box").hidden = !here;
  if (!here) return;
  const figure = surfaceFigure(ds, theme());
  Plotly.react(surface, figure.data, figure.layout, SETTINGS)
    .then(() => surface.setAttribute("data-drawn", ds.names[state.compound]));
}

// The picture in 3-D takes longest: all else is painted first, in the frame before.
export function drawSurfaceSoon(ds) {
  const draw = () => {
    ds.surfaceWaits = false;
    drawSurface(ds);
  };
  if (!ds.surfaceWaits) requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(draw)));
  ds.surfaceWaits = true;
}

// Buttons for the sites of the compound that is shown.
export function writeSites(ds) {
  const { state } = ds, sites = sitesOf(ds, state.compound) ?? [];
  const chosen = k => () => {
    state.site = k;
    drawSurface(ds);
    writeSite(ds);
  };
  ds.find("sites").replaceChildren(...sites.map((site, k) => make("label", {},
    make("input", { type: "radio", name: `${ds.key}-site`, checked: k === state.site, onchange: chosen(k) }),
    make("span", {}, siteName(site)))));
  writeSite(ds);
}

function writeSite(ds) {
  const site = sitesOf(ds, ds.state.compound)?.[ds.state.site];
  const sizes = () => `area ${site.area.toFixed(2)} Å², volume ${site.volume.toFixed(2)} Å³`;
  ds.find("site-text").textContent = site ? `${site.element}, ${site.multiplicity} of the cell: ${sizes()}` : "";
}

function turn(ds, event) {
  const turns = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] };
  const by = turns[event.key];
  if (!by) return;
  event.preventDefault();
  const { x, y, z } = ds.surface._fullLayout.scene.camera.eye, r = Math.hypot(x, y, z);
  const angle = Math.atan2(y, x) + by[0], height = Math.min(Math.max(Math.asin(z / r) + by[1], -1.5), 1.5);
  const flat = r * Math.cos(height);
  const eye = { x: flat * Math.cos(angle), y: flat * Math.sin(angle), z: r * Math.sin(height) };
  Plotly.relayout(ds.surface, { "scene.camera.eye": eye });
}

export function startSurface(ds) {
  const { state } = ds;
  for (const input of ds.section.querySelectorAll("[data-part=colours] input")) {
    input.addEventListener("change", () => {
      state.colour = input.value;
      drawSurface(ds);
    });
  }
  ds.surface.addEventListener("keydown", event => turn(ds, event));
  const fileName = () => `${ds.names[state.compound]}-${sitesOf(ds, state.compound)[state.site].label}`;
  const picture = kind =>
    savePlot(t => surfaceFigure(ds, t), ds.surface, kind, `${fileName()}-${state.colour}`);
  const table = () => {
    const mesh = meshOf(ds, state.compound, state.site);
    const header = ["x_angstrom", "y_angstrom", "z_angstrom", "d_i_angstrom", "d_e_angstrom"];
    saveTable(header, mesh.x.map((x, v) => [x, mesh.y[v], mesh.z[v], mesh.d_i[v], mesh.d_e[v]]), `${fileName()}.csv`);
  };
  ds.find("surface-bar").append(downloads({ SVG: () => picture("SVG"), PNG: () => picture("PNG"), CSV: table }));
}
