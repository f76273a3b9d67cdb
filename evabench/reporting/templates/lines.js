// Charts of lines, by uPlot: axes, zoom and cursor are its, bands, markers and the names at the ends are drawn here.

const MOST_TOGETHER = 8; // arms in one panel; beyond, each has a small one of its own
const chosenViews = new Set(["steps"]); // at most one of the views of a chart; without one its first is shown

function viewOf(chart) {
  return chart.views.find((one) => chosenViews.has(one.name)) || chart.views[0];
}

function chooseView(chart, name) {
  for (const one of chart.views) chosenViews.delete(one.name);
  chosenViews.add(name);
}

function scaleOf(line, name) {
  if (Object.keys(line.scale).length === 0) return 1;
  return line.scale[name] === undefined ? null : line.scale[name];
}

// How often an arm is within a factor of the best of the arms that are shown.
function profiled(chart, shown) {
  const ratios = new Map(shown.map((line) => [line.arm, []]));
  const counts = new Map(shown.map((line) => [line.arm, 0]));
  for (const costs of chart.instances) {
    const known = shown.map((line) => line.arm).filter((arm) => arm in costs);
    const least = Math.min(...known.map((arm) => (costs[arm] === null ? Infinity : costs[arm])));
    for (const arm of known) {
      counts.set(arm, counts.get(arm) + 1);
      if (costs[arm] !== null) ratios.get(arm).push(costs[arm] / least);
    }
  }
  const last = 1.15 * Math.max(1, ...[...ratios.values()].flat());
  return shown.map((line) => {
    const factors = ratios.get(line.arm).sort((a, b) => a - b);
    const shares = factors.map((_, i) => (i + 1) / counts.get(line.arm));
    return { ...line, x: [1, ...factors, last], y: [0, ...shares, shares.at(-1) || 0] };
  });
}

function shownLines(chart, name) {
  const lines = chart.lines.filter((line) => (isShown(line.arm) || !chart.of_arms) && scaleOf(line, name) !== null && line.x.length);
  const found = chart.instances.length && lines.length ? profiled(chart, lines) : lines;
  return found.map((line) => {
    const scale = scaleOf(line, name);
    return { ...line, x: line.x.map((x) => x * scale), band_x: line.band_x.map((x) => x * scale) };
  });
}

function drawLines(host, chart) {
  const chosen = viewOf(chart);
  const lines = shownLines(chart, chosen.name);
  host.replaceChildren(...(chart.of_arms ? [] : [legendOf(lines.map((line) => ({ name: line.arm, look: line.look })))]));
  if (!lines.length) return host.append(element("p", "note", "No arm of this figure is shown."));
  if (lines.length <= MOST_TOGETHER) return plot(host, chart, chosen, lines, lines, false);
  const grid = element("div", "small-multiples");
  host.append(grid);
  for (const line of lines) {
    const cell = element("div");
    const name = element("p", "small-title", line.arm);
    name.prepend(swatch(line.look));
    cell.append(name);
    grid.append(cell);
    plot(cell, chart, chosen, [line], lines, true);
    if (chart.y_range && line.y.every((y) => y > chart.y_range[1])) cell.append(element("p", "note", "Above the scale."));
  }
  host.append(element("p", "note", `${chart.y_label} against ${chosen.label}; grey: the other arms.`));
}

function plot(host, chart, chosen, lines, all, small) {
  const width = Math.max(220, host.clientWidth);
  const names = small ? [] : lines.map((line) => endName(line.arm, width));
  const room = small ? 14 : 18 + Math.max(...names.map(textWidth));
  const holder = element("div", "plot");
  host.append(holder);
  const xs = all.flatMap((line) => line.x).filter((x) => !chosen.logarithmic || x > 0);
  const whole = { x: [Math.min(...xs), Math.max(...xs)], y: chart.y_range || yRange(all) };
  const ends = whole.x;
  if (chart.dotted) whole.x = padded(ends, chosen.logarithmic);
  if (ends[0] === ends[1]) whole.x = [ends[0] * 0.9, ends[1] * 1.1 || 1];
  const plotted = new uPlot(
    {
      width,
      height: small ? 150 : 330,
      padding: [10, room, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: true, y: true, uni: 30 }, points: { show: false }, y: !small },
      scales: {
        x: { time: false, distr: chosen.logarithmic ? 3 : 1, range: (_, min, max) => (min === null || (min <= ends[0] && max >= ends[1]) ? whole.x : [min, max]) },
        y: { distr: chart.y_logarithmic ? 3 : 1, auto: false, min: whole.y[0], max: whole.y[1], range: (_, min, max) => [min ?? whole.y[0], max ?? whole.y[1]] },
      },
      axes: [
        xAxis(chart, chosen, small),
        axis(chart.y_label, chart.y_reading, chart.y_logarithmic, small, 56),
      ],
      series: [{}, ...lines.map((line) => series(line, chart))],
      hooks: {
        drawAxes: [(u) => drawBehind(u, chart, lines, small ? all : [])],
        draw: [(u) => drawAhead(u, chart, lines, names)],
        setCursor: [(u) => hover(u, holder, chart, chosen, lines)],
        setSelect: [() => (out.hidden = false)],
      },
    },
    joined(lines, chosen),
    holder,
  );
  const out = button("Zoom out", () => {
    plotted.batch(() => {
      plotted.setScale("x", { min: whole.x[0], max: whole.x[1] });
      plotted.setScale("y", { min: whole.y[0], max: whole.y[1] });
    });
    out.hidden = true;
  });
  out.className = "zoom-out";
  out.hidden = true;
  holder.append(out);
  holder.addEventListener("dblclick", () => out.click());
  holder.plotted = plotted; // for who inspects the page
}

// Room for the marks at both ends.
function padded([least, most], logarithmic) {
  if (logarithmic) return [least * (most / least) ** -0.03, most * (most / least) ** 0.03];
  return [least - 0.03 * (most - least), most + 0.03 * (most - least)];
}

function yRange(lines) {
  const values = lines.flatMap((line) => line.y);
  return [Math.min(...values), Math.max(...values)];
}

function joined(lines, chosen) {
  const tables = lines.map((line) => {
    const at = new Map();
    line.x.forEach((x, i) => (!chosen.logarithmic || x > 0) && at.set(x, line.y[i]));
    return [[...at.keys()], [...at.values()]];
  });
  return uPlot.join(tables);
}

function series(line, chart) {
  return {
    label: line.arm,
    stroke: colourOf(line.look),
    width: 2,
    dash: dashOf(line.look),
    spanGaps: true,
    points: { show: false },
    paths: chart.stepped ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear(),
  };
}

function axis(label, reading, logarithmic, small, size) {
  return {
    label: small ? undefined : label,
    labelSize: small ? 0 : 24,
    labelFont: "12px system-ui, sans-serif",
    font: `${small ? 10 : 11}px system-ui, sans-serif`,
    size: small ? 44 : size,
    stroke: css("--ink"),
    grid: { stroke: css("--line"), width: 1 },
    ticks: { stroke: css("--line"), width: 1, size: 4 },
    splits: (u, i, min, max) => ticksFor(min, max, reading, logarithmic),
    values: (u, splits) => splits.map((tick) => words(tick, reading, 3)),
    filter: (u, splits) => splits,
  };
}

function xAxis(chart, chosen, small) {
  const made = axis(chosen.label, chosen.reading, chosen.logarithmic, small, 30);
  made.size = small ? 24 : 32;
  if (chart.ticks.length) {
    const named = new Map(chart.ticks);
    made.splits = (u, i, min, max) => [...named.keys()].filter((x) => x >= min && x <= max);
    made.values = (u, splits) => splits.map((tick) => named.get(tick));
    if (chart.edges.length) made.grid = made.ticks = { show: false };
  }
  return made;
}

function clipped(u, act) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  act(ctx);
  ctx.restore();
}

function place(u, x, y) {
  return [u.valToPos(x, "x", true), u.valToPos(y, "y", true)];
}

function drawBehind(u, chart, lines, others) {
  clipped(u, (ctx) => {
    for (const line of lines) {
      if (!line.band_x.length) continue;
      ctx.globalAlpha = 0.14;
      ctx.fillStyle = colourOf(line.look);
      ctx.beginPath();
      line.band_x.forEach((x, i) => ctx.lineTo(...place(u, x, line.high[i])));
      [...line.band_x.keys()].reverse().forEach((i) => ctx.lineTo(...place(u, line.band_x[i], line.low[i])));
      ctx.fill();
    }
    ctx.globalAlpha = 1;
    ctx.strokeStyle = css("--line");
    ctx.lineWidth = 1;
    for (const line of others) {
      ctx.beginPath();
      line.x.forEach((x, i) => ctx.lineTo(...place(u, x, line.y[i])));
      ctx.stroke();
    }
    for (const edge of chart.edges) {
      ctx.beginPath();
      ctx.moveTo(place(u, edge, 0)[0], u.bbox.top);
      ctx.lineTo(place(u, edge, 0)[0], u.bbox.top + u.bbox.height);
      ctx.stroke();
    }
    if (!chart.mark) return;
    const [, y] = place(u, 1, chart.mark.value);
    ctx.strokeStyle = ctx.fillStyle = css("--muted");
    ctx.setLineDash([6, 5]);
    ctx.beginPath();
    ctx.moveTo(u.bbox.left, y);
    ctx.lineTo(u.bbox.left + u.bbox.width, y);
    ctx.stroke();
    ctx.font = `${11 * uPlot.pxRatio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillText(chart.mark.label, u.bbox.left + 6, y - 4);
  });
}

function drawAhead(u, chart, lines, names) {
  const ratio = uPlot.pxRatio;
  clipped(u, (ctx) => {
    for (const line of lines) {
      ctx.fillStyle = colourOf(line.look);
      const every = chart.dotted ? 1 : Math.max(1, Math.floor(line.x.length / 6));
      const first = chart.dotted ? 0 : (line.look.number * Math.max(1, Math.floor(every / 4))) % every;
      for (let i = first; i < line.x.length; i += every) {
        drawMarker(ctx, line.look, ...place(u, line.x[i], line.y[i]), 3.4 * ratio);
        ctx.fill();
      }
    }
  });
  if (names.length) drawNames(u, lines, names);
}

function drawNames(u, lines, names) {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const [top, bottom] = [bbox.top, bbox.top + bbox.height];
  const right = bbox.left + bbox.width;
  const ends = lines.map((line, i) => {
    const [x, y] = place(u, line.x.at(-1), line.y.at(-1));
    return { name: names[i], look: line.look, x: Math.min(Math.max(x, bbox.left), right), y: Math.min(Math.max(y, top), bottom) };
  });
  ends.sort((a, b) => a.y - b.y);
  const apart = Math.min(15 * ratio, bbox.height / Math.max(1, ends.length));
  ends.forEach((end, i) => (end.at = i ? Math.max(end.y, ends[i - 1].at + apart) : end.y));
  for (let i = ends.length - 1, most = bottom; i >= 0; i--) most = (ends[i].at = Math.min(ends[i].at, most)) - apart;
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.lineWidth = ratio;
  for (const end of ends) {
    ctx.strokeStyle = colourOf(end.look);
    ctx.beginPath();
    ctx.moveTo(end.x, end.y);
    ctx.lineTo(right + 8 * ratio, end.at);
    ctx.stroke();
    ctx.fillStyle = css("--ink");
    ctx.fillText(end.name, right + 12 * ratio, end.at);
  }
  ctx.restore();
}

const measuring = document.createElement("canvas").getContext("2d");
function textWidth(text) {
  measuring.font = "12px system-ui, sans-serif";
  return measuring.measureText(text).width;
}

function endName(arm, width) {
  const most = width < 500 ? 10 : 22;
  return arm.length <= most ? arm : `${arm.slice(0, most - 1)}...`;
}

function nearest(xs, x) {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] > x) high = middle;
    else low = middle;
  }
  return Math.abs(xs[low] - x) <= Math.abs(xs[high] - x) ? low : high;
}

function hover(u, holder, chart, chosen, lines) {
  const { left, top } = u.cursor;
  if (left < 0) return hideTip(holder);
  const x = u.posToVal(left, "x");
  const found = lines
    .filter((line) => x <= line.x.at(-1) * 1.02 && x >= line.x[0] * 0.98)
    .map((line) => {
      let i = nearest(line.x, x);
      if (chart.stepped && line.x[i] > x && i > 0) i -= 1;
      const band = line.band_x.indexOf(line.x[i]);
      const range = band < 0 ? "" : ` (${words(line.low[band], chart.y_reading)} to ${words(line.high[band], chart.y_reading)})`;
      return { look: line.look, name: line.arm, value: line.y[i], words: words(line.y[i], chart.y_reading) + range };
    })
    .sort((a, b) => b.value - a.value);
  const at = chart.edges.length ? "" : `${chart.x_name || chosen.name} ${words(x, chosen.reading, 3)}`;
  showTip(holder, at, found, left + u.bbox.left / uPlot.pxRatio, top);
}

function showTip(holder, title, entries, left, top) {
  let tip = holder.querySelector(".tip");
  if (!tip) holder.append((tip = element("div", "tip")));
  tip.replaceChildren(element("p", "", title));
  for (const entry of entries) {
    const line = element("p");
    if (entry.look) line.append(swatch(entry.look));
    line.append(element("span", "name", entry.name), element("strong", "", entry.words));
    tip.append(line);
  }
  tip.hidden = entries.length === 0;
  const room = holder.clientWidth - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(left + 14, left > holder.clientWidth / 2 ? left - tip.offsetWidth - 14 : room))}px`;
  tip.style.top = `${Math.max(0, top - 20)}px`;
}

function hideTip(holder) {
  const tip = holder.querySelector(".tip");
  if (tip) tip.hidden = true;
}
