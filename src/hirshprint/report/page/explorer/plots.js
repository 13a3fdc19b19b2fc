// What all plots share: colours of the theme, axes, pictures for a paper.

export const DARK = matchMedia("(prefers-color-scheme: dark)");
export const view = { printing: false }; // a printed page is light
const FONT_FAMILY = 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif';
const LIGHT = {
  text: "#1b1f24", soft: "#56606b", line: "#e3e8ed", accent: "#1b5e8c", mark: "#b3421b", page: "#ffffff", dark: false,
};

export function theme(light = false) {
  if (light || view.printing || !DARK.matches) return LIGHT;
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  return {
    text: colour("text"), soft: colour("soft"), line: colour("line"), accent: colour("accent"), mark: colour("mark"),
    page: colour("card"), dark: true,
  };
}

export const fontOf = (size, color) => ({ family: FONT_FAMILY, size, color });

export function layoutOf(t, more) {
  return {
    autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 58, r: 14, t: 12, b: 48 }, font: fontOf(12, t.text), showlegend: false, hovermode: "closest",
    hoverlabel: { bgcolor: t.page, bordercolor: t.accent, font: fontOf(13, t.text) }, ...more,
  };
}

export const axisOf = (t, title, more = {}) => ({
  title: { text: title, standoff: 8 }, gridcolor: t.line, linecolor: t.soft, ticks: "outside", tickcolor: t.soft,
  ticklen: 4, zeroline: false, showline: true, nticks: 7, ...more,
});

export const SETTINGS = { displayModeBar: false, responsive: true, doubleClick: "reset" };
export const D = { i: "d<sub>i</sub>", e: "d<sub>e</sub>" };
export const stops = colours => colours.map((colour, k) => [k / (colours.length - 1), colour]);

// A picture for a paper: light, whatever the page looks like.
export function savePlot(figure, node, kind, name) {
  const size = { width: Math.max(node.clientWidth, 500), height: Math.max(node.clientHeight, 400) };
  const { data, layout } = figure(theme(true));
  const camera = node._fullLayout?.scene?.camera;
  const scene = camera ? { scene: { ...layout.scene, camera } } : {};
  const light = { ...layout, ...scene, ...size, autosize: false, paper_bgcolor: "#ffffff" };
  const format = { format: kind.toLowerCase(), filename: name, scale: kind === "PNG" ? 3 : 1, ...size };
  return Plotly.downloadImage({ data, layout: light }, format);
}
