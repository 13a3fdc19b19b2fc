// The surfaces of a compound's sites, in three dimensions.
import { sitesOf } from "./dataset.js";
import { make } from "./dom.js";
import { downloads, saveTable } from "./downloads.js";
import { D, layoutOf, savePlot, SETTINGS, stops, theme } from "./plots.js";

// First vertex of each compound's sites.
export function findMeshes(ds) {
  ds.meshStarts = {};
  let at = 0;
  for (const i of ds.data.mesh_order) {
    ds.meshStarts[i] = sitesOf(ds, i).map(site => (at += site.vertices) - site.vertices);
  }
}

const determinant = r =>
  r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) + r[2] * (r[3] * r[7] - r[4] * r[6]);

// The wedge of a site as the page holds it: place of a vertex (Å, about the nucleus), its d_i and d_e (Å), triangles
// and operations.
function wedgeOf({ arrays, meshStarts }, site, i, k) {
  const first = meshStarts[i][k], n = site.vertices;
  const part = (name, row) => {
    const offsets = arrays[`mesh_${name}_offsets`];
    return arrays[`mesh_${name}`].subarray(offsets[row], offsets[row + 1]);
  };
  return {
    n,
    triangles: part("triangles", site.triangles),
    operations: part("operations", site.operations),
    place: v => [0, 1, 2].map(c => arrays.mesh_xyz[3 * (first + v) + c] * site.scale),
    distance: (name, v) => {
      const [low, high] = site[name], offset = 2 * first + (name === "d_e" ? n : 0);
      return low + (arrays.mesh_d[offset + v] / 65535) * (high - low);
    },
  };
}

// The closed mesh of a site: images of the wedge under its operations, vertices of the seams taken for one.
function meshOf(ds, i, k) {
  const { n, triangles, operations, place, distance } = wedgeOf(ds, sitesOf(ds, i)[k], i, k);
  const mesh = { x: [], y: [], z: [], i: [], j: [], k: [], d_i: [], d_e: [] };
  const rowOf = new Map(), rows = new Uint32Array(n);
  for (let o = 0; o < operations.length; o += 9) {
    const r = operations.subarray(o, o + 9);
    for (let v = 0; v < n; v++) {
      const [x, y, z] = place(v), image = [0, 3, 6].map(c => r[c] * x + r[c + 1] * y + r[c + 2] * z);
      const seam = image.map(c => Math.round(c * 500)).join();
      if (!rowOf.has(seam)) {
        rowOf.set(seam, mesh.x.length);
        mesh.x.push(image[0]);
        mesh.y.push(image[1]);
        mesh.z.push(image[2]);
        mesh.d_i.push(distance("d_i", v));
        mesh.d_e.push(distance("d_e", v));
      }
      rows[v] = rowOf.get(seam);
    }
    const proper = determinant(r) > 0; // else the image is a mirror one, and its triangles turn round
    for (let c = 0; c < triangles.length; c += 3) {
      const [a, b, d] = [rows[triangles[c]], rows[triangles[c + 1]], rows[triangles[c + 2]]];
      mesh.i.push(a);
      mesh.j.push(proper ? b : d);
      mesh.k.push(proper ? d : b);
    }
  }
  return mesh;
}

function surfaceFigure(ds, t) {
  const { state } = ds, { x, y, z, i, j, k, ...distances } = meshOf(ds, state.compound, state.site);
  const sites = sitesOf(ds, state.compound), letter = state.colour.slice(2);
  const low = Math.min(...sites.map(s => s[state.colour][0])), high = Math.max(...sites.map(s => s[state.colour][1]));
  const hidden = { visible: false, showspikes: false };
  return {
    data: [{
      type: "mesh3d", x, y, z, i, j, k, intensity: distances[state.colour], cmin: low, cmax: high,
      colorscale: stops(SCALES.distance), customdata: distances.d_i.map((d, at) => [d, distances.d_e[at]]),
      hovertemplate: `${D.i} %{customdata[0]:.4f} Å<br>${D.e} %{customdata[1]:.4f} Å<extra></extra>`,
      lighting: { ambient: 0.55, diffuse: 0.6, specular: 0.12, roughness: 0.6, fresnel: 0.1 },
      lightposition: { x: 400, y: 300, z: 800 },
      colorbar: {
        title: { text: `${D[letter]} (Å)`, side: "right" }, thickness: 12, outlinewidth: 0, len: 0.9,
        tickfont: { size: 11 },
      },
    }],
    layout: layoutOf(t, {
      margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: "kept",
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
  const named = site => (site.label.startsWith(site.element) ? site.label : `${site.label}: ${site.element}`);
  ds.find("sites").replaceChildren(...sites.map((site, k) => make("label", {},
    make("input", { type: "radio", name: `${ds.key}-site`, checked: k === state.site, onchange: chosen(k) }),
    make("span", {}, named(site)))));
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
  const siteName = () => `${ds.names[state.compound]}-${sitesOf(ds, state.compound)[state.site].label}`;
  const picture = kind =>
    savePlot(t => surfaceFigure(ds, t), ds.surface, kind, `${siteName()}-${state.colour}`);
  const table = () => {
    const mesh = meshOf(ds, state.compound, state.site);
    const header = ["x_angstrom", "y_angstrom", "z_angstrom", "d_i_angstrom", "d_e_angstrom"];
    saveTable(header, mesh.x.map((x, v) => [x, mesh.y[v], mesh.z[v], mesh.d_i[v], mesh.d_e[v]]), `${siteName()}.csv`);
  };
  ds.find("surface-bar").append(downloads({ SVG: () => picture("SVG"), PNG: () => picture("PNG"), CSV: table }));
}
