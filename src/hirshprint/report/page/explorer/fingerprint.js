// The fingerprint of a compound: as a plot, and as a thumbnail.
import { downloads, saveTable } from "./downloads.js";
import { make } from "./dom.js";
import { axisOf, D, layoutOf, savePlot, SETTINGS, stops, theme } from "./plots.js";

// Filled bins of a fingerprint: bin of d_i, bin of d_e, value.
function eachBin({ data, arrays, starts }, i, call) {
  for (let k = starts[i]; k < starts[i + 1]; k++) {
    const bin = arrays.bins[k];
    call(Math.floor(bin / data.n_bins), bin % data.n_bins, arrays.counts[k] * data.largest);
  }
}

const countColours = t => (t.dark ? SCALES.counts : [...SCALES.counts].reverse());

export function thumbnail(ds, i) {
  const { span } = ds, size = span[1] - span[0] + 1;
  const canvas = make("canvas", { width: size, height: size, class: "thumb", "aria-hidden": "true" });
  const colours = countColours(theme()).map(c => [1, 3, 5].map(at => parseInt(c.slice(at, at + 2), 16)));
  let largest = 0;
  eachBin(ds, i, (a, b, value) => { largest = Math.max(largest, value); });
  const context = canvas.getContext("2d"), image = context.createImageData(size, size);
  eachBin(ds, i, (a, b, value) => {
    const at = 4 * ((span[1] - b) * size + a - span[0]);
    image.data.set([...colours[Math.round(Math.sqrt(value / largest) * (colours.length - 1))], 255], at);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

function fingerprintFigure(ds, t) {
  const { data, span, step, state } = ds, size = span[1] - span[0] + 1;
  const grid = () => Array.from({ length: size }, () => Array.from({ length: size }, () => null));
  const z = grid(), values = grid();
  const ticks = Array.from({ length: size }, (_, k) => data.low + (span[0] + k + 0.5) * step);
  let largest = 0;
  eachBin(ds, state.compound, (i, j, value) => {
    z[j - span[0]][i - span[0]] = Math.sqrt(value);
    values[j - span[0]][i - span[0]] = value;
    largest = Math.max(largest, value);
  });
  const [low, high] = [ticks[0] - step / 2, ticks[size - 1] + step / 2];
  const axis = { range: [low, high], constrain: "domain", showgrid: false, mirror: true };
  const diagonal = {
    type: "line", x0: low, y0: low, x1: high, y1: high, layer: "below", line: { color: t.soft, width: 1 },
  };
  return {
    data: [{
      type: "heatmap", x: ticks, y: ticks, z, customdata: values, colorscale: stops(countColours(t)),
      zmin: 0, zmax: Math.sqrt(largest) || 1, hoverongaps: false,
      hovertemplate:
        `${D.i} %{x:.3f} Å, ${D.e} %{y:.3f} Å<br>%{customdata:.4g} ${data.counts_unit}<extra></extra>`,
      colorbar: colourBar(data.counts_unit, largest, ds.fingerprint.clientWidth < 380),
    }],
    layout: layoutOf(t, {
      xaxis: axisOf(t, `${D.i} (Å)`, axis),
      yaxis: axisOf(t, `${D.e} (Å)`, { ...axis, scaleanchor: "x" }),
      shapes: [diagonal],
    }),
  };
}

function colourBar(unit, largest, narrow) {
  const marksAt = [0, 0.1, 0.3, 0.6, 1].map(part => Number((part * largest).toPrecision(2)));
  const above = narrow ? { orientation: "h", y: 1.02, yanchor: "bottom" } : {};
  return {
    title: { text: unit, side: narrow ? "top" : "right" }, thickness: 12, outlinewidth: 0,
    tickvals: marksAt.map(Math.sqrt), ticktext: marksAt.map(String), tickfont: { size: 11 }, len: 0.9, ...above,
  };
}

export function drawFingerprint(ds) {
  const figure = fingerprintFigure(ds, theme());
  Plotly.react(ds.fingerprint, figure.data, figure.layout, SETTINGS);
}

export function offerFingerprint(ds) {
  const { data, state } = ds, name = () => `${ds.names[state.compound]}-fingerprint`;
  const picture = kind => savePlot(t => fingerprintFigure(ds, t), ds.fingerprint, kind, name());
  const table = () => {
    const rows = [], centre = i => data.low + (i + 0.5) * ds.step, id = data.structure_ids[state.compound];
    eachBin(ds, state.compound, (i, j, value) => rows.push([id, centre(i), centre(j), value, data.counts_unit]));
    saveTable(["structure_id", "d_i_angstrom", "d_e_angstrom", "value", "unit"], rows, `${name()}.csv`);
  };
  ds.find("fingerprint-bar").append(downloads({ SVG: () => picture("SVG"), PNG: () => picture("PNG"), CSV: table }));
}
