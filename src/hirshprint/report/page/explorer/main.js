// The page's script: downloads, sorting, the explorer of each dataset, print, light and dark, contents.
import { offerFiles } from "./downloads.js";
import { startDataset } from "./explorer.js";
import { withPlotly } from "./packed.js";
import { DARK, view } from "./plots.js";
import { makeSortable } from "./tables.js";

document.documentElement.classList.add("scripted");
offerFiles();
for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);

const redraws = []; // called when light and dark change
for (const section of document.querySelectorAll(".dataset")) startDataset(section, redraws);
addEventListener("load", () => setTimeout(withPlotly, 200));

const redraw = () => redraws.forEach(call => call());
DARK.addEventListener("change", redraw);
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not(.contents)")) details.open = true;
  view.printing = true;
  if (DARK.matches) redraw();
});
addEventListener("afterprint", () => {
  view.printing = false;
  if (DARK.matches) redraw();
});

const contents = document.querySelector(".contents");
const WIDE = matchMedia("(min-width: 1000px)");
contents.open = WIDE.matches;
WIDE.addEventListener("change", () => { contents.open = WIDE.matches; });
contents.addEventListener("click", event => {
  if (event.target.closest("a") && !WIDE.matches) contents.open = false;
});
