// Sorting of tables that are whole in the page.

export const COLLATOR = new Intl.Collator("en", { numeric: true });

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

export function makeSortable(table) {
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
