// Arrays and files that the page holds compressed.
import { make } from "./dom.js";

const TYPES = {
  float32: Float32Array, float16: Uint16Array, int16: Int16Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array,
};

export async function inflated(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// bytes come sorted: the first of every number, then the second ...
export async function unpacked({ type, data }) {
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
export function withPlotly() {
  plotting ??= inflated(document.getElementById("plotly").textContent).then(bytes => {
    document.head.append(make("script", {}, new TextDecoder().decode(bytes)));
  });
  return plotting;
}
