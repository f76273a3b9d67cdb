// Figures as comma-separated values.

// A text that a spreadsheet would compute begins with an apostrophe; a dash, which is "not measured", is empty.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (text === "-") return "";
  if (/^[=+\-@\t\r]/.test(text) && !Number.isFinite(Number(text))) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function toCsv(rows) {
  return `${rows.map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

function download(name, rows) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([toCsv(rows)], { type: "text/csv;charset=utf-8" }));
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function csvButton(name, rows) {
  const made = button("CSV", () => download(name, rows()));
  made.setAttribute("aria-label", `CSV of ${name}`);
  return made;
}

function chartRows(chart) {
  if (chart.kind === "rows")
    return [["arm", "estimate", "low", "high"], ...chart.rows.map((row) => [row.arm, row.estimate, row.low, row.high])];
  if (chart.kind === "bars") return [["arm", ...chart.parts], ...chart.bars.map((bar) => [bar.arm, ...bar.sizes])];
  if (chart.kind === "dots")
    return [["view", "row", ...chart.series.map((one) => one.name)], ...chart.rows.map((row) => [row.view, row.name, ...row.dots.map((dot) => dot && dot.value)])];
  const views = chart.views.map((view) => view.name);
  const rows = [[chart.of_arms ? "arm" : "line", ...views, chart.y_label, "low", "high"]];
  for (const line of chart.lines) {
    const band = new Map(line.band_x.map((x, i) => [x, i]));
    line.x.forEach((x, i) => {
      const at = band.get(x);
      const places = views.map((view) => (scaleOf(line, view) === null ? null : x * scaleOf(line, view)));
      rows.push([line.arm, ...places, line.y[i], at === undefined ? null : line.low[at], at === undefined ? null : line.high[at]]);
    });
  }
  return rows;
}
