"use strict";
// The report's script: sorting, the table of compounds, linked plots (drawn by Plotly), downloads.

const page = document.documentElement;
page.classList.add("scripted");
const DARK = matchMedia("(prefers-color-scheme: dark)");
const ROWS = 25; // of the table of compounds at a time
let printing = false;
const redraws = []; // called when light and dark change

// --- small things ----------------------------------------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const many = n => n.toLocaleString("en");
const minus = text => text.replace("-", "−");
const fixed = (value, digits = 4) => (Number.isFinite(value) ? minus(value.toFixed(digits)) : "–");
const signed = value => (Number.isFinite(value) ? (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4) : "–");

function limits(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function debounced(call, milliseconds) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds, ...given);
  };
}

// --- packed data -----------------------------------------------------------------------------------------------------

const TYPES = {
  float32: Float32Array, float16: Uint16Array, int16: Int16Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array,
};

async function inflated(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// bytes come sorted: the first of every number, then the second ...
async function unpacked({ type, data }) {
  const sorted = await inflated(data), size = TYPES[type].BYTES_PER_ELEMENT, n = sorted.length / size;
  const bytes = new Uint8Array(sorted.length);
  for (let b = 0; b < size; b++) for (let i = 0; i < n; i++) bytes[i * size + b] = sorted[b * n + i];
  const array = new TYPES[type](bytes.buffer);
  return type === "float16" ? Float32Array.from(array, half) : array;
}

function half(bits) {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024;
}

// Plotly is the larger part of this file: it is read when the first plot comes into view.
let plotting = null;
function withPlotly() {
  plotting ??= inflated(document.getElementById("plotly").textContent).then(bytes => {
    document.head.append(make("script", {}, new TextDecoder().decode(bytes)));
  });
  return plotting;
}

// --- downloads -------------------------------------------------------------------------------------------------------

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
const cell = value => {
  const text = typeof value === "number" ? (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "") : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
function saveTable(header, rows, name) {
  const lines = [header, ...rows].map(row => Array.from(row, cell).join(","));
  save(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }), name);
}
function downloads(offers) {
  const buttons = Object.entries(offers).map(([kind, call]) =>
    make("button", { type: "button", title: `Download as ${kind}`, onclick: call }, kind));
  return make("span", { class: "downloads", role: "group", "aria-label": "Download" }, ...buttons);
}

const FILES = JSON.parse(document.getElementById("files").textContent);
async function saveFile(key, name) {
  save(new Blob([await inflated(FILES[key])], { type: "text/csv" }), name);
}
async function savePicture(image, kind, name) {
  if (kind === "SVG") return save(new Blob([decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1))], { type: "image/svg+xml" }), `${name}.svg`);
  const factor = image.src.startsWith("data:image/svg") ? 3 : 1;
  const canvas = make("canvas", { width: image.naturalWidth * factor, height: image.naturalHeight * factor });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(blob => save(blob, `${name}.png`), "image/png");
}
for (const bar of document.querySelectorAll(".bar[data-name]")) {
  const { name, file } = bar.dataset, image = bar.parentElement.querySelector("img"), offers = {};
  if (image) {
    if (image.src.startsWith("data:image/svg")) offers.SVG = () => savePicture(image, "SVG", name);
    offers.PNG = () => savePicture(image, "PNG", name);
  }
  if (file in FILES) offers.CSV = () => saveFile(file, `${name}.csv`);
  bar.append(downloads(offers));
}

// --- tables that are whole in the page -------------------------------------------------------------------------------

const COLLATOR = new Intl.Collator("en", { numeric: true });
function compared(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return COLLATOR.compare(a, b);
}
function cellValue(row, column) {
  const node = row.children[column], text = node.dataset.value ?? node.textContent.trim().replaceAll(",", "");
  const number = Number(text);
  return text !== "" && Number.isFinite(number) ? number : text;
}
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") === "ascending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (down ? -1 : 1) * compared(cellValue(a, column), cellValue(b, column)));
      table.tBodies[0].append(...rows);
    });
  });
}

// --- plots -----------------------------------------------------------------------------------------------------------

function theme(light = false) {
  if (light || printing || !DARK.matches) {
    return { text: "#1b1f24", soft: "#56606b", line: "#e3e8ed", accent: "#1b5e8c", mark: "#b3421b", page: "#ffffff", dark: false };
  }
  const style = getComputedStyle(page), of = name => style.getPropertyValue(`--${name}`).trim();
  return { text: of("text"), soft: of("soft"), line: of("line"), accent: of("accent"), mark: of("mark"), page: of("card"), dark: true };
}
const FONT = 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif';
function layoutOf(t, more) {
  return {
    autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 58, r: 14, t: 12, b: 48 },
    font: { family: FONT, size: 12, color: t.text }, showlegend: false, hovermode: "closest",
    hoverlabel: { bgcolor: t.page, bordercolor: t.accent, font: { family: FONT, size: 13, color: t.text } }, ...more,
  };
}
const axisOf = (t, title, more = {}) => ({
  title: { text: title, standoff: 8 }, gridcolor: t.line, linecolor: t.soft, ticks: "outside", tickcolor: t.soft, ticklen: 4,
  zeroline: false, showline: true, nticks: 7, ...more,
});
const SETTINGS = { displayModeBar: false, responsive: true, doubleClick: "reset" };

const D = { i: "d<sub>i</sub>", e: "d<sub>e</sub>" };

// A picture for a paper: light, whatever the page looks like.
function savePlot(figure, node, kind, name) {
  const size = { width: Math.max(node.clientWidth, 500), height: Math.max(node.clientHeight, 400) };
  const { data, layout } = figure(theme(true));
  const scene = node._fullLayout?.scene ? { scene: { ...layout.scene, camera: node._fullLayout.scene.camera } } : {};
  const drawn = { data, layout: { ...layout, ...scene, ...size, autosize: false, paper_bgcolor: "#ffffff" } };
  return Plotly.downloadImage(drawn, { format: kind.toLowerCase(), filename: name, scale: kind === "PNG" ? 3 : 1, ...size });
}

// --- one dataset -----------------------------------------------------------------------------------------------------

async function startDataset(section) {
  const data = JSON.parse(section.querySelector("script[type='application/json']").textContent);
  const arrays = {};
  await Promise.all(Object.entries(data.arrays).map(async ([name, given]) => { arrays[name] = await unpacked(given); }));
  const find = name => section.querySelector(`[data-part=${name}]`);
  const names = data.compounds, count = names.length, key = section.dataset.name, learned = data.models.length > 0;
  const step = (data.high - data.low) / data.n_bins;
  const starts = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) starts[i + 1] = starts[i] + arrays.filled[i];
  const elements = names.map(name => new Set(name.split(" (")[0].match(/[A-Z][a-z]?/g)));
  const state = { compound: 0, split: 0, model: 0, view: "predicted", site: 0, colour: "d_e", query: "", column: 0, down: false, first: 0 };

  const predictedBy = (model, i, split = state.split) => arrays[`predicted_${split}`][model * count + i];
  const stdBy = (model, i, split = state.split) => arrays[`std_${split}`][model * count + i];
  const errorBy = (model, i, split = state.split) => predictedBy(model, i, split) - arrays.true[i];
  const unit = data.unit ? ` (${data.unit})` : "";

  // fingerprints: filled bins, place i · n_bins + j
  function eachBin(i, call) {
    for (let k = starts[i]; k < starts[i + 1]; k++) {
      call(Math.floor(arrays.bins[k] / data.n_bins), arrays.bins[k] % data.n_bins, arrays.counts[k] * data.largest);
    }
  }
  const span = (() => {
    let low = data.n_bins - 1, high = 0;
    for (const bin of arrays.bins) {
      const i = Math.floor(bin / data.n_bins), j = bin % data.n_bins;
      low = Math.min(low, i, j);
      high = Math.max(high, i, j);
    }
    return low > high ? [0, data.n_bins - 1] : [Math.max(0, low - 1), Math.min(data.n_bins - 1, high + 1)];
  })();
  const scale = t => (t.dark ? SCALES.counts : [...SCALES.counts].reverse());
  const stops = colours => colours.map((colour, k) => [k / (colours.length - 1), colour]);

  function thumbnail(i) {
    const size = span[1] - span[0] + 1, canvas = make("canvas", { width: size, height: size, class: "thumb", "aria-hidden": "true" });
    const colours = scale(theme()).map(c => [1, 3, 5].map(at => parseInt(c.slice(at, at + 2), 16)));
    let largest = 0;
    eachBin(i, (a, b, value) => { largest = Math.max(largest, value); });
    const context = canvas.getContext("2d"), image = context.createImageData(size, size);
    eachBin(i, (a, b, value) => {
      const at = 4 * ((span[1] - b) * size + a - span[0]);
      image.data.set([...colours[Math.round(Math.sqrt(value / largest) * (colours.length - 1))], 255], at);
    });
    context.putImageData(image, 0, 0);
    return canvas;
  }

  // figures: what Plotly draws, in the colours of a theme
  const VIEWS = {
    predicted: { x: i => arrays.true[i], y: i => predictedBy(state.model, i), xTitle: `true ${data.property}${unit}`, yTitle: `predicted${unit}` },
    error: { x: i => arrays.true[i], y: i => errorBy(state.model, i), xTitle: `true ${data.property}${unit}`, yTitle: `predicted − true${unit}` },
    uncertainty: {
      x: i => stdBy(state.model, i), y: i => Math.abs(errorBy(state.model, i)),
      xTitle: `stated standard deviation${unit}`, yTitle: `|predicted − true|${unit}`,
    },
  };
  let places = []; // compounds in the plot, in its order
  function parityFigure(t) {
    const view = VIEWS[state.view], x = [], y = [], hover = [];
    places = [];
    for (let i = 0; i < count; i++) {
      const a = view.x(i), b = view.y(i);
      if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
      places.push(i);
      x.push(a);
      y.push(b);
      hover.push(escaped(names[i]));
    }
    const [low, high] = places.length ? limits(x) : [0, 1], [bottom, top] = places.length ? limits(y) : [0, 1];
    const range = (a, b, zero) => { const margin = 0.04 * (b - a) || 0.1; return [zero ? 0 : a - margin, b + margin]; };
    const same = state.view === "predicted", both = range(Math.min(low, bottom), Math.max(high, top), false), zero = state.view === "uncertainty";
    const square = same ? { scaleanchor: "x", constrain: "domain" } : {};
    const line = (x0, y0, x1, y1, dash) => ({ type: "line", x0, y0, x1, y1, layer: "below", line: { color: t.soft, width: 1, dash } });
    const guidesOf = {
      predicted: () => [line(both[0], both[0], both[1], both[1], "dash")],
      error: () => [line(low, 0, high, 0, "dash")],
      uncertainty: () => [line(0, 0, high, high, "dash"), line(0, 0, high, 2 * high, "dot")],
    };
    const guides = places.length ? guidesOf[state.view]() : [];
    return {
      data: [{
        type: "scatter", mode: "markers", x, y, text: hover, hovertemplate: `<b>%{text}</b><br>%{x:.4f}, %{y:.4f} ${data.unit}<extra></extra>`,
        marker: { color: t.accent, size: count > 1000 ? 5 : 7, opacity: count > 1000 ? 0.45 : 0.65, line: { width: 0 } },
        selectedpoints: matching(), selected: { marker: { opacity: 0.8 } }, unselected: { marker: { opacity: 0.06 } },
      }],
      layout: layoutOf(t, {
        xaxis: axisOf(t, view.xTitle, { range: same ? both : range(low, high, zero), constrain: "domain" }),
        yaxis: axisOf(t, view.yTitle, { range: same ? both : range(bottom, top, zero), automargin: true, ...square }),
        dragmode: "zoom", shapes: guides,
      }),
    };
  }
  // The compound that is shown has a ring and its name: laid over the plot, as Plotly would draw all points again for
  // them; part of the picture only where it is downloaded.
  function placeOf(i) {
    const view = VIEWS[state.view], x = view.x(i), y = view.y(i);
    return Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null;
  }
  function markedParity(t) {
    const figure = parityFigure(t), place = placeOf(state.compound);
    if (!place) return figure;
    const marker = { color: "rgba(0,0,0,0)", size: 14, line: { color: t.mark, width: 2.5 } }, font = { color: t.mark, size: 13, family: FONT };
    const mark = {
      type: "scatter", mode: "markers+text", x: [place.x], y: [place.y], text: [`<b>${escaped(names[state.compound])}</b>`],
      textposition: "top center", textfont: font, marker, cliponaxis: false,
    };
    return { ...figure, data: [...figure.data, mark] };
  }
  const escaped = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  function moveRing() {
    const ring = find("ring"), place = placeOf(state.compound), { xaxis, yaxis } = parity._fullLayout;
    ring.hidden = true;
    if (!place) return;
    const [x, y] = [xaxis.l2p(place.x), yaxis.l2p(place.y)];
    if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return;
    ring.hidden = false;
    ring.style.transform = `translate(${xaxis._offset + x}px, ${yaxis._offset + y}px)`;
    ring.classList.toggle("left", x > xaxis._length / 2);
    ring.firstElementChild.textContent = names[state.compound];
  }
  function matching() {
    if (!state.query) return null;
    const found = new Set(order);
    return places.map((i, place) => (found.has(i) ? place : -1)).filter(place => place >= 0);
  }

  function fingerprintFigure(t) {
    const size = span[1] - span[0] + 1, grid = () => Array.from({ length: size }, () => new Array(size).fill(null));
    const z = grid(), values = grid(), ticks = Array.from({ length: size }, (_, k) => data.low + (span[0] + k + 0.5) * step);
    let largest = 0;
    eachBin(state.compound, (i, j, value) => {
      z[j - span[0]][i - span[0]] = Math.sqrt(value);
      values[j - span[0]][i - span[0]] = value;
      largest = Math.max(largest, value);
    });
    const marksAt = [0, 0.1, 0.3, 0.6, 1].map(part => Number((part * largest).toPrecision(2)));
    const [low, high] = [ticks[0] - step / 2, ticks[size - 1] + step / 2], narrow = fingerprint.clientWidth < 380;
    return {
      data: [{
        type: "heatmap", x: ticks, y: ticks, z, customdata: values, colorscale: stops(scale(t)), zmin: 0, zmax: Math.sqrt(largest) || 1, hoverongaps: false,
        hovertemplate: `${D.i} %{x:.3f} Å, ${D.e} %{y:.3f} Å<br>%{customdata:.4g} ${data.counts_unit}<extra></extra>`,
        colorbar: {
          title: { text: data.counts_unit, side: narrow ? "top" : "right" }, thickness: 12, outlinewidth: 0, tickvals: marksAt.map(Math.sqrt),
          ticktext: marksAt.map(String), tickfont: { size: 11 }, len: 0.9, ...(narrow ? { orientation: "h", y: 1.02, yanchor: "bottom" } : {}),
        },
      }],
      layout: layoutOf(t, {
        xaxis: axisOf(t, `${D.i} (Å)`, { range: [low, high], constrain: "domain", showgrid: false, mirror: true }),
        yaxis: axisOf(t, `${D.e} (Å)`, { range: [low, high], scaleanchor: "x", constrain: "domain", showgrid: false, mirror: true }),
        shapes: [{ type: "line", x0: low, y0: low, x1: high, y1: high, layer: "below", line: { color: t.soft, width: 1 } }],
      }),
    };
  }

  const sitesOf = i => data.meshes[i];
  const meshStarts = {}; // first vertex of each compound's sites
  {
    let at = 0;
    for (const i of data.mesh_order) {
      meshStarts[i] = sitesOf(i).map(site => (at += site.vertices) - site.vertices);
    }
  }
  // the closed mesh of a site: images of the wedge under its operations, vertices of the seams taken for one
  function meshOf(i, k) {
    const site = sitesOf(i)[k], first = meshStarts[i][k], n = site.vertices;
    const part = (name, row) => arrays[`mesh_${name}`].subarray(arrays[`mesh_${name}_offsets`][row], arrays[`mesh_${name}_offsets`][row + 1]);
    const triangles = part("triangles", site.triangles), operations = part("operations", site.operations);
    const mesh = { x: [], y: [], z: [], i: [], j: [], k: [], d_i: [], d_e: [] }, known = new Map(), rows = new Uint32Array(n);
    const distance = (name, at) => {
      const [low, high] = site[name], offset = 2 * first + (name === "d_e" ? n : 0);
      return low + (arrays.mesh_d[offset + at] / 65535) * (high - low);
    };
    for (let o = 0; o < operations.length; o += 9) {
      const r = operations.subarray(o, o + 9);
      for (let v = 0; v < n; v++) {
        const at = 3 * (first + v), [x, y, z] = [0, 1, 2].map(c => arrays.mesh_xyz[at + c] * site.scale);
        const image = [0, 3, 6].map(c => r[c] * x + r[c + 1] * y + r[c + 2] * z);
        const place = image.map(c => Math.round(c * 500)).join();
        if (!known.has(place)) {
          known.set(place, mesh.x.length);
          mesh.x.push(image[0]);
          mesh.y.push(image[1]);
          mesh.z.push(image[2]);
          mesh.d_i.push(distance("d_i", v));
          mesh.d_e.push(distance("d_e", v));
        }
        rows[v] = known.get(place);
      }
      const determinant = r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) + r[2] * (r[3] * r[7] - r[4] * r[6]);
      for (let c = 0; c < triangles.length; c += 3) {
        const [a, b, d] = [rows[triangles[c]], rows[triangles[c + 1]], rows[triangles[c + 2]]];
        mesh.i.push(a);
        mesh.j.push(determinant > 0 ? b : d);
        mesh.k.push(determinant > 0 ? d : b);
      }
    }
    return mesh;
  }
  function surfaceFigure(t) {
    const mesh = meshOf(state.compound, state.site), sites = sitesOf(state.compound), letter = state.colour.slice(2);
    const low = Math.min(...sites.map(s => s[state.colour][0])), high = Math.max(...sites.map(s => s[state.colour][1]));
    const hidden = { visible: false, showspikes: false };
    return {
      data: [{
        type: "mesh3d", x: mesh.x, y: mesh.y, z: mesh.z, i: mesh.i, j: mesh.j, k: mesh.k, intensity: mesh[state.colour], cmin: low, cmax: high,
        colorscale: stops(SCALES.distance), customdata: mesh.d_i.map((d, at) => [d, mesh.d_e[at]]),
        hovertemplate: `${D.i} %{customdata[0]:.4f} Å<br>${D.e} %{customdata[1]:.4f} Å<extra></extra>`,
        lighting: { ambient: 0.55, diffuse: 0.6, specular: 0.12, roughness: 0.6, fresnel: 0.1 }, lightposition: { x: 400, y: 300, z: 800 },
        colorbar: { title: { text: `${D[letter]} (Å)`, side: "right" }, thickness: 12, outlinewidth: 0, len: 0.9, tickfont: { size: 11 } },
      }],
      layout: layoutOf(t, {
        margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: "kept",
        scene: { xaxis: hidden, yaxis: hidden, zaxis: hidden, aspectmode: "data", camera: { eye: { x: 1.4, y: 0.85, z: 0.68 } }, dragmode: "orbit", uirevision: "kept" },
      }),
    };
  }

  // drawing
  const parity = find("parity"), fingerprint = find("fingerprint"), surface = find("surface");
  let drawn = false, begun = false;
  function drawParity() {
    if (!learned) return;
    const figure = parityFigure(theme());
    Plotly.react(parity, figure.data, figure.layout, SETTINGS);
  }
  function drawFingerprint() {
    const figure = fingerprintFigure(theme());
    Plotly.react(fingerprint, figure.data, figure.layout, SETTINGS);
  }
  function drawSurface() {
    const here = state.compound in data.meshes;
    find("surface-none").hidden = here;
    find("surface-box").hidden = !here;
    if (!here) return;
    const figure = surfaceFigure(theme());
    Plotly.react(surface, figure.data, figure.layout, SETTINGS).then(() => surface.setAttribute("data-drawn", names[state.compound]));
  }
  let waiting = false;
  function drawSurfaceSoon() { // the picture in 3-D takes longest: all else is painted first, in the frame before
    const draw = () => { waiting = false; drawSurface(); };
    if (!waiting) requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(draw)));
    waiting = true;
  }
  function drawAll() {
    drawn = true;
    drawParity();
    drawFingerprint();
    drawSurface();
  }

  // the compound that is shown
  function show(i, focus = false) {
    state.compound = i;
    state.site = Math.min(state.site, (sitesOf(i)?.length ?? 1) - 1);
    writeCompound();
    markRow();
    if (drawn) {
      if (learned) moveRing();
      drawFingerprint();
      drawSurfaceSoon();
    }
    if (focus) {
      find("explorer").scrollIntoView({ block: "start" });
      find("compound").focus({ preventScroll: true });
    }
  }
  function facts(i) {
    const edge = arrays.initial_edge[i], several = arrays.structures[i] > 1 ? `, the first of ${arrays.structures[i]}` : "";
    const found = [["structure shown", data.structure_ids[i] + several]];
    if (Number.isFinite(edge)) found.push(["initial edge", `${edge.toFixed(4)} Å`]);
    if (learned) {
      found.push([`true ${data.property}`, `${fixed(arrays.true[i])} ${data.unit}`]);
      found.push(["test part of fold", arrays[`fold_${state.split}`][i] === 255 ? "none" : String(arrays[`fold_${state.split}`][i])]);
    }
    return found;
  }
  function compoundButton(i, ...inside) {
    return make("button", { type: "button", class: "compound", onclick: () => show(i) }, ...inside);
  }
  function writeCompound() {
    const i = state.compound;
    find("compound").textContent = names[i];
    find("facts").replaceChildren(...facts(i).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
    if (learned) {
      const rows = data.models.map((model, m) =>
        make("tr", { class: m === state.model ? "current" : undefined },
          make("th", { scope: "row" }, model), make("td", { class: "n" }, fixed(predictedBy(m, i))),
          make("td", { class: "n soft" }, Number.isFinite(stdBy(m, i)) ? `± ${fixed(stdBy(m, i), 3)}` : ""), make("td", { class: "n" }, signed(errorBy(m, i)))));
      find("predictions").replaceChildren(...rows);
    }
    const near = Array.from({ length: data.neighbour_count }, (_, k) => i * data.neighbour_count + k);
    find("neighbours").replaceChildren(...near.map(at => {
      const other = arrays.neighbours[at];
      return make("li", {}, compoundButton(other, thumbnail(other), make("span", {}, make("b", {}, names[other]), make("span", { class: "soft" }, `${arrays.distances[at].toFixed(3)}`))));
    }));
    find("command").textContent = data.commands[i];
    const sites = sitesOf(i) ?? [];
    find("sites").replaceChildren(...sites.map((site, k) =>
      make("label", {}, make("input", { type: "radio", name: `${key}-site`, checked: k === state.site, onchange: () => { state.site = k; drawSurface(); writeSite(); } }),
        make("span", {}, site.label === site.element || site.label.startsWith(site.element) ? site.label : `${site.label}: ${site.element}`))));
    writeSite();
  }
  function writeSite() {
    const site = sitesOf(state.compound)?.[state.site];
    find("site-text").textContent = site ? `${site.element}, ${site.multiplicity} of the cell: area ${site.area.toFixed(2)} Å², volume ${site.volume.toFixed(2)} Å³` : "";
  }

  // the table of compounds
  const columns = [
    { title: "Compound", value: i => names[i] },
    ...(learned ? [{ title: `True${unit}`, value: i => arrays.true[i], text: i => fixed(arrays.true[i]) }] : []),
    ...(new Set(arrays.initial_edge).size > 1 ? [{ title: "Initial edge (Å)", value: i => arrays.initial_edge[i], text: i => fixed(arrays.initial_edge[i]) }] : []),
    ...data.models.map((model, m) => ({
      title: model,
      value: i => (state.shows === "error" ? Math.abs(errorBy(m, i)) : predictedBy(m, i)),
      text: i => (state.shows === "error" ? signed(errorBy(m, i)) : fixed(predictedBy(m, i))),
    })),
  ];
  let order = Array.from({ length: count }, (_, i) => i);
  function arrange() {
    const words = state.query.split(/[\s,]+/).filter(Boolean);
    const atoms = text => text.match(/[A-Z][a-z]?[\d.]*/g)?.sort().join();  // the elements of a formula come in any order
    const named = (i, word) => names[i].toLowerCase().includes(word.toLowerCase()) || (atoms(word) !== undefined && atoms(names[i].split(" (")[0]) === atoms(word));
    const fits = i => words.every(word => (/^[A-Z][a-z]?$/.test(word) ? elements[i].has(word) : named(i, word)));
    const { value } = columns[state.column];
    const values = Array.from({ length: count }, (_, i) => value(i)), sign = state.down ? -1 : 1;
    order = Array.from({ length: count }, (_, i) => i).filter(fits);
    order.sort((a, b) => {
      const [x, y] = [values[a], values[b]];
      if (typeof x === "string") return sign * COLLATOR.compare(x, y);
      return Number.isNaN(x) || Number.isNaN(y) ? Number.isNaN(x) - Number.isNaN(y) : sign * (x - y);
    });
    state.first = 0;
    writeRows();
  }
  function writeRows() {
    const shown = order.slice(state.first, state.first + ROWS);
    find("rows").replaceChildren(...shown.map(i =>
      make("tr", { "data-row": i, class: i === state.compound ? "current" : undefined },
        make("th", { scope: "row" }, make("button", { type: "button", class: "compound", onclick: () => show(i, true) }, thumbnail(i), make("b", {}, names[i]))),
        ...columns.slice(1).map(column => make("td", { class: "n" }, column.text(i))))));
    const last = state.first + shown.length;
    find("count").textContent = shown.length ? `${many(state.first + 1)}–${many(last)} of ${many(order.length)}` : "no compound fits";
    for (const [name, off] of [["start", state.first === 0], ["back", state.first === 0], ["next", last >= order.length], ["end", last >= order.length]]) {
      find(name).disabled = off;
    }
  }
  function markRow() {
    for (const row of find("rows").rows) row.classList.toggle("current", Number(row.dataset.row) === state.compound);
  }
  const heads = columns.map((column, k) =>
    make("th", { scope: "col", class: k ? "n" : undefined }, make("button", { type: "button", onclick: () => {
      state.down = state.column === k ? !state.down : k > 0 && state.shows === "error";
      state.column = k;
      heads.forEach((head, at) => (at === k ? head.setAttribute("aria-sort", state.down ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
      arrange();
    } }, column.title)));
  find("heads").append(...heads);
  const lastPage = () => Math.max(0, Math.floor((order.length - 1) / ROWS) * ROWS);
  for (const [name, target] of [["start", () => 0], ["back", () => state.first - ROWS], ["next", () => state.first + ROWS], ["end", lastPage]]) {
    find(name).addEventListener("click", () => { state.first = Math.max(0, target()); writeRows(); });
  }
  const restyle = debounced(() => { if (drawn && learned) Plotly.restyle(parity, { selectedpoints: [matching()] }, [0]); }, 120);
  find("search").addEventListener("input", event => {
    state.query = event.target.value.trim();
    arrange();
    restyle();
  });
  find("table-bar").append(downloads({ CSV: () => {
    const header = ["compound", "structure_id", "initial_edge_angstrom", "structures"];
    const splits = data.splits.map((split, k) => [split, k]);
    if (learned) header.push(`true (${data.unit})`, ...splits.flatMap(([split]) => [`fold ${split}`, ...data.models.flatMap(m => [`${m} ${split}`, `${m} ${split} std`])]));
    saveTable(header, names.map((name, i) => [
      name, data.structure_ids[i], arrays.initial_edge[i], arrays.structures[i],
      ...(learned ? [arrays.true[i], ...splits.flatMap(([, k]) => [arrays[`fold_${k}`][i], ...data.models.flatMap((_, m) => [predictedBy(m, i, k), stdBy(m, i, k)])])] : []),
    ]), `${key}-compounds.csv`);
  } }));

  // controls of the plots
  function worstFirst() {
    return places.slice().sort((a, b) => Math.abs(errorBy(state.model, b)) - Math.abs(errorBy(state.model, a)));
  }
  if (learned) {
    const fill = (name, options) => find(name).append(...options.map((text, k) => new Option(text, k)));
    fill("model", data.models);
    fill("split", data.splits);
    find("split").parentElement.hidden = data.splits.length < 2;
    const changed = () => {
      state.model = Number(find("model").value);
      state.split = Number(find("split").value);
      state.view = find("view").value;
      drawParity();
      writeCompound();
      writeText();
    };
    for (const name of ["model", "split", "view"]) find(name).addEventListener("change", changed);
    find("shows").addEventListener("change", event => { state.shows = event.target.value; arrange(); });
    parity.addEventListener("keydown", event => {
      const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      const listed = worstFirst();
      if (listed.length) show(listed[Math.min(Math.max(listed.indexOf(state.compound) + move, 0), listed.length - 1)]);
    });
    find("parity-bar").append(downloads({
      SVG: () => savePlot(markedParity, parity, "SVG", `${key}-${data.models[state.model]}-${state.view}`),
      PNG: () => savePlot(markedParity, parity, "PNG", `${key}-${data.models[state.model]}-${state.view}`),
      CSV: () => saveTable(["compound", "fold", `true (${data.unit})`, `predicted (${data.unit})`, `std (${data.unit})`],
        places.map(i => [names[i], arrays[`fold_${state.split}`][i], arrays.true[i], predictedBy(state.model, i), stdBy(state.model, i)]), `${key}-${data.models[state.model]}.csv`),
    }));
  }
  function writeText() {
    const total = data.total > count ? ` ${many(count)} of ${many(data.total)} compounds are here, the worst among them.` : "";
    find("parity-text").textContent = `${data.models[state.model]}, ${data.splits[state.split]} split: ${many(places.length)} test predictions${places.length || state.view !== "uncertainty" ? "" : " with a standard deviation"}.${total}`;
  }
  for (const input of section.querySelectorAll(`[data-part=colours] input`)) {
    input.addEventListener("change", () => { state.colour = input.value; drawSurface(); });
  }
  surface.addEventListener("keydown", event => {
    const turn = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] }[event.key];
    if (!turn) return;
    event.preventDefault();
    const { x, y, z } = surface._fullLayout.scene.camera.eye, r = Math.hypot(x, y, z);
    const angle = Math.atan2(y, x) + turn[0], height = Math.min(Math.max(Math.asin(z / r) + turn[1], -1.5), 1.5);
    const flat = r * Math.cos(height);
    Plotly.relayout(surface, { "scene.camera.eye": { x: flat * Math.cos(angle), y: flat * Math.sin(angle), z: r * Math.sin(height) } });
  });
  find("fingerprint-bar").append(downloads({
    SVG: () => savePlot(fingerprintFigure, fingerprint, "SVG", `${names[state.compound]}-fingerprint`),
    PNG: () => savePlot(fingerprintFigure, fingerprint, "PNG", `${names[state.compound]}-fingerprint`),
    CSV: () => {
      const rows = [];
      eachBin(state.compound, (i, j, value) => rows.push([data.structure_ids[state.compound], data.low + (i + 0.5) * step, data.low + (j + 0.5) * step, value, data.counts_unit]));
      saveTable(["structure_id", "d_i_angstrom", "d_e_angstrom", "value", "unit"], rows, `${names[state.compound]}-fingerprint.csv`);
    },
  }));
  const siteName = () => `${names[state.compound]}-${sitesOf(state.compound)[state.site].label}`;
  find("surface-bar").append(downloads({
    SVG: () => savePlot(surfaceFigure, surface, "SVG", `${siteName()}-${state.colour}`),
    PNG: () => savePlot(surfaceFigure, surface, "PNG", `${siteName()}-${state.colour}`),
    CSV: () => {
      const mesh = meshOf(state.compound, state.site);
      saveTable(["x_angstrom", "y_angstrom", "z_angstrom", "d_i_angstrom", "d_e_angstrom"], mesh.x.map((x, v) => [x, mesh.y[v], mesh.z[v], mesh.d_i[v], mesh.d_e[v]]), `${siteName()}.csv`);
    },
  }));
  find("copy").addEventListener("click", async () => {
    getSelection().selectAllChildren(find("command"));
    await navigator.clipboard?.writeText(find("command").textContent);
  });
  for (const button of section.querySelectorAll("button[data-show]")) {
    const i = names.indexOf(button.dataset.show);
    if (i >= 0) button.addEventListener("click", () => show(i, true));
    else button.disabled = true;
  }

  // start: what is worth a look first
  state.shows = "predicted";
  arrange();
  const isPredicted = i => !learned || Number.isFinite(predictedBy(state.model, i));
  state.compound = data.mesh_order.find(isPredicted) ?? 0;
  writeCompound();
  markRow();
  async function begin() {
    if (begun) return;
    begun = true;
    await withPlotly();
    drawAll();
    if (learned) {
      writeText();
      parity.on("plotly_afterplot", moveRing);
      moveRing();
      parity.on("plotly_click", event => show(places[event.points[0].pointNumber]));
    }
    section.dataset.ready = "true";
  }
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    observer.disconnect();
    begin();
  }, { rootMargin: "300px" }).observe(find("explorer"));
  redraws.push(() => {
    writeRows();
    writeCompound();
    if (drawn) drawAll();
  });
}

for (const section of document.querySelectorAll(".dataset")) startDataset(section);
addEventListener("load", () => setTimeout(withPlotly, 200));
const redraw = () => redraws.forEach(call => call());
DARK.addEventListener("change", redraw);
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not(.contents)")) details.open = true;
  printing = true;
  if (DARK.matches) redraw();
});
addEventListener("afterprint", () => {
  printing = false;
  if (DARK.matches) redraw();
});
const contents = document.querySelector(".contents");
const WIDE = matchMedia("(min-width: 1000px)");
contents.open = WIDE.matches;
WIDE.addEventListener("change", () => { contents.open = WIDE.matches; });
contents.addEventListener("click", event => { if (event.target.closest("a") && !WIDE.matches) contents.open = false; });
