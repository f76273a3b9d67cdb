"""What a plug-in does unseen is seen, in real runs; its honest twins are never accused."""

from dataclasses import replace
from pathlib import Path

import pytest

from evabench.findings.arms import measured_arms
from evabench.launch.server import LaunchServer
from evabench.records.measurement import ConvergenceSettings, MemorySettings, StepTimeSettings, WarmUpSettings
from evabench.records.request import Request
from evabench.settings.autoencoders import AutoencoderSettings
from evabench.settings.classifiers import ClassifierSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import NET, QUIET, SMALL, cell, run

HERE = Path(__file__).parent
TRAINING = ConvergenceSettings(steps=210, evaluate_every=30, schedule="constant")
SHORT = replace(TRAINING, steps=60)
FEW = ConvergenceSettings(steps=24, evaluate_every=8, schedule="constant")
PILOT = WarmUpSettings(max_seconds=0.05)
TIMING, MEMORY = StepTimeSettings(min_steps=20), MemorySettings()
SGD = SgdSettings(lr=0.1)
# For what is no matter of time: there a step has to take longer than what a machine adds.
TINY = AutoencoderSettings(widths=(64, 16, 4), data="digits", batch=50)
NETS = {
    "autoencoder": SMALL,
    "classifier": ClassifierSettings(model="resnet20", data="digits", width=0.25, batch=16),
    "language": LanguageSettings(
        data="python_stdlib", context=16, layers=1, heads=2, width=32, batch=8, held_out_windows=8
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
    """The runs of SGD, made once for each net, measurement and seed."""
    known = {}

    def runs(measurements, net=SMALL, seed=1):
        for asked in measurements:
            if (asked, repr(net), seed) not in known:
                known[asked, repr(net), seed] = made(server, "SGD", SGD, [asked], net, seed)
        return [one for asked in measurements for one in known[asked, repr(net), seed]]

    return runs


def lie(name, file="lies.py"):
    return PluginSettings(name=f"{HERE / file}:{name}", options={"lr": 0.1}, takes_model=True)


def failed(runs, arm="Mine"):
    """Return the failed checks of an arm by name; nobody else may fail one."""
    arms = measured_arms(runs)
    assert not [check.sentence for one in arms if one.name != arm for check in one.unequal]
    return {check.name: check for one in arms if one.name == arm for check in one.unequal}


LIES = {  # the checks that it fails, among others, and what has to be measured
    "IsLightWhereItIsTimed": ({"steps of training"}, (TIMING, SHORT)),
    "IsHeavyWhereItIsTimed": ({"timed steps"}, (TIMING, SHORT)),
    "IsHeavyLater": ({"steps of training"}, (TIMING, TRAINING)),
    "IsHeavyAtEvery200thStep": ({"steps of training"}, (TIMING, TRAINING)),
    "WorksRarely": ({"rare steps"}, (TIMING, TRAINING)),
    "WaitsInTraining": ({"clock of training"}, (TIMING, TRAINING)),
    "IsHeavyInEvaluations": ({"time of evaluations"}, (FEW,)),
    "HoldsArrays": ({"hidden memory"}, (FEW,)),
    "HoldsGlobals": ({"hidden memory"}, (FEW,)),
    "HoldsAProcess": ({"hidden memory"}, (FEW,)),
    "HasStateLater": ({"late state"}, (FEW, MEMORY)),
    "NeedsMemoryRarely": ({"rare memory"}, (FEW, MEMORY)),
    "ComputesInAProcess": ({"processes"}, (TRAINING,)),
    "ComputesInAThread": ({"threads"}, (TIMING,)),
}
LIES_ABOUT_LOSSES = {
    "TrainsWhenItIsMade": {"initial weights", "initial loss", "first batch"},
    "TrainsBeforeItsFirstStep": {"first batch", "loss of a step"},
    "LearnsBeforeItBegins": {"making"},
    "DrawsOtherSamples": {"order of samples", "batches", "first batch"},
    "SeesEasierBatches": {"batches", "first batch"},
    "WritesIntoItsBatch": {"inputs", "loss of a step"},
    "FeedsItsFirstBatchAgain": {"inputs", "loss of a step"},
    "FeedsHalfABatch": {"inputs", "loss of a step"},
    "FeedsHalfABatchInside": {"loss of a step"},
    "TrainsOnValidationData": {"passes"},
    "TrainsOnValidationDataByLayers": {"passes"},
    "TrainsInEvaluations": {"evaluations"},
    "ComesBackElsewhere": {"evaluations"},
    "AnswersForItsNet": {"judged net"},
    "ChangesTheData": {"data"},
    "SetsItsProcess": {"switches"},
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_costs_is_seen_and_named(server, honest, name):
    checks, measurements = LIES[name]
    net = TINY if FEW in measurements else SMALL
    runs = [*honest(measurements, net), *made(server, "Mine", lie(name), measurements, net)]
    if name == "WaitsInTraining":  # the wall clock of a run that was alone
        runs = [replace(one, conditions=QUIET) for one in runs]
    assert_named(checks, failed(runs))


@pytest.mark.parametrize("name", LIES_ABOUT_LOSSES)
def test_a_lie_about_losses_is_seen_and_named(server, honest, name):
    mine = made(server, "Mine", lie(name, "lies_about_losses.py"), (FEW,), TINY)
    assert_named(LIES_ABOUT_LOSSES[name], failed([*honest((FEW,), TINY), *mine]))


def assert_named(checks, found):
    assert checks <= found.keys()
    assert all(found[check].sentence.startswith("Mine on autoencoder ") for check in checks)


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
    "ScheduleFree": {"lr": 0.3},
}
OTHERS = {  # of other packages, as a user names them: options, and whether they are made of the model
    "torch.optim:NAdam": ({"lr": 0.002}, False),
    "pytorch_optimizer:SOAP": ({"lr": 0.003, "precondition_frequency": 5}, False),
    "pytorch_optimizer:ScheduleFreeAdamW": ({"lr": 0.01}, False),
    "pytorch_optimizer:Lion": ({"lr": 0.001}, False),
    "evabench.peers.pytorch_optimizer:scalable_shampoo": ({"lr": 0.03, "refresh_every": 5}, False),
    "evabench.peers.heavyball:soap": ({"lr": 0.01, "refresh_every": 5}, False),
    "evabench.peers.heavyball:psgd_kron": ({"lr": 0.01, "refresh_every": 5}, False),
    "evabench.peers.heavyball:muon": ({"lr": 0.01}, False),
    "evabench.peers.asdl:KFAC": ({"lr": 0.03, "refresh_every": 5}, True),
    "evabench.peers.singd:singd": ({"lr": 0.03, "refresh_every": 5}, True),
}
EVERYTHING = (PILOT, TIMING, SHORT, MEMORY)
SEEDS = (1, 2, 3, 4)  # of 11 twins on three nets: 132 in all
ONE_EACH = [*zip(TWINS, [*NETS] * 4, strict=False)]


def own(name, options, *, takes_model=True):
    """Return the settings of an optimizer that nobody here has written."""
    every = options.get("refresh_every", options.get("precondition_frequency", 1))
    closure = name.endswith(":LBFGS")
    return PluginSettings(name=name, options=options, takes_model=takes_model, closure=closure, refresh_every=every)


def twin_of(name):
    return own(f"{HERE / 'twins.py'}:{name}", TWINS[name])


def accusations(*groups):
    """Return what is said of any arm."""
    arms = measured_arms([one for group in groups for one in group])
    return [check.sentence for arm in arms for check in arm.unequal]


@pytest.mark.parametrize(("twin", "net"), ONE_EACH)
def test_an_honest_twin_is_not_accused(server, honest, twin, net):
    mine = made(server, "Mine", twin_of(twin), EVERYTHING, NETS[net])
    assert accusations(honest(EVERYTHING, NETS[net]), mine) == []


@pytest.mark.long
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("twin", TWINS)
def test_no_honest_twin_of_over_a_hundred_is_accused_alone_or_by_all_its_seeds(server, honest, twin, net):
    asked = {seed: (TIMING, SHORT) if seed > 1 else EVERYTHING for seed in SEEDS}
    mine = [made(server, "Mine", twin_of(twin), asked[seed], NETS[net], seed) for seed in SEEDS]
    others = [honest(asked[seed], NETS[net], seed) for seed in SEEDS]
    assert [accusations(*pair) for pair in zip(mine, others, strict=True)] == [[]] * len(SEEDS)
    assert accusations(*mine, *others) == []


@pytest.mark.long
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", OTHERS)
def test_an_honest_optimizer_of_another_package_is_not_accused(server, honest, name, net):
    options, takes_model = OTHERS[name]
    mine = made(server, "Mine", own(name, options, takes_model=takes_model), EVERYTHING, NETS[net])
    assert accusations(honest(EVERYTHING, NETS[net]), mine) == []


@pytest.mark.long
def test_a_history_that_still_grows_is_called_late_state_and_nothing_else(server, honest):
    options = {"lr": 0.1, "max_iter": 4, "line_search_fn": "strong_wolfe"}
    mine = made(server, "Mine", own("torch.optim:LBFGS", options, takes_model=False), EVERYTHING)
    (sentence,) = accusations(honest(EVERYTHING), mine)
    assert "more state at the end of training than where its memory was counted" in sentence
