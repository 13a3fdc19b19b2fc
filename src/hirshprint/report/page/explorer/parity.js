// The plot of all compounds: predicted against true, error, or error against stated uncertainty.
import { errorBy, predictedBy, stdBy } from "./dataset.js";
import { escaped, limits, many } from "./dom.js";
import { downloads, saveTable } from "./downloads.js";
import { axisOf, fontOf, layoutOf, savePlot, SETTINGS, theme } from "./plots.js";

// What the plot shows of a compound, and the titles of its axes.
function viewOf(ds) {
  const { arrays, data, unit, state: { view: name, model } } = ds;
  const truth = { x: i => arrays.true[i], xTitle: `true ${data.property}${unit}` };
  const views = {
    predicted: { ...truth, y: i => predictedBy(ds, model, i), yTitle: `predicted${unit}` },
    error: { ...truth, y: i => errorBy(ds, model, i), yTitle: `predicted − true${unit}` },
    uncertainty: {
      x: i => stdBy(ds, model, i), y: i => Math.abs(errorBy(ds, model, i)),
      xTitle: `stated standard deviation${unit}`, yTitle: `|predicted − true|${unit}`,
    },
  };
  return views[name];
}

// The compounds that the view has a value of; they become the places of the plot.
function pointsOf(ds) {
  const { x: xOf, y: yOf } = viewOf(ds), points = { x: [], y: [], hover: [] };
  ds.places = [];
  for (let i = 0; i < ds.count; i++) {
    const a = xOf(i), b = yOf(i);
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    ds.places.push(i);
    points.x.push(a);
    points.y.push(b);
    points.hover.push(escaped(ds.names[i]));
  }
  return points;
}

function guideLines(name, t, both, low, high) {
  const line = (x0, y0, x1, y1, dash) =>
    ({ type: "line", x0, y0, x1, y1, layer: "below", line: { color: t.soft, width: 1, dash } });
  if (name === "predicted") return [line(both[0], both[0], both[1], both[1], "dash")];
  if (name === "error") return [line(low, 0, high, 0, "dash")];
  return [line(0, 0, high, high, "dash"), line(0, 0, high, 2 * high, "dot")];
}

function parityFigure(ds, t) {
  const { x, y, hover } = pointsOf(ds), { state: { view: name }, places, count } = ds, { xTitle, yTitle } = viewOf(ds);
  const [low, high] = places.length ? limits(x) : [0, 1], [bottom, top] = places.length ? limits(y) : [0, 1];
  const range = (a, b, zero) => {
    const margin = 0.04 * (b - a) || 0.1;
    return [zero ? 0 : a - margin, b + margin];
  };
  const same = name === "predicted", zero = name === "uncertainty";
  const both = range(Math.min(low, bottom), Math.max(high, top), false);
  const square = same ? { scaleanchor: "x", constrain: "domain" } : {};
  const crowded = count > 1000;
  return {
    data: [{
      type: "scatter", mode: "markers", x, y, text: hover,
      hovertemplate: `<b>%{text}</b><br>%{x:.4f}, %{y:.4f} ${ds.data.unit}<extra></extra>`,
      marker: { color: t.accent, size: crowded ? 5 : 7, opacity: crowded ? 0.45 : 0.65, line: { width: 0 } },
      selectedpoints: matching(ds), selected: { marker: { opacity: 0.8 } }, unselected: { marker: { opacity: 0.06 } },
    }],
    layout: layoutOf(t, {
      xaxis: axisOf(t, xTitle, { range: same ? both : range(low, high, zero), constrain: "domain" }),
      yaxis: axisOf(t, yTitle, { range: same ? both : range(bottom, top, zero), automargin: true, ...square }),
      dragmode: "zoom", shapes: places.length ? guideLines(name, t, both, low, high) : [],
    }),
  };
}

// The compound that is shown has a ring and its name: laid over the plot, as Plotly would draw all points again for
// them; part of the picture only where it is downloaded.
function placeOf(ds, i) {
  const { x: xOf, y: yOf } = viewOf(ds), x = xOf(i), y = yOf(i);
  return Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null;
}

function markedParity(ds, t) {
  const figure = parityFigure(ds, t), place = placeOf(ds, ds.state.compound);
  if (!place) return figure;
  const mark = {
    type: "scatter", mode: "markers+text", x: [place.x], y: [place.y],
    text: [`<b>${escaped(ds.names[ds.state.compound])}</b>`], textposition: "top center", textfont: fontOf(13, t.mark),
    marker: { color: "rgba(0,0,0,0)", size: 14, line: { color: t.mark, width: 2.5 } }, cliponaxis: false,
  };
  return { ...figure, data: [...figure.data, mark] };
}

export function moveRing(ds) {
  const ring = ds.find("ring"), place = placeOf(ds, ds.state.compound), { xaxis, yaxis } = ds.parity._fullLayout;
  ring.hidden = true;
  if (!place) return;
  const [x, y] = [xaxis.l2p(place.x), yaxis.l2p(place.y)];
  if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return;
  ring.hidden = false;
  ring.style.transform = `translate(${xaxis._offset + x}px, ${yaxis._offset + y}px)`;
  ring.classList.toggle("left", x > xaxis._length / 2);
  ring.firstElementChild.textContent = ds.names[ds.state.compound];
}

// Points of the compounds that the search finds; null where nothing is searched.
export function matching(ds) {
  if (!ds.state.query) return null;
  const found = new Set(ds.order);
  return ds.places.map((i, place) => (found.has(i) ? place : -1)).filter(place => place >= 0);
}

export function drawParity(ds) {
  if (!ds.learned) return;
  const figure = parityFigure(ds, theme());
  Plotly.react(ds.parity, figure.data, figure.layout, SETTINGS);
}

export function writeParityText(ds) {
  const { data, state, places, count } = ds;
  const total = data.total > count
    ? ` ${many(count)} of ${many(data.total)} compounds are here, the worst among them.` : "";
  const stated = places.length || state.view !== "uncertainty" ? "" : " with a standard deviation";
  const model = `${data.models[state.model]}, ${data.splits[state.split]} split`;
  ds.find("parity-text").textContent = `${model}: ${many(places.length)} test predictions${stated}.${total}`;
}

export function offerParity(ds) {
  const { data, arrays, names, state } = ds, model = () => data.models[state.model];
  const picture = kind => savePlot(t => markedParity(ds, t), ds.parity, kind, `${ds.key}-${model()}-${state.view}`);
  const header = ["compound", "fold", ...["true", "predicted", "std"].map(name => name + ds.unit)];
  const predicted = i => [predictedBy(ds, state.model, i), stdBy(ds, state.model, i)];
  const row = i => [names[i], arrays[`fold_${state.split}`][i], arrays.true[i], ...predicted(i)];
  ds.find("parity-bar").append(downloads({
    SVG: () => picture("SVG"),
    PNG: () => picture("PNG"),
    CSV: () => saveTable(header, ds.places.map(row), `${ds.key}-${model()}.csv`),
  }));
}
