"""Suites: every mistake of a file at once, with its place and the way out."""

import re
from pathlib import Path

import pytest

from evabench.datasets.places import commands_for
from evabench.errors import SuiteError
from evabench.records.measurement import ProfileSettings
from evabench.settings.synthetic import SyntheticSettings
from evabench.store.files import RunStore
from evabench.suite.reading import load_suite, read_suite
from evabench.suite.shipped import shipped_suites
from tests.suite.files import GOOD, TIERS, mistakes, write


@pytest.mark.parametrize("name", shipped_suites())
def test_every_suite_that_ships_loads(name):
    suite = load_suite(name)
    assert suite.name == name
    assert suite.tables


REFERENCE = Path(__file__).parent.parent.parent / "results" / "reference"
WITH_COMMITTED_RUNS = sorted(name for name in shipped_suites() if (REFERENCE / name / "runs.jsonl").exists())


@pytest.mark.parametrize("name", WITH_COMMITTED_RUNS)
def test_a_default_that_changes_leaves_the_arms_of_committed_runs_as_they_were(name):
    suite = load_suite(name)
    stored = {run.cell.arm: run.cell.optimizer for run in RunStore(REFERENCE / name / "runs.jsonl").load()}
    assert stored == {arm: suite.arms.get(arm) for arm in stored}


TIERED = [(name, tier) for name in shipped_suites() for tier in read_suite(name).tiers]


@pytest.mark.parametrize(("name", "tier"), TIERED, ids=lambda word: word)
def test_every_tier_of_every_suite_measures_something_on_workloads_of_its_own(name, tier):
    suite = load_suite(name, tier)
    cells = [cell for kind in suite.tables for cell in suite.cells(kind)]
    assert cells
    assert {cell.workload_name.split(" x")[0] for cell in cells} == set(suite.workloads)


@pytest.mark.parametrize(("name", "tier"), [pair for pair in TIERED if pair[1] == "paper"], ids=lambda word: word)
def test_the_papers_tier_has_no_stand_ins(name, tier):
    assert not any(workload.stand_in for workload in load_suite(name, tier).workloads.values())


def test_a_smoke_tier_needs_no_data_that_has_to_be_fetched():
    needed = {
        workload.data
        for name, tier in TIERED
        if tier == "smoke"
        for workload in load_suite(name, tier).workloads.values()
        if not workload.stand_in  # generated
    }
    assert all(not commands_for(data) for data in needed - {SyntheticSettings.data})


def test_a_tier_names_workloads_arms_and_measurements(tmp_path):
    smoke = load_suite(write(tmp_path, TIERS), "smoke")
    assert [(cell.workload_name, cell.arm) for cell in smoke.cells("convergence")] == [("small", "Eva")]
    assert smoke.cells("memory") == ()
    paper = load_suite(write(tmp_path, TIERS), "paper")
    assert (len(paper.cells("memory")), paper.timeout_seconds) == (4, 9000)


def test_several_budgets_are_a_cell_each_with_a_warm_up_of_its_own(tmp_path):
    cells = load_suite(write(tmp_path, TIERS), "paper").cells("convergence")
    large = [cell.measurement for cell in cells if cell.workload_name == "large" and cell.arm == "Eva"]
    assert [(training.steps, training.warmup_steps) for training in large] == [(8, 2), (16, 4)]


PROBED = (
    GOOD.split("[step_time]")[0]
    + """
[mechanism]
seeds = 2
first_seed = 5
probe_at = [0, 10]
views = [{ name = "a" }, { name = "b", damping = 1e-4, output_gradient = "per_example", statistics_batch = 16 }]
"""
)
RATED = """
name = "rated"
title = "Rated"
description = "A test."
[workloads.q]
workload = "quadratic"
[arms.SGD]
optimizer = "sgd"
lr = 0.1
[rate]
seeds = 2
multiples = [0.1, 1.0]
"""


def test_probes_and_rates_are_a_cell_for_each_workload_and_arm(tmp_path):
    cells = load_suite(write(tmp_path, PROBED)).cells("mechanism")
    assert [cell.arm for cell in cells] == ["SGD", "Eva"]
    assert [view.damping for view in cells[0].measurement.views] == [0.03, 1e-4]
    (cell,) = load_suite(write(tmp_path, RATED)).cells("rate")
    assert cell.measurement.multiples == (0.1, 1.0)


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (PROBED, "[0, 10]", "[10, 0]", "[mechanism]: probe_at must rise"),
        (PROBED, 'name = "b"', 'name = "a"', "[mechanism]: views must have names of their own"),
        (PROBED, "damping = 1e-4", "dumping = 1e-4", "has no setting dumping. It has: name, damping"),
        (PROBED, "damping = 1e-4", "damping = 0", "damping must be > 0, got 0"),
        (PROBED, "first_seed", "last_seed", "has no setting last_seed. It has: seeds, first_seed, probe_at"),
        (RATED, "[0.1, 1.0]", "[1.0, 0.1]", "[rate]: multiples must rise"),
        (RATED, "[0.1, 1.0]", "[]", "[rate]: multiples must rise, and have one entry at least, got ()"),
        (RATED, "[0.1, 1.0]", '[1.0]\nmeasurement = "memory"', "[rate] has no setting measurement. It has: seeds"),
        (RATED, "[rate]", "[measurements]\n[rate]", "top level has no setting measurements. It has: name, title"),
        (RATED, "[rate]", "[seeded]\n[rate]", "top level has no setting seeded. It has: name, title"),
        (RATED, "[0.1, 1.0]", "[0.1, 1.0]\nsteps = 3", "[rate]: steps must be >= 8, got 3"),
        (RATED, 'workload = "quadratic"', 'workload = "synthetic"', 'a rate is that of a workload "quadratic"'),
        (RATED, 'workload = "quadratic"', 'workload = "quadratic"\ncondition = 0.5', "condition must be >= 1, got 0.5"),
    ],
)
def test_a_mistake_about_probes_or_rates_is_told_with_the_way_out(tmp_path, text, old, new, told):
    assert told in mistakes(tmp_path, text.replace(old, new))


def test_without_a_tier_a_suite_comes_at_laptop_or_at_its_first(tmp_path):
    assert load_suite(write(tmp_path, TIERS)).tier == "smoke"
    assert load_suite(write(tmp_path, TIERS.replace("tiers.paper", "tiers.laptop"))).tier == "laptop"
    assert load_suite(write(tmp_path, GOOD)).tier is None


def test_a_tier_that_is_not_there_names_those_that_are(tmp_path):
    with pytest.raises(SuiteError, match=r'has no tier "laptop"\. It has: smoke, paper'):
        load_suite(write(tmp_path, TIERS), "laptop")
    with pytest.raises(SuiteError, match="It has: none: it has one size"):
        load_suite(write(tmp_path, GOOD), "smoke")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('arms = ["Eva"]', 'arms = ["Ava"]', '[tiers.smoke] arms: "Ava" is none of SGD, Eva'),
        ("[tiers.smoke]", "[memory]\n[tiers.smoke]", "a suite with tiers has step_time"),
        ("steps = 4, ", "", "give epochs or steps, and not both"),
        ("seeds = 1", "seeds = 1, epochs = 2", "give epochs or steps, and not both"),
        ("evaluate_every = 2", "evaluate_every = 3", "[tiers.smoke.convergence]: evaluate_every must be at most half"),
        ("timeout_seconds = 9000", "timeout = 9000", "[tiers.paper] has no setting timeout. It has: workloads, arms"),
        ('workload = "synthetic"', 'workload = "magic"', "workload magic is unknown. Known: 'autoencoder'"),
        ("width = 8", "breadth = 8", "has no setting breadth. It has: workload, layer, width"),
    ],
)
def test_a_mistake_in_a_tier_is_told_with_the_way_out(tmp_path, old, new, told):
    assert told in mistakes(tmp_path, TIERS.replace(old, new))


def test_a_suite_has_a_cell_for_each_workload_arm_and_measurement(tmp_path):
    suite = load_suite(write(tmp_path, GOOD))
    assert [cell.arm for cell in suite.cells("step_time")] == ["SGD", "Eva"]
    assert [(cell.workload_name, cell.workload.widths) for cell in suite.cells("memory")][::2] == [
        ("small x0.2", (784, 4, 1)),
        ("small", (784, 20, 5)),
    ]
    assert [cell.measurement.steps for cell in suite.cells("convergence")] == [180, 180]


def test_subnormal_numbers_are_flushed_unless_the_suite_keeps_them(tmp_path):
    assert {cell.subnormals for cell in load_suite(write(tmp_path, GOOD)).cells("memory")} == {"flush"}
    kept = load_suite(write(tmp_path, 'subnormals = "keep"' + GOOD))
    assert {cell.subnormals for cell in kept.cells("memory")} == {"keep"}
    assert kept.one_cell("small", "SGD", ProfileSettings(trace="t")).subnormals == "keep"
    told = mistakes(tmp_path, 'subnormals = "drop"' + GOOD)
    assert "top level: subnormals must be 'flush' or 'keep', got 'drop'" in told


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path):
    text = (
        GOOD.replace("lr = 0.1", "lr = -1")
        .replace('optimizer = "eva"', 'optimizer = "eva"\ndampening = 2\nmomentum = "high"')
        .replace("seeds = 3", "seeds = 0")
    )
    told = mistakes(tmp_path, text + '\n[arms.Magic]\noptimizer = "magic"\n\n[arms.None]\nlr = 1\n').splitlines()
    assert len(told) == 6
    assert all("mine.toml: [" in line for line in told)
    assert any("[arms.SGD]: lr must be >= 0, got -1" in line for line in told)
    assert any("[arms.Eva] has no setting dampening. It has: " in line and "damping" in line for line in told)
    assert any("[arms.Eva]: momentum must be a number, got 'high'" in line for line in told)
    assert any("[arms.Magic]: optimizer magic is unknown. Known: 'sgd', 'adamw', 'eva'" in line for line in told)
    assert any("[arms.None]: optimizer is missing" in line for line in told)
    assert any("[convergence]: seeds must be >= 1, got 0" in line for line in told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "Mine"', "", "top level: title is missing"),
        ("batch = 100", "batch = 99999", r"batch must be at most 9000"),
        ("widths = [784, 20, 5]", "widths = [100, 20]", "widths must begin with 784"),
        ("widths = [784, 20, 5]", "widths = [784, 20, -5]", "[workloads.small]: widths, entry 3 must be >= 1, got -5"),
        ("width_scales = [0.2, 1.0]", "width_scales = [0.3]", "are not whole numbers"),
        ("evaluate_every = 8", "evaluate_every = 999", "evaluate_every must be at most half of steps"),
        ("evaluate_every = 8", 'evaluate_every = 8\nwithout = ["Adam"]', '"Adam" is none of SGD, Eva'),
        ("sweeps = 6", "swoops = 6", "It has: sweeps"),
        ("[step_time]", "[step_times]", "top level has no setting step_times"),
        ("sweeps = 6", "sweeps =", "this is no TOML file"),
    ],
)
def test_a_mistake_is_told_with_the_way_out(tmp_path, old, new, told):
    assert told in mistakes(tmp_path, GOOD.replace(old, new))


def test_the_example_of_the_document_is_a_suite(tmp_path):
    document = Path(__file__).parents[2] / "docs" / "suites.md"
    example = re.findall(r"```toml\n(.*?)```", document.read_text(), re.DOTALL)[0]
    suite = load_suite(write(tmp_path, example))
    assert suite.name == "example"
    assert suite.cells("memory")


def test_an_unknown_suite_names_those_that_ship():
    with pytest.raises(SuiteError, match=r"the suites that ship are .*quickstart"):
        load_suite("nonsense")


def test_an_accuracy_in_percent_is_refused(tmp_path):
    target = '\n[convergence.targets.small]\nvalue = 75\nmetric = "accuracy"\nprovenance = "a guess"\n'
    assert "an accuracy is a share, above 0 and at most 1, got 75" in mistakes(tmp_path, GOOD + target)


SET_BY_SGD = '\n[convergence.targets.small]\nreference = "SGD"\nat = 0.75\n'


def test_a_target_may_be_set_by_an_arm_at_each_budget(tmp_path):
    several = GOOD.replace("epochs = 2", "epochs = [2, 4]") + SET_BY_SGD
    cells = load_suite(write(tmp_path, several)).target_cells()
    assert [(cell.arm, cell.measurement.steps, cell.sets_target) for cell in cells] == [
        ("SGD", 180, True),
        ("SGD", 360, True),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("at = 0.75", "", "[convergence.targets.small]: at is missing: the share of its budget"),
        ("at = 0.75", "at = 0.95", "at must lie between 0.5 and 0.95, where the easier and the harder target are set"),
        ("at = 0.75", "at = 0.75\nvalue = 0.1", "give value, a number with its provenance, or reference"),
        ('reference = "SGD"', "", "give value, a number with its provenance, or reference"),
        ('reference = "SGD"', "value = 0.1", "provenance is missing: say where the value comes from"),
        ('reference = "SGD"', 'value = 0.1\nprovenance = "a guess"', "at belongs to reference"),
        ("at = 0.75", 'at = 0.75\nprovenance = "us"', "provenance belongs to value"),
        ('reference = "SGD"', 'reference = "SGB"', 'reference: "SGB" is none of the first-order arms: SGD'),
        ('reference = "SGD"', 'reference = "Eva"', 'reference: "Eva" is none of the first-order arms: SGD'),
        ("evaluate_every = 8", 'evaluate_every = 8\nwithout = ["SGD"]', '"SGD" is not trained here'),
        ("evaluate_every = 8", "evaluate_every = 8\ntarget_seeds = 7", "target_seeds must be >= 8, got 7"),
        (
            "evaluate_every = 8",
            "evaluate_every = 8\nfirst_target_seed = 2",
            "the judged seeds 0 to 2 and the target-setting seeds 2 to 9 must have none in common",
        ),
        ("at = 0.75", "at = 0.75\nseeds = 8", "has no setting seeds. It has: value, metric, provenance, reference, at"),
    ],
)
def test_a_mistake_about_a_target_is_told_with_the_way_out(tmp_path, old, new, told):
    assert told in mistakes(tmp_path, (GOOD + SET_BY_SGD).replace(old, new))


def test_a_tier_has_targets_of_its_own_and_only_of_its_own_arms(tmp_path):
    target = 'targets = { small = { reference = "SGD", at = 0.75, metric = "accuracy" } } }'
    text = TIERS.replace('"step", warmup_share = 0.25 }', f'"step", warmup_share = 0.25, {target}')
    cells = load_suite(write(tmp_path, text), "paper").target_cells()
    assert [(cell.arm, cell.measurement.steps) for cell in cells] == [("SGD", 180), ("SGD", 360)]
    assert load_suite(write(tmp_path, text), "smoke").target_cells() == ()
    told = '[tiers.paper.convergence.targets.small] reference: "SGD" is none of the first-order arms: there are none'
    assert told in mistakes(tmp_path, text.replace("timeout_seconds = 9000", 'arms = ["Eva"]'))


@pytest.mark.parametrize("name", ["../elsewhere", "/elsewhere", "a/b", "", ".hidden", "x" * 101, "two words", r"a\nb"])
def test_a_name_that_is_no_folder_of_its_own_is_refused(tmp_path, name):
    told = mistakes(tmp_path, GOOD.replace('name = "mine"', f'name = "{name}"'))
    assert "name is that of a folder, 1 to 100 letters, digits" in told
    others = mistakes(tmp_path, GOOD.replace('name = "mine"', f'name = "{name}"').replace("lr = 0.1", "lr = -1"))
    assert len(others.splitlines()) == 2


def test_characters_that_a_terminal_obeys_are_refused_and_spelled_out(tmp_path):
    told = mistakes(tmp_path, GOOD.replace("[arms.Eva]", r'[arms."Eva\u001b[2J"]'))
    assert r"arms: 'Eva\x1b[2J' has characters that cannot be shown" in told
    assert "\x1b" not in told


DIRECTIONS = "\n[directions]\nseeds = 2\n"


def test_directions_are_probed_along_the_longest_training_of_each_arm(tmp_path):
    several = GOOD.replace("epochs = 2", "epochs = [1, 2]") + DIRECTIONS
    suite = load_suite(write(tmp_path, several))
    cells = suite.cells("directions")
    assert [cell.arm for cell in cells] == ["SGD", "Eva"]
    assert {cell.measurement.training for cell in cells} == {suite.cells("convergence")[-1].measurement}
    assert [*suite.tables["directions"].run_seeds(7)] == [0, 1]


def test_directions_without_a_training_are_a_mistake(tmp_path):
    text = GOOD[: GOOD.index("[convergence]")] + DIRECTIONS + "probs = 3\n"
    assert "[directions] has no setting probs. It has: seeds, first_seed, probes" in mistakes(tmp_path, text)
    alone = mistakes(tmp_path, text.replace("probs", "probes"))
    assert "[directions]: it probes the training of [convergence], which is not there" in alone
