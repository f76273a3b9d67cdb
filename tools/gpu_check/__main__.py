"""Runs the checks: `python -m tools.gpu_check`, or `make gpu-check PYTHON=... PART=...`."""

import argparse
import sys
from pathlib import Path
from time import perf_counter

from tools.gpu_check import results
from tools.gpu_check.bench import Bench
from tools.gpu_check.checks import CHECKS, MINUTES, PARTS
from tools.gpu_check.perform import perform


def main() -> int:
    """Make the chosen checks that have no answer yet, and write the report."""
    options = _options()
    bench = Bench(device_name=options.device, out=options.out)
    bound = 60 * (options.minutes or MINUTES * max(1, len(options.part or ())))
    begun = perf_counter()
    done = {} if options.again else results.read(options.out)
    chosen = [
        check
        for check in CHECKS
        if (not options.part or check.part in options.part) and (not options.check or check.name in options.check)
    ]
    if options.check:
        chosen.sort(key=lambda check: options.check.index(check.name))
    any_begun = False
    for check in chosen:
        before = done.get(check.name)
        if before and before["answer"] != "failed" and before["device"] == options.device:
            print(f"{check.part:12} {check.name:28} {before['answer']} (before)", flush=True)
            continue
        elapsed = perf_counter() - begun
        if any_begun and elapsed + check.seconds > bound:
            print(f"{check.part:12} {check.name:28} not reached: repeat the command to go on", flush=True)
            continue
        any_begun = True
        line = perform(check, bench, options.start)
        results.append(options.out, line)
        known = results.read(options.out)
        results.write_report(options.out, [known[one.name] for one in CHECKS if one.name in known])
        words = line.get("figure") or line.get("error", "")
        print(f"{check.part:12} {check.name:28} {line['answer']} ({line['seconds']} s) {words[:400]}", flush=True)
    print(f"{perf_counter() - begun:.0f} s; {options.out / results.LINES}, {options.out / results.REPORT}", flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gpu_check", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part; may be given again")
    parser.add_argument(
        "--check",
        action="append",
        choices=[check.name for check in CHECKS],
        help="only this check; several are made in the order given",
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: a dry run of the logic")
    parser.add_argument(
        "--minutes",
        type=float,
        help=f"begin no check that may end after so many (default {MINUTES:g} a part)",
    )
    parser.add_argument("--again", action="store_true", help="make checks again that have an answer")
    parser.add_argument("--out", type=Path, default=Path("results/gpu-check"), help="folder of lines and report")
    parser.add_argument("--start", choices=("fork", "spawn"), default="fork", help="how a check gets its process")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
