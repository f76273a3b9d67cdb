// Arms: which are shown, and what tells each one from all others. Dash and marker are those of the pictures.

const DASHES = [[], [8, 4], [2, 3], [9, 3, 2, 3]];
const MARKERS = ["circle", "square", "up", "diamond", "down", "plus", "cross", "star"];
const arms = { looks: new Map(), hidden: new Set(), listeners: [] };

function isShown(arm) {
  return !arms.hidden.has(arm);
}

function showArms(names, shown) {
  for (const arm of names) {
    if (shown) arms.hidden.delete(arm);
    else arms.hidden.add(arm);
  }
  arms.listeners.forEach((tell) => tell());
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function colourOf(look) {
  return css(`--family-${look.family}`);
}

function dashOf(look) {
  return DASHES[look.number % DASHES.length];
}

function drawMarker(ctx, look, x, y, r) {
  const kind = MARKERS[(look.number + Math.floor(look.number / DASHES.length)) % MARKERS.length];
  const corners = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    up: [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]],
    down: [[0, 1.2], [1.1, -0.9], [-1.1, -0.9]],
    diamond: [[0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]],
    plus: [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
    cross: [[-1.2, -0.7], [-0.7, -1.2], [0, -0.5], [0.7, -1.2], [1.2, -0.7], [0.5, 0], [1.2, 0.7], [0.7, 1.2], [0, 0.5], [-0.7, 1.2], [-1.2, 0.7], [-0.5, 0]],
    star: Array.from({ length: 10 }, (_, i) => {
      const far = i % 2 ? 0.6 : 1.4;
      return [far * Math.sin((i * Math.PI) / 5), -far * Math.cos((i * Math.PI) / 5)];
    }),
  }[kind];
  ctx.beginPath();
  if (corners) corners.forEach(([dx, dy], i) => (i ? ctx.lineTo(x + r * dx, y + r * dy) : ctx.moveTo(x + r * dx, y + r * dy)));
  else ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.closePath();
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  canvas.setAttribute("aria-hidden", "true");
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  return [canvas, ctx];
}

function swatch(look) {
  const [canvas, ctx] = canvasOf(34, 12);
  canvas.className = "swatch";
  ctx.strokeStyle = ctx.fillStyle = colourOf(look);
  ctx.lineWidth = 2;
  ctx.setLineDash(dashOf(look));
  ctx.beginPath();
  ctx.moveTo(1, 6);
  ctx.lineTo(33, 6);
  ctx.stroke();
  drawMarker(ctx, look, 17, 6, 3.5);
  ctx.fill();
  return canvas;
}

function markerOf(look) {
  const [canvas, ctx] = canvasOf(12, 12);
  canvas.className = "marker";
  ctx.fillStyle = colourOf(look);
  drawMarker(ctx, look, 6, 6, 4);
  ctx.fill();
  return canvas;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(text, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
