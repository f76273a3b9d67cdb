"""Replays gates on recorded pairs of equal sides: what the rules are worth on a real, loaded machine.

    python -m tools.gate_replay [--gates 100000] [FILE]

A gate is drawn by the block bootstrap: blocks of 10 adjacent pairs, which begin at an even place so that the orders
alternate as they did, until there are 29 pairs and 29 for the confirmation. Which of the equal sides is called the head
is drawn for each gate, and changes for the confirmation, as the folders do. A slow-down is planted by adding its
logarithm. The windows that do not overlap are replayed too, each once: their rate is printed with its one-sided 95 %
bound (Clopper-Pearson). Other gates decide on the same visits, at 9 of each side:

    asv             Mann-Whitney p < .002, and medians that differ by more than 10 %
    pytest-bench.   the smallest time of a side is more than 5 % above that of the other
    plain 7 %       medians that differ by more than 7 %
"""

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, mannwhitneyu

from evabench.gate.rules import CPU_FLOOR_SECONDS, OWN_TIME, STEP, Margins
from tools.gate_pairs import OUT
from tools.gate_simulation import CONFIRMED, MAX_PAIRS, NOT_CONFIRMED, PASSED, UNDECIDED, Ends, gates, noise

Floats = npt.NDArray[np.float64]
BLOCK = 10
MIN_PAIRS = 2 * MAX_PAIRS  # fewer are one stretch of time, drawn again and again
SLOWDOWNS = (0.0, 0.05, 0.10, 0.20)
NUM_CELLS = (1, 4, 10)  # of a gate: each has both timed layers; the default gate has four
_SEED, _CHUNK, _FEW = 20230804, 20_000, 9


def read_pairs(path: Path, layer: str) -> Floats:
    """Return [pairs, 2]: seconds of base and head, those with the base first at the even places; no failed ones."""
    lines = [json.loads(line)[layer] for line in path.read_text().splitlines()]
    found = {first: [one for one in lines if one.get("base_first") is first] for first in (True, False)}
    rows = [one for pair in zip(found[True], found[False], strict=False) for one in pair]
    return np.array([[one["base_seconds"], one["head_seconds"]] for one in rows], dtype=np.float64)


def drawn(random: np.random.Generator, num_pairs: int, num_gates: int, wanted: int) -> npt.NDArray[np.int64]:
    """Return [gates, wanted] places of pairs, in blocks of neighbours."""
    starts = 2 * random.integers(0, (num_pairs - BLOCK) // 2 + 1, (num_gates, -(-wanted // BLOCK)))
    places = starts[:, :, None] + np.arange(BLOCK)
    return places.reshape(num_gates, -1)[:, :wanted]


def bootstrap(
    logs: Floats, slowdown: float, num_gates: int, num_tests: int, margins: Margins, least_rise: float = 0.0
) -> Ends:
    """Return how so many drawn gates end."""
    random, parts = np.random.default_rng(_SEED), []
    for start in range(0, num_gates, _CHUNK):
        size = min(_CHUNK, num_gates - start)
        sign = random.choice((-1.0, 1.0), (size, 1))
        first, again = (logs[drawn(random, len(logs), size, MAX_PAIRS)] for _ in range(2))
        first, again = (rows + np.log1p(slowdown) for rows in (sign * first, -sign * again))
        parts.append(gates(first, again, num_tests=num_tests, margins=margins, least_rise=least_rise))
    return Ends(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("answers", "num_pairs")))


def too_noisy(logs: Floats, num_gates: int, margins: Margins) -> float:
    """Return the share of drawn gates whose pairs differ too much, at the last look, for a pass to exclude anything."""
    random = np.random.default_rng(_SEED)
    sd = noise(logs[drawn(random, len(logs), num_gates, MAX_PAIRS)])
    return float(np.mean(2 * sd > margins.most))


def windows(logs: Floats, margins: Margins) -> tuple[int, int, float]:
    """Return false regressions, windows, and the one-sided 95 % bound of the rate, of windows that do not overlap."""
    length = 2 * (MAX_PAIRS + 1)  # even, so that each begins with the base first
    rows = [logs[start : start + length] for start in range(0, len(logs) - length + 1, length)]
    if not rows:
        return 0, 0, 1.0
    table = np.array(rows)
    ends = gates(table[:, :MAX_PAIRS], -table[:, MAX_PAIRS + 1 : 2 * MAX_PAIRS + 1], margins=margins)
    failed = int(np.sum(ends.answers == CONFIRMED))
    bound = 1.0 if failed == len(rows) else float(beta.ppf(0.95, failed + 1, len(rows) - failed))
    return failed, len(rows), bound


def others(pairs: Floats, slowdown: float, num_gates: int) -> dict[str, float]:
    """Return the share of gates in which other rules call the head slower."""
    random = np.random.default_rng(_SEED)
    chosen = pairs[drawn(random, len(pairs), num_gates, _FEW)]
    swapped = random.random(num_gates) < 0.5
    chosen[swapped] = chosen[swapped][:, :, ::-1]
    base, head = chosen[:, :, 0], chosen[:, :, 1] * (1 + slowdown)
    medians = np.median(head, axis=1) / np.median(base, axis=1)
    p = mannwhitneyu(head, base, axis=1, alternative="two-sided").pvalue
    return {
        "asv": float(np.mean((p < 0.002) & (medians > 1.10))),
        "pytest-benchmark": float(np.mean(head.min(axis=1) > 1.05 * base.min(axis=1))),
        "plain 7 %": float(np.mean(medians > 1.07)),
    }


def table(path: Path, num_gates: int) -> str:
    """Return what all gates do on the recorded pairs, as Markdown; shares in per cent."""
    lines = [
        "| layer | cells | true | found | found at 9 | passed | inconclusive | mean pairs |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    notes = []
    for layer, margins in (("step", STEP), ("own_time", OWN_TIME)):
        pairs = read_pairs(path, layer)
        if len(pairs) < MIN_PAIRS:
            raise SystemExit(f"{path}: {len(pairs)} pairs; a replay draws gates of 58 from at least {MIN_PAIRS}")
        logs = np.log(pairs[:, 1] / pairs[:, 0])
        extra = (0.25,) if layer == "own_time" else ()
        least_rise = CPU_FLOOR_SECONDS / float(np.median(pairs[:, 0]))
        for num_cells in NUM_CELLS:
            for slowdown in (*SLOWDOWNS, *extra):
                ends = bootstrap(logs, slowdown, num_gates, 2 * num_cells, margins, least_rise)
                undecided = ends.share(UNDECIDED) + ends.share(NOT_CONFIRMED)
                shares = (ends.share(CONFIRMED), ends.share(CONFIRMED, within=9), ends.share(PASSED), undecided)
                words = " | ".join(f"{100 * share:.2f}" for share in shares)
                lines.append(f"| {layer} | {num_cells} | {slowdown:+.0%} | {words} | {ends.num_pairs.mean():.1f} |")
        failed, num_windows, bound = windows(logs, margins)
        noisy = too_noisy(logs, min(num_gates, 20_000), margins)
        notes.append(f"{layer}: 29 pairs are too noisy to gate in {noisy:.1%} of the gates.")
        notes.append(f"{layer}: {failed} false regressions in {num_windows} windows apart; at most {bound:.1%} (95 %).")
    pairs = read_pairs(path, "step")
    for slowdown in SLOWDOWNS:
        found = others(pairs, slowdown, min(num_gates, 20_000))
        notes.append(
            f"{slowdown:+.0%}, slower by: " + ", ".join(f"{name} {share:.1%}" for name, share in found.items())
        )
    return "\n".join([f"{len(pairs)} pairs.", "", *lines, "", *notes])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Replay gates on recorded pairs.")
    parser.add_argument("file", type=Path, nargs="?", default=OUT)
    parser.add_argument("--gates", type=int, default=100_000)
    asked = parser.parse_args()
    print(table(asked.file, asked.gates))


if __name__ == "__main__":
    main()
