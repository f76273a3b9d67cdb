// Tables: sorted by a click on a heading, without the rows of hidden arms, and as CSV.

function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  if (body.rows.length < 2) return;
  headings.forEach((heading, column) => {
    const text = heading.textContent;
    heading.replaceChildren(
      button(text, () => {
        const rising = heading.getAttribute("aria-sort") !== "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
        const rows = [...body.rows].map((row) => [sortValue(row.cells[column].textContent), row]);
        rows.sort(([a], [b]) => compare(a, b, rising));
        body.append(...rows.map(([, row]) => row));
      }),
    );
  });
}

function compare(a, b, rising) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  const order = typeof a === "number" ? Math.sign(a - b) || 0 : a.localeCompare(b);
  return rising ? order : -order;
}

function tableRows(table) {
  return [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
}

function hideRows() {
  for (const row of document.querySelectorAll("tbody tr")) {
    const arm = row.cells[0].textContent.trim();
    if (arms.looks.has(arm)) row.hidden = !isShown(arm);
  }
}
