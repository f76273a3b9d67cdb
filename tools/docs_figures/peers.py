"""docs/baselines.md: public implementations beside ours, from the runs of suite `peers`."""

from collections.abc import Iterator
from statistics import median

from evabench.findings.arm import MeasuredArm
from evabench.findings.findings import make_findings
from evabench.units import format_ratio
from tools.docs_figures.page import Computed, ComputedTable, ComputedWords
from tools.docs_figures.stored import runs_of

_NETS = {"autoencoder-half": 3, "resnet20-half": 2}  # decimals of the loss
_ROWS = (
    "SGD",
    "AdamW",
    "K-FAC@1, expand",
    "ASDL K-FAC@1",
    "K-FAC@10, expand",
    "ASDL K-FAC@10",
    "K-FAC@1, reduce",
    "K-FAC@10, reduce",
    "SINGD@10",
    "Shampoo@1, plain",
    "pytorch-optimizer Shampoo@1",
    "Shampoo@10, plain",
    "pytorch-optimizer Shampoo@10",
    "Shampoo@10, blocks of 512",
    "pytorch-optimizer ScalableShampoo@10",
    "pytorch-optimizer SOAP@10",
    "heavyball SOAP@10",
    "heavyball PSGD-Kron@10",
    "heavyball Muon",
    "torch Muon",
)


def computed() -> Iterator[Computed]:
    """Yield the table of the suite itself."""
    arms = {(arm.workload_name, arm.name): arm for arm in make_findings(runs_of("peers")).arms}
    sgd, adamw = (
        [1e3 * seconds for seconds in arms["autoencoder-half", name].step_seconds.values()] for name in ("SGD", "AdamW")
    )
    yield ComputedWords(
        page="baselines.md",
        text=(
            f"a step of SGD took {min(sgd):.1f} to {max(sgd):.1f} ms and one of AdamW {min(adamw):.1f} to "
            f"{max(adamw):.1f}"
        ),
    )
    yield ComputedTable(
        page="baselines.md",
        heading=(
            "",
            "autoencoder 784-500-250-125-30, batch 250: step over SGD",
            "peak",
            "loss",
            "half ResNet-20, batch 50: step over SGD",
            "peak",
            "loss",
        ),
        rows=[
            (
                f"ours, {name}" if name.startswith(("K-FAC", "Shampoo")) else name,
                *(cell for net, digits in _NETS.items() for cell in _cells(arms[net, name], arms[net, "SGD"], digits)),
            )
            for name in _ROWS
        ],
    )


def _cells(arm: MeasuredArm, sgd: MeasuredArm, digits: int) -> tuple[str, str, str]:
    memory = arm.memory
    assert memory is not None
    peak = f"{memory.peak.total / 2**20:.1f}"
    losses = [loss for loss in arm.final_losses if loss is not None]
    loss = f"{median(losses):.{digits}f}" if losses else "not trained"
    if arm.final_losses and len(losses) < 3:
        loss += f" ({len(losses)} seeds)"
    if arm is sgd:
        return f"1 ({1e3 * (sgd.amortised_seconds or 0):.1f} ms)", f"{peak} MiB", loss
    ratio = arm.step_over(sgd)
    assert ratio is not None
    if len(arm.visits) == 1:  # its SVD stopped with an error in the other sweeps
        return f"{ratio.estimate:.0f} (one sweep; {_num_crashed(arm)} crashed)", peak, loss
    assert ratio.interval is not None
    return format_ratio(ratio.estimate, ratio.interval.low, ratio.interval.high).replace("x", ""), peak, loss


def _num_crashed(arm: MeasuredArm) -> int:
    (words,) = (one for one in arm.excluded if "timing" in one)
    return int(words.split(": ")[-1].split()[0])
