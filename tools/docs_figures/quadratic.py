"""docs/mechanism.md: rates on a quadratic, from the runs of suite `quadratic`."""

from collections.abc import Iterator

from evabench.findings.arm import MeasuredArm
from evabench.findings.findings import make_findings
from evabench.settings.quadratics import QuadraticSettings
from evabench.stats.rates import steps_to_a_tenth
from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import runs_of

_NETS = ("condition-10", "condition-100", "condition-1000", "condition-100, no mean")
_ARMS = ("SGD", "SGD, momentum 0.9", "Eva", "Eva-f", "Eva-s", "K-FAC", "FOOF", "Shampoo@10")


def computed() -> Iterator[Computed]:
    """Yield the table of rates."""
    arms = {(arm.workload_name, arm.name): arm for arm in make_findings(runs_of("quadratic")).arms}
    gradient_descent = arms["condition-1000", "SGD"].workload
    best = arms["condition-1000", "Eva-f"].best_rate
    assert isinstance(gradient_descent, QuadraticSettings)
    assert best is not None
    yield ComputedWords(
        page="mechanism.md",
        text=(
            f"at k = 1000 it needs {steps_to_a_tenth(best.contraction):.0f} steps to a tenth of the excess loss, "
            f"gradient descent {steps_to_a_tenth(gradient_descent.gradient_descent_rate):.0f}"
        ),
    )
    theory = [arms[net, "SGD"].workload for net in _NETS]
    yield ComputedTable(
        page="mechanism.md",
        heading=("arm", "k = 10", "k = 100", "k = 1000", "k = 100, no mean"),
        rows=[
            (
                "theory of gradient descent",
                *(f"{net.gradient_descent_rate:.4f}" for net in theory if isinstance(net, QuadraticSettings)),
            ),
            *((name, *(_rate(arms[net, name]) for net in _NETS)) for name in _ARMS),
        ],
    )


def _rate(arm: MeasuredArm) -> str:
    best = arm.best_rate
    assert best is not None
    words = f"{best.contraction:.4f}"
    if best.interval is not None:
        ends = f"{best.interval.low:.4f}", f"{best.interval.high:.4f}"
        if ends != (words, words):
            words += f" [{ends[0]}, {ends[1]}]"
    return f"{words} (edge of the grid)" if best.at_edge else words
