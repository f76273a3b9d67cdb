// The page: charts in place of pictures, and one set of controls for all of them.

const DRAW = { lines: drawLines, rows: drawRows, bars: drawBars, dots: drawDots };
const charts = [];

function addChart(figure) {
  const block = figure.querySelector("script");
  if (!block) return;
  const chart = JSON.parse(block.textContent);
  for (const one of armsOf(chart)) arms.looks.set(one.arm, one.look);
  const host = element("div", "chart");
  const tools = element("div", "tools");
  const made = { chart, host, tools, figure, drawn: false };
  for (const one of chart.views?.length > 1 ? chart.views : []) {
    const choice = button(one.name, () => switchView(chart, one.name));
    choice.dataset.view = one.name;
    tools.append(choice);
  }
  tools.append(csvButton(figure.id, () => chartRows(chart)));
  figure.querySelector(".scroll").before(tools);
  figure.querySelector(".scroll").after(host);
  charts.push(made);
}

function armsOf(chart) {
  if (chart.kind === "rows") return chart.rows;
  return chart.kind === "lines" && chart.of_arms ? chart.lines : [];
}

function draw(made) {
  if (!made.drawn) made.figure.append(element("p", "unseen", made.figure.querySelector("img").alt));
  made.figure.classList.add("drawn");
  made.drawn = true;
  made.width = made.host.clientWidth;
  for (const choice of made.tools.querySelectorAll("[data-view]")) {
    choice.setAttribute("aria-pressed", String(choice.dataset.view === viewOf(made.chart).name));
  }
  DRAW[made.chart.kind](made.host, made.chart);
}

function redraw() {
  charts.filter((made) => made.drawn).forEach(draw);
}

function switchView(chart, name) {
  chooseView(chart, name);
  redraw();
}

function armControls() {
  const box = element("fieldset", "arms");
  box.append(element("legend", "", "Arms"));
  for (const [arm, look] of arms.looks) {
    const label = element("label");
    const check = element("input");
    check.type = "checkbox";
    check.checked = isShown(arm);
    check.addEventListener("change", () => showArms([arm], check.checked));
    label.append(check, swatch(look), element("span", "", arm));
    box.append(label);
  }
  const all = (shown) => () => {
    for (const check of box.querySelectorAll("input")) check.checked = shown;
    showArms([...arms.looks.keys()], shown);
  };
  box.append(button("All", all(true)), button("None", all(false)));
  return box;
}

function themeControl() {
  const label = element("label", "theme", "Theme ");
  const choice = element("select");
  for (const name of ["system", "light", "dark"]) choice.append(new Option(name, name));
  choice.addEventListener("change", () => setTheme(choice.value));
  label.append(choice);
  return label;
}

function setTheme(name) {
  const root = document.documentElement;
  if (name === "system") delete root.dataset.theme;
  else root.dataset.theme = name;
  showControls();
  redraw();
}

function showControls() {
  const controls = document.getElementById("controls");
  const chosen = controls.querySelector("select")?.value;
  const folded = element("details", "arm-list");
  folded.open = window.innerWidth > 1000;
  if (arms.looks.size) folded.append(element("summary", "", "Show and hide arms"), armControls());
  const theme = themeControl();
  if (chosen) theme.querySelector("select").value = chosen;
  controls.replaceChildren(theme, ...(arms.looks.size ? [folded] : []));
  controls.hidden = false;
}

function tableTools() {
  for (const figure of document.querySelectorAll("figure.table")) {
    const table = figure.querySelector("table");
    sortable(table);
    figure.querySelector("figcaption").append(csvButton(figure.id || "table", () => tableRows(table)));
  }
}

function watchContents() {
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) links.get(entry.target.id)?.classList.toggle("here", entry.isIntersecting);
    },
    { rootMargin: "-20% 0px -60% 0px" },
  );
  for (const id of links.keys()) if (document.getElementById(id)) seen.observe(document.getElementById(id));
}

document.querySelectorAll("figure.picture").forEach(addChart);
arms.listeners.push(redraw, hideRows);
showControls();
tableTools();
watchContents();
watchCells();
const arriving = new IntersectionObserver(
  (entries) => entries.filter((one) => one.isIntersecting).forEach((one) => {
    const made = charts.find((each) => each.figure === one.target);
    if (!made.drawn) draw(made);
  }),
  { rootMargin: "600px" },
);
charts.forEach((made) => arriving.observe(made.figure));
let waiting;
window.addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => charts.filter((made) => made.drawn && made.width !== made.host.clientWidth).forEach(draw), 120);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(document.documentElement.dataset.theme || "system"));
