// Small things: nodes of the page, numbers as text.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const many = n => n.toLocaleString("en");
export const minus = text => text.replace("-", "−");
export const fixed = (value, digits = 4) => (Number.isFinite(value) ? minus(value.toFixed(digits)) : "–");
export const signed = value =>
  Number.isFinite(value) ? (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4) : "–";
export const escaped = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export function limits(values) {
  const start = [Infinity, -Infinity];
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], start);
}

export function debounced(call, milliseconds) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds, ...given);
  };
}
