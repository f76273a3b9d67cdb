"""Which point of a grid is the best, and whether its ranges were wide enough."""

from dataclasses import replace
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from evabench.findings.arms import measured_arms
from evabench.findings.findings import make_findings
from evabench.findings.tuning import Edge, find_trials, tuned_arms
from evabench.records.convergence import Convergence, Evaluation
from evabench.records.measurement import ConvergenceSettings
from evabench.settings.eva import EvaSettings, EvaSSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.plugin_optimizers import PluginSettings
from tests.runs import GPU, failed, run, training

START, STEPS = 1.0, 8


def trial(settings, final, seed=1000, arm="SGD"):
    """Return a trial that begins at `START`; None is a loss that was not finite."""
    evaluations = (
        Evaluation(step=0, seconds=0.0, validation_loss=START),
        Evaluation(step=STEPS, seconds=0.1, validation_loss=final),
    )
    measured = Convergence(evaluations=evaluations, training_losses=(), test_loss=None, budget_steps=STEPS)
    made = run(
        arm,
        ConvergenceSettings(steps=STEPS, evaluate_every=STEPS // 2),
        measured,
        seed=seed,
        optimizer=settings,
        outcome="diverged" if final is None else "completed",
    )
    return replace(made, cell=replace(made.cell, role="tuning"))


def trials(settings, *finals):
    return [trial(settings, final, seed) for seed, final in enumerate(finals, start=1000)]


def tuned(*runs):
    (arm,) = tuned_arms(one for each in runs for one in each)
    return arm


def sgd(lr, momentum=0.9):
    return SgdSettings(lr=lr, momentum=momentum)


def test_the_point_with_the_lowest_median_is_the_best():
    arm = tuned(trials(sgd(0.1), 0.3, 0.3, 0.3), trials(sgd(0.2), 0.1, 0.2, 0.9), trials(sgd(0.3), 0.25, 0.25, 0.25))
    assert arm.best.settings == sgd(0.2)
    assert arm.varied == ("lr",)
    assert (arm.seeds, arm.num_trials) == ((1000, 1001, 1002), 9)


def test_a_point_with_a_failed_trial_is_out_however_low_its_median():
    blown_up = 1e12
    arm = tuned(trials(sgd(0.1), 0.5, 0.5, 0.5), trials(sgd(0.2), 0.1, 0.1, blown_up), trials(sgd(0.3), 0.1, None, 0.1))
    assert arm.best.settings == sgd(0.1)
    assert arm.num_failed == 2


def test_a_trial_that_crashed_is_a_failed_one():
    crashed = [failed(one, "crashed") for one in trials(sgd(0.2), 0.1)]
    assert tuned(trials(sgd(0.1), 0.5), crashed).best.settings == sgd(0.1)


def test_where_every_point_has_failed_there_is_no_best_one():
    arm = tuned(trials(sgd(0.1), None), trials(sgd(0.2), START))
    assert arm.best is None
    assert arm.edges == ()


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6), st.integers(0, 5))
def test_no_other_sound_point_is_better_than_the_best_one(losses, index):
    losses[index % len(losses)] = None
    points = [trials(sgd(0.1 * (1 + place)), loss) for place, loss in enumerate(losses)]
    best = tuned(*points).best
    assert best.median_loss == median([min(loss for loss in losses if loss is not None)])


def test_a_best_value_at_an_end_of_its_range_is_at_the_edge():
    low, high = trials(sgd(0.1, 0.8), 0.5), trials(sgd(0.3, 0.9), 0.4)
    assert tuned(low, high).edges == (
        Edge(name="lr", value=0.3, side="largest"),
        Edge(name="momentum", value=0.9, side="largest"),
    )
    assert tuned(low, trials(sgd(0.2, 0.8), 0.3), high).edges == (Edge(name="momentum", value=0.8, side="smallest"),)


def test_words_and_switches_have_no_edge_and_each_word_has_its_own_ranges():
    clipped = [trials(EvaSettings(lr=lr, clip="kl_clip"), 0.5) for lr in (0.001, 10.0)]
    normalized = [trials(EvaSettings(lr=lr, clip="kl_normalization"), loss) for lr, loss in ((0.1, 0.3), (0.2, 0.4))]
    assert tuned(*clipped, *normalized).edges == (Edge(name="lr", value=0.1, side="smallest"),)


def test_nothing_lies_beyond_the_bound_of_a_setting():
    sums = [trials(EvaSSettings(beta2=beta2), loss) for beta2, loss in ((0.9, 0.2), (1.0, 0.1))]
    assert tuned(*sums).edges == ()
    decays = [trials(SgdSettings(lr=0.1, weight_decay=decay), loss) for decay, loss in ((0.0, 0.1), (1e-4, 0.2))]
    assert tuned(*decays).edges == ()


def test_a_value_is_at_no_edge_where_one_inside_did_as_well():
    same = [trials(EvaSettings(lr=lr), 0.3) for lr in (0.01, 0.03, 0.1)]
    assert tuned(*same).edges == ()


def test_the_options_of_a_plug_in_are_what_varies():
    settings = [PluginSettings(name="a:B", options={"lr": lr, "eps": 1e-8}) for lr in (0.1, 0.2)]
    arm = tuned(*(trials(one, one.options["lr"]) for one in settings))
    assert arm.varied == ("lr",)
    assert arm.best.values == {"lr": 0.1}


def test_trials_are_in_no_comparison_and_others_are_no_trials():
    runs = trials(sgd(0.1), 0.5)
    assert measured_arms(runs) == ()
    assert tuned_arms([training("SGD", 1, 20)]) == ()
    findings = make_findings([training("SGD", 1, 20), *runs], trials=runs)
    assert findings.runs == (training("SGD", 1, 20),)
    assert [arm.name for arm in findings.tuning] == ["SGD"]


def test_trials_of_another_host_are_found_by_what_they_are():
    wanted, other = trials(sgd(0.1), 0.5), trials(sgd(0.2), 0.5)
    elsewhere = [replace(one, host=GPU, key="another") for one in (*other, *wanted)]
    assert find_trials([wanted[0].cell], [1000, 1001], elsewhere) == (elsewhere[1],)
