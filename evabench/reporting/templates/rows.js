// Rows below each other: estimates with intervals, and stacked bars.

function drawRows(host, chart) {
  const rows = chart.rows.filter((row) => isShown(row.arm));
  const ends = rows.flatMap((row) => [row.low ?? row.estimate, row.high ?? row.estimate, chart.mark.value]);
  const [least, most] = [Math.min(...ends) * 0.93, Math.max(...ends) * 1.07];
  const at = (value) => `${(100 * Math.log(value / least)) / Math.log(most / least)}%`;
  const body = element("div", "rows");
  for (const row of rows) {
    const track = element("div", "track");
    track.append(tick(at(chart.mark.value), "mark"));
    const dot = element("span", row.low === null ? "dot few" : "dot");
    dot.style.left = at(row.estimate);
    dot.style.color = colourOf(row.look);
    if (row.low !== null) {
      const bar = element("span", "interval");
      bar.style.left = at(row.low);
      bar.style.width = `${parseFloat(at(row.high)) - parseFloat(at(row.low))}%`;
      bar.style.background = colourOf(row.look);
      track.append(bar);
    }
    track.append(dot);
    addRow(body, host, row.arm, track, row.words, [{ name: chart.x_label, words: row.words }]);
  }
  const scale = element("div", "track scale");
  for (const value of logTicks(least, most)) scale.append(tick(at(value), "label", words(value, chart.reading, 3)));
  body.append(element("span", "name"), scale, element("span"));
  host.replaceChildren(body, element("p", "note", `${chart.x_label}; ${chart.about}.`));
}

function drawBars(host, chart) {
  const bars = chart.bars.filter((bar) => isShown(bar.arm));
  const sums = bars.map((bar) => bar.sizes.reduce((sum, size) => sum + size, 0));
  const most = Math.max(...sums) || 1;
  const body = element("div", "rows");
  bars.forEach((bar) => {
    const track = element("div", "track stack");
    bar.sizes.forEach((size, part) => {
      const piece = element("span", "piece");
      piece.style.width = `${(100 * size) / most}%`;
      piece.style.background = css(`--${chart.colours[part]}`);
      track.append(piece);
    });
    const told = bar.sizes.map((size, part) => ({ name: chart.parts[part], words: words(size, chart.reading, 3) }));
    addRow(body, host, bar.arm, track, bar.words, told);
  });
  const legend = element("p", "parts");
  chart.parts.forEach((part, place) => {
    const box = element("span", "box");
    box.style.background = css(`--${chart.colours[place]}`);
    const entry = element("span", "part", part);
    entry.prepend(box);
    legend.append(entry);
  });
  host.replaceChildren(legend, body, element("p", "note", `${chart.x_label}.`));
}

function addRow(body, host, arm, track, told, entries) {
  const name = element("span", "name", arm);
  if (arms.looks.has(arm)) name.prepend(swatch(arms.looks.get(arm)));
  const row = [name, track, element("span", "told", told)];
  for (const one of row) {
    one.addEventListener("pointermove", () => showTip(host, arm, entries, track.offsetLeft + track.clientWidth / 2, track.offsetTop + 44));
    one.addEventListener("pointerleave", () => hideTip(host));
  }
  body.append(...row);
}

function tick(left, className, text) {
  const made = element("span", className, text);
  made.style.left = left;
  return made;
}
