"""What a plug-in does unseen is seen, in real runs; its honest twins are never accused."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from evabench.findings.arms import measured_arms
from evabench.launch.server import LaunchServer
from evabench.records.measurement import ConvergenceSettings, MemorySettings, StepTimeSettings, WarmUpSettings
from evabench.records.request import Request
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import NET, QUIET, SMALL, cell, run

HERE = Path(__file__).parent
TRAINING = ConvergenceSettings(steps=210, evaluate_every=30, schedule="constant")
FEW = ConvergenceSettings(steps=24, evaluate_every=8, schedule="constant")
PILOT = WarmUpSettings(max_seconds=0.05)
TIMING, MEMORY = StepTimeSettings(min_steps=20), MemorySettings()
SGD = SgdSettings(lr=0.1)
NETS = {
    "autoencoder": SMALL,
    "classifier": ClassifierSettings(model="resnet20", data="fashion_mnist_subset", width=0.25, batch=16),
    "language": LanguageSettings(
        data="python_stdlib", context=32, layers=1, heads=2, width=32, batch=8, held_out_windows=8
    ),
}


@pytest.fixture(scope="module")
def server():
    with LaunchServer(layout_seed="lies") as started:
        yield started


def made(server, arm, optimizer, measurements, net=SMALL, seed=1):
    """Return the runs of one arm, one for each kind of measurement."""
    runs = []
    for asked in measurements:
        steps = 20 * asked.timed
        request = cell(arm, asked, optimizer=optimizer, net=net)
        reply = server.perform(Request(cell=request, seed=seed, warmup_steps=steps, timeout_seconds=120))
        assert reply.outcome.completed, reply.outcome
        sweep = {"pilot": 0, "visit": 1}.get({PILOT: "pilot", TIMING: "visit"}.get(asked, ""))
        one = run(arm, asked, reply.measured, optimizer=optimizer, net=net, seed=seed, sweep=sweep)
        runs.append(replace(one, conditions=replace(QUIET, jobs=2)))  # what else this machine does, nobody has read
    return runs


@pytest.fixture(scope="module")
def honest(server):
    """The runs of SGD, made once for each net and measurement."""
    known = {}

    def runs(measurements, net=SMALL):
        for asked in measurements:
            if (asked, repr(net)) not in known:
                known[asked, repr(net)] = made(server, "SGD", SGD, [asked], net)
        return [one for asked in measurements for one in known[asked, repr(net)]]

    return runs


def lie(name):
    return PluginSettings(name=f"{HERE / 'lies.py'}:{name}", options={"lr": 0.1}, takes_model=True)


def failed(runs, arm="Mine"):
    """Return the failed checks of an arm by name; nobody else may fail one."""
    arms = measured_arms(runs)
    assert not [check.sentence for one in arms if one.name != arm for check in one.unequal]
    return {check.name: check for one in arms if one.name == arm for check in one.unequal}


LIES = {
    "IsLightWhereItIsTimed": ("steps of training", (TIMING, TRAINING)),
    "IsHeavyLater": ("steps of training", (TIMING, TRAINING)),
    "IsHeavyAtEvery200thStep": ("steps of training", (TIMING, TRAINING)),
    "WaitsInTraining": ("clock of training", (TIMING, TRAINING)),
    "IsHeavyInEvaluations": ("time of evaluations", (FEW,)),
    "TrainsWhenItIsMade": ("initial weights", (FEW,)),
    "TrainsInEvaluations": ("evaluations", (FEW,)),
    "TrainsOnValidationData": ("passes", (FEW,)),
    "FeedsItsFirstBatchAgain": ("inputs", (FEW,)),
    "FeedsHalfABatch": ("inputs", (FEW,)),
    "ChangesTheData": ("data", (FEW,)),
    "HoldsArrays": ("hidden memory", (FEW,)),
    "HoldsGlobals": ("hidden memory", (FEW,)),
    "HoldsAProcess": ("hidden memory", (FEW,)),
    "HasStateLater": ("late state", (FEW, MEMORY)),
    "ComputesInAProcess": ("processes", (TRAINING,)),
    "ComputesInAThread": ("threads", (TIMING,)),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_seen_and_named(server, honest, name):
    check, measurements = LIES[name]
    runs = [*honest(measurements), *made(server, "Mine", lie(name), measurements)]
    if check == "clock of training":  # the wall clock of a run that was alone
        runs = [replace(one, conditions=QUIET) for one in runs]
    found = failed(runs)
    assert check in found
    assert found[check].sentence.startswith("Mine on autoencoder ")


def test_a_net_that_computes_less_in_a_step_than_its_passes_take_is_seen(server, honest):
    found = failed([*honest((PILOT,), NET), *made(server, "Mine", lie("SkipsMostOfTheBatch"), (PILOT,), NET)])
    assert "passes alone" in found


@pytest.mark.parametrize("name", ["IsHeavyAtItsOwnRate", "IsHeavyWhileGarbageIsCollected"])
def test_what_is_heavy_where_it_trains_is_heavy_where_it_is_timed(server, honest, name):
    runs = [*honest((TIMING, TRAINING)), *made(server, "Mine", lie(name), (TIMING, TRAINING))]
    assert not failed(runs)
    mine, sgd = (next(one for one in measured_arms(runs) if one.name == arm) for arm in ("Mine", "SGD"))
    assert mine.amortised_seconds > 2 * sgd.amortised_seconds


TWINS = {
    "Sgd": {"lr": 0.1},
    "AdamW": {"lr": 0.01},
    "eva": {"lr": 0.03},
    "eva_f": {"lr": 0.03},
    "eva_s": {"lr": 0.03},
    "kfac": {"lr": 0.03, "refresh_every": 5},
    "foof": {"lr": 0.03, "refresh_every": 5},
    "shampoo": {"lr": 0.03, "refresh_every": 5},
    "mfac": {"lr": 0.01},
    "torch_muon": {"lr": 0.01},
}
EVERYTHING = (PILOT, TIMING, replace(TRAINING, steps=60), MEMORY)
MANY = [(twin, net, seed) for (twin, net), seed in product(product(TWINS, NETS), (1, 2, 3, 4))][:100]
TEN = [(twin, net, 1) for twin, net in zip(TWINS, [*NETS] * 4, strict=False)]


def is_accused(server, honest, twin, net, seed):
    options = TWINS[twin]
    optimizer = PluginSettings(
        name=f"{HERE / 'twins.py'}:{twin}",
        options=options,
        takes_model=True,
        refresh_every=options.get("refresh_every", 1),
    )
    runs = made(server, "Mine", optimizer, EVERYTHING, NETS[net], seed)
    arms = measured_arms([*honest(EVERYTHING, NETS[net]), *runs])
    return [check.sentence for arm in arms for check in arm.unequal]


@pytest.mark.parametrize(("twin", "net", "seed"), TEN)
def test_an_honest_twin_is_not_accused(server, honest, twin, net, seed):
    assert not is_accused(server, honest, twin, net, seed)


@pytest.mark.long
@pytest.mark.parametrize(("twin", "net", "seed"), MANY)
def test_no_honest_twin_of_a_hundred_is_accused(server, honest, twin, net, seed):
    assert not is_accused(server, honest, twin, net, seed)
