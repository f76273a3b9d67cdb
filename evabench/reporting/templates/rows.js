// Rows below each other: estimates with intervals, stacked bars, several dots.

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
  const under = element("div");
  under.append(scale, endsOf(chart.less, chart.more));
  body.append(element("span", "name"), under, element("span"));
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

// What lies to either side of the mark.
function endsOf(less, more) {
  const ends = element("div", "ends");
  ends.append(element("span", "", `\u2190 ${less}`), element("span", "", `${more} \u2192`));
  return ends;
}

function drawDots(host, chart) {
  const chosen = viewOf(chart);
  const [least, most] = chart.scale;
  const at = (value) => `${(100 * (value - least)) / (most - least)}%`;
  const body = element("div", "rows");
  for (const row of chart.rows.filter((one) => one.view === chosen.name)) {
    const track = element("div", "track several");
    for (const value of chart.ticks) track.append(tick(at(value), "mark"));
    const told = chart.series.map((series, i) => ({ look: series.look, name: series.name, words: dotWords(row.dots[i]) }));
    row.dots.forEach((dot, i) => dot && track.append(...dotParts(dot, chart.series[i].look, (i + 1) / (row.dots.length + 1), at)));
    addRow(body, host, row.name, track, told[0].words, told);
  }
  const scale = element("div", "track scale");
  for (const value of chart.ticks) scale.append(tick(at(value), "label", words(value, "number", 3)));
  body.append(element("span", "name"), scale, element("span"));
  const note = `${chosen.label}; bar: the seeds; the numbers: ${chart.series[0].name}.`;
  host.replaceChildren(legendOf(chart.series), body, element("p", "note", note));
}

function dotWords(dot) {
  if (!dot) return "-";
  const [value, low, high] = [dot.value, dot.low, dot.high].map((one) => words(one, "number", 3));
  return low === high ? value : `${value} [${low}, ${high}]`;
}

// A dot and its bar, so far down in their row.
function dotParts(dot, look, down, at) {
  const bar = element("span", "interval");
  bar.style.left = at(dot.low);
  bar.style.width = `${parseFloat(at(dot.high)) - parseFloat(at(dot.low))}%`;
  bar.style.background = colourOf(look);
  const holder = element("span", "held");
  holder.append(markerOf(look));
  holder.style.left = at(dot.value);
  for (const one of [bar, holder]) one.style.top = `${100 * down}%`;
  return [bar, holder];
}

function legendOf(entries) {
  const legend = element("p", "parts");
  for (const one of entries) {
    const entry = element("span", "part", one.name);
    entry.prepend(swatch(one.look));
    legend.append(entry);
  }
  return legend;
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
