// Addresses: a click on a number shows its own, and an address behind the "#" of the page marks its number.

const SHOW = document.getElementById("show").textContent;

function addressOf(cell) {
  const heading = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
  return `${cell.closest("tr").id}/${heading.dataset.id}`;
}

function cellAt(address) {
  const end = address.lastIndexOf("/");
  const row = end < 0 ? null : document.getElementById(address.slice(0, end));
  return row instanceof HTMLTableRowElement ? [...row.cells].slice(1).find((cell) => addressOf(cell) === address) : undefined;
}

function tellAddress(figure, address) {
  const told = figure.querySelector("figcaption .address");
  told.textContent = address;
  told.href = `#${address}`;
  told.title = `${SHOW} ${address}`;
}

function pointAt(cell) {
  for (const other of document.querySelectorAll(".pointed")) {
    other.classList.remove("pointed");
    const figure = other.closest("figure");
    tellAddress(figure, figure.dataset.address);
  }
  if (!cell) return;
  for (let fold = cell.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  cell.classList.add("pointed");
  tellAddress(cell.closest("figure"), addressOf(cell));
}

function followAddress() {
  const cell = cellAt(decodeURIComponent(location.hash.slice(1)));
  pointAt(cell);
  cell?.scrollIntoView({ block: "nearest" });
}

function linkRows() {
  for (const row of document.querySelectorAll("figure.table tbody tr")) {
    const link = element("a", "row-address");
    link.href = `#${row.id}`;
    link.setAttribute("aria-label", "Address of this row");
    row.cells[0].append(link);
  }
}

function watchCells() {
  linkRows();
  const inside = (event) => event.target.closest("figure.table tbody td");
  document.addEventListener("pointerover", (event) => {
    const cell = inside(event);
    if (cell) cell.title = `${SHOW} ${addressOf(cell)}`;
  });
  document.addEventListener("click", (event) => {
    const cell = inside(event);
    if (cell && !String(getSelection())) location.replace(`#${addressOf(cell)}`);
  });
  window.addEventListener("hashchange", followAddress);
  followAddress();
}
