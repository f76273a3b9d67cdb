"""How each command of the pages is run by the tests: every one is here, and nothing else is."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class How:
    """`quick` in `make test`, `long` in `make test-long`, `never` for a reason."""

    when: str
    instead: str = ""  # what is run in its place: the same, in small
    reason: str = ""  # of `never`; of `instead`, what is smaller
    codes: tuple[int, ...] = (0,)


QUICK = How("quick")
LONG = How("long")
# 1 is a regression and nothing else: it would be one here. 4 and 5 are answers about the machine.
NO_GPU = How("never", reason="no GPU here; tests/standin_device trains whole suites on a device of its own")
QUIET = How("never", reason="what it answers rests on how quiet the machine is, for an hour; tests/gate has its flow")
ITSELF = How("never", reason="it runs this test, or is what runs it")

COMMANDS: Mapping[str, How] = {
    # README.md
    "make quickstart": LONG,
    "make test": ITSELF,
    "evabench run quickstart --jobs 2": LONG,
    "evabench run quickstart --dry-run": LONG,
    "evabench doctor": How("long", "evabench doctor --pairs 2", "2 pairs instead of 8"),
    "evabench list": QUICK,
    "evabench show quickstart": LONG,
    "evabench report quickstart": LONG,
    "evabench gate --base main": QUIET,
    # docs/tutorial.md
    "python3 -m venv .venv && . .venv/bin/activate": ITSELF,
    "pip install ./evabench": How("never", reason="it downloads torch; tests/cli/test_wheel.py installs a wheel"),
    "evabench run mine.toml --dry-run": LONG,
    "evabench run mine.toml --jobs 2 --no-repeat": LONG,
    "evabench report mine.toml": LONG,
    "evabench run mine.toml --tune --jobs 2": LONG,
    # docs/how-to/
    "evabench gate bench/gate.toml --refresh-baseline": LONG,
    "evabench gate bench/gate.toml --counted": LONG,
    "evabench gate bench/gate.toml --base main": QUIET,
    "evabench show memory --runs results/reference/memory/runs.jsonl": QUICK,
    "evabench report memory --runs results/reference/memory/runs.jsonl": QUICK,
    "evabench compare SGD AdamW --by arm --runs results/reference/peers": QUICK,
    "evabench run mine.toml": LONG,
    "evabench run cifar --tier smoke --device cuda": NO_GPU,
    "evabench report cifar --device cuda": NO_GPU,
    "make gpu-check PYTHON=python3": NO_GPU,
    "evabench export results/reference/peers --format csv": QUICK,
    "evabench export results/reference/peers --what ratios --metric step --format latex": QUICK,
    # docs/gate.md
    "evabench gate --working-tree": QUIET,
    "evabench gate --counted": How("never", reason="`.ci/run` makes it"),
    "evabench gate --refresh-baseline": How("never", reason="it would write a baseline; its how-to's is run"),
    "evabench gate --self-test": QUIET,
    "evabench gate bench/gate.toml --project ../mine --base v1.2": QUIET,
    # docs/gpu.md
    "evabench run cifar --tier paper --device cuda": NO_GPU,
    "make gpu-check PYTHON=python3 PART=clock": NO_GPU,
    'make gpu-check PYTHON=python3 PART="environment clock"': NO_GPU,
    # docs/measurement.md
    "evabench doctor --pairs 30": How("never", reason="`evabench doctor` with another number, for minutes"),
    "python tools/bare_loop.py --pairs 30": How(
        "long", "python tools/bare_loop.py --pairs 2", "2 pairs instead of 30, which decide nothing", codes=(0, 1, 4)
    ),
    "evabench profile quickstart mlp K-FAC@10 --against Eva": LONG,
    "make bench": How("never", reason="an hour of measuring, which asserts nothing that holds on a busy machine"),
    "python -m pytest tests/benchmarks/test_parent.py --benchmark-enable --benchmark-only -s": How(
        "never", reason="minutes of measuring, as `make bench`; tests/runner/test_large_store.py has its claims"
    ),
    "python tools/harness_overhead.py": How("long", codes=(0, 1)),  # 1, also below: a busy machine missed a limit
    "python tools/phase_shares.py": How("long", codes=(0, 1)),
    # docs/mechanism.md
    "evabench run mechanism && evabench report mechanism": How(
        "long", "evabench run mechanism --tier smoke && evabench report mechanism", "tier smoke"
    ),
    "evabench run quadratic && evabench report quadratic": How(
        "long", "evabench run quadratic --tier smoke && evabench report quadratic", "tier smoke"
    ),
    # docs/claims.md
    "evabench claims": QUICK,
    "evabench claims quickstart": LONG,
    "evabench claims --runs results/reference": How("long", codes=(0, 3)),
    "evabench claims quickstart --fail-on-refuted": How("long", codes=(0, 1)),
    # docs/json.md
    "evabench list --json": QUICK,
    "evabench show quickstart --json --quiet": LONG,
    "evabench claims quickstart --json --quiet > verdicts.json": LONG,
    # docs/results.md
    "evabench show quadratic --runs results/reference/quadratic": How("quick", codes=(0, 3)),
    "evabench report memory --runs results/reference/memory --figures pdf": LONG,
    "evabench export quickstart --format csv": QUICK,
    "evabench export quickstart --what ratios --metric step --format latex": QUICK,
    "evabench export quickstart --format tensorboard --output runs": QUICK,
    "evabench compare results/reference/peers my-results/peers": QUICK,
    # docs/workloads.md
    "for suite in ci cifar memory damping tricks imagenet peers descent scaling work; do "
    "evabench run $suite --tier smoke || break; done": LONG,
}
