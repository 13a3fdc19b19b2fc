// Downloads: tables (CSV) and the pictures that the page holds (SVG, PNG).
import { make } from "./dom.js";
import { inflated } from "./packed.js";

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function csvCell(value) {
  const number = () => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "");
  const text = typeof value === "number" ? number() : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function saveTable(header, rows, name) {
  const lines = [header, ...rows].map(row => Array.from(row, csvCell).join(","));
  save(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }), name);
}

// Buttons; `offers` has a function for each kind of file.
export function downloads(offers) {
  const buttons = Object.entries(offers).map(([kind, call]) =>
    make("button", { type: "button", title: `Download as ${kind}`, onclick: call }, kind));
  return make("span", { class: "downloads", role: "group", "aria-label": "Download" }, ...buttons);
}

const FILES = JSON.parse(document.getElementById("files").textContent);

async function saveFile(key, name) {
  save(new Blob([await inflated(FILES[key])], { type: "text/csv" }), name);
}

function savePicture(image, kind, name) {
  if (kind === "SVG") {
    const text = decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1));
    return save(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
  }
  const factor = image.src.startsWith("data:image/svg") ? 3 : 1;
  const canvas = make("canvas", { width: image.naturalWidth * factor, height: image.naturalHeight * factor });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toBlob(blob => save(blob, `${name}.png`), "image/png");
}

export function offerFiles() {
  for (const bar of document.querySelectorAll(".bar[data-name]")) {
    const { name, file } = bar.dataset, image = bar.parentElement.querySelector("img"), offers = {};
    if (image) {
      if (image.src.startsWith("data:image/svg")) offers.SVG = () => savePicture(image, "SVG", name);
      offers.PNG = () => savePicture(image, "PNG", name);
    }
    if (file in FILES) offers.CSV = () => saveFile(file, `${name}.csv`);
    bar.append(downloads(offers));
  }
}
