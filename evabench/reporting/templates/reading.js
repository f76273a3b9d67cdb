// Numbers as people read them, and back again for sorting.

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const TIME_UNITS = [[1, "s"], [1e-3, "ms"], [1e-6, "us"], [1e-9, "ns"]];
const SIZES = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, J: 1, mJ: 1e-3 };

function digits(value, count) {
  const rounded = Number(value.toPrecision(count));
  return Math.abs(rounded) >= 1e6 ? rounded.toExponential().replace("e+", "e") : String(rounded);
}

function words(value, reading, count = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  if (reading === "bytes") {
    let unit = 0;
    while (Math.abs(value) >= 1024 && unit < BYTE_UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
    return `${digits(value, count)} ${BYTE_UNITS[unit]}`;
  }
  if (reading === "seconds") {
    const [scale, unit] = TIME_UNITS.find(([scale]) => Math.abs(value) >= scale) || TIME_UNITS[0];
    return `${digits(value / scale, count)} ${unit}`;
  }
  if (reading === "joules") return Math.abs(value) >= 1 ? `${digits(value, count)} J` : `${digits(1e3 * value, count)} mJ`;
  if (reading === "share") return `${digits(100 * value, count)} %`;
  return digits(value, count) + (reading === "ratio" ? "x" : "");
}

// Ticks of a logarithmic axis: the fewer digits are named, the more decades there are.
function logTicks(min, max) {
  const decades = Math.log10(max / min);
  const subs = decades < 1 ? [1, 1.5, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
  const found = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++)
    for (const sub of subs) {
      const tick = Number((sub * 10 ** power).toPrecision(6));
      if (tick >= min * 0.999 && tick <= max * 1.001) found.push(tick);
    }
  return found.length > 1 ? found : linearTicks(min, max);
}

function linearTicks(min, max) {
  const rough = (max - min) / 5 || 1;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((sub) => sub * size).find((one) => one >= rough);
  const found = [];
  for (let place = Math.ceil(min / step - 1e-9); place * step <= max * (1 + 1e-9) + 1e-300; place++)
    found.push(Number((place * step).toPrecision(10)));
  return found;
}

// Ticks of an axis of bytes: multiples, or powers, of two.
function byteTicks(min, max, logarithmic) {
  const found = [];
  if (!logarithmic) {
    const step = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(max - min, 1) / 6)));
    for (let at = Math.ceil(min / step) * step; at <= max; at += step) found.push(at);
    return found;
  }
  const [first, last] = [Math.ceil(Math.log2(Math.max(min, 1))), Math.floor(Math.log2(max))];
  const stride = Math.max(1, Math.ceil((last - first) / 6));
  for (let power = first; power <= last; power += stride) found.push(2 ** power);
  return found;
}

function ticksFor(min, max, reading, logarithmic) {
  if (reading === "bytes") return byteTicks(min, max, logarithmic);
  return logarithmic ? logTicks(min, max) : linearTicks(min, max);
}

// What a cell of a table is sorted by: its first number in base units; a miss is later than any, a dash is last.
function sortValue(text) {
  const cell = text.trim();
  if (cell === "-" || cell === "") return null;
  if (/^missed/.test(cell)) return Infinity;
  const found = /^(-?[\d,]*\.?\d+(?:e[+-]?\d+)?)\s*(ns|us|ms|mJ|s|[KMGT]iB|B|J|k|M|G|T)?(?![A-Za-z])/.exec(cell);
  return found ? Number(found[1].replaceAll(",", "")) * (SIZES[found[2]] || 1) : cell.toLowerCase();
}
