"""[tuning]: equal chances for every arm, and every mistake of its grids at once."""

import pytest

from evabench.settings.eva import EvaSettings
from evabench.settings.first_order import SgdSettings
from evabench.suite.reading import load_suite
from tests.suite.files import GOOD, TIERS, mistakes, write

SGD = "[tuning.arms.SGD]\nlr = [0.1, 1]\nmomentum = [0.8, 0.9]\n"
EVA = """
[[tuning.arms.Eva]]
clip = ["kl_clip"]
lr = [0.1, 0.2, 0.4]
damping = [0.03]
[[tuning.arms.Eva]]
clip = ["kl_normalization"]
lr = [0.1]
damping = [1]
"""
TUNED = f"{GOOD}\n[tuning]\nseeds = 2\n{SGD}{EVA}"
PLUGIN = '\n[arms.Mine]\noptimizer = "plugin"\nname = "torch.optim:NAdam"\noptions = { lr = 0.002, eps = 1e-6 }\n'


def settings(suite, arm):
    return [cell.optimizer for cell in suite.trial_cells() if cell.arm == arm]


def test_every_combination_of_a_grid_is_a_point_and_grids_add_up(tmp_path):
    suite = load_suite(write(tmp_path, TUNED))
    assert settings(suite, "SGD") == [
        SgdSettings(lr=lr, momentum=momentum) for lr in (0.1, 1.0) for momentum in (0.8, 0.9)
    ]
    normalized = EvaSettings(clip="kl_normalization", damping=1.0)
    assert settings(suite, "Eva") == [*(EvaSettings(lr=lr) for lr in (0.1, 0.2, 0.4)), normalized]


def test_a_whole_number_is_the_same_point_as_its_float(tmp_path):
    suite = load_suite(write(tmp_path, TUNED))
    assert all(isinstance(one.lr, float) for one in settings(suite, "SGD"))


def test_trials_have_the_budget_of_what_is_judged_and_a_role_of_their_own(tmp_path):
    suite = load_suite(write(tmp_path, TUNED))
    (judged,) = {cell.measurement for cell in suite.cells("convergence")}
    assert {(cell.role, cell.measurement) for cell in suite.trial_cells()} == {("tuning", judged)}
    assert suite.tuning.run_seeds == range(1000, 1002)


def test_trials_may_be_shorter_and_judged_less_often(tmp_path):
    suite = load_suite(write(tmp_path, TUNED.replace("seeds = 2\n", "seeds = 2\nsteps = 30\nevaluate_every = 15\n")))
    (trained,) = {cell.measurement for cell in suite.trial_cells()}
    assert (trained.steps, trained.evaluate_every, trained.schedule) == (30, 15, "linear")


def test_the_options_of_a_plug_in_are_tuned_and_the_others_kept(tmp_path):
    grid = "[tuning.arms.Mine]\nlr = [0.1, 0.2]\nbetas = [[0.9, 0.99], [0.8, 0.99]]\n"
    suite = load_suite(write(tmp_path, TUNED + PLUGIN + grid))
    assert [one.options for one in settings(suite, "Mine")] == [
        {"lr": lr, "eps": 1e-6, "betas": betas} for lr in (0.1, 0.2) for betas in ((0.9, 0.99), (0.8, 0.99))
    ]


def test_a_tier_has_trials_of_its_own(tmp_path):
    tuning = "[tiers.smoke.tuning]\nseeds = 1\n[tiers.smoke.tuning.arms]\nEva = { lr = [0.1, 0.2] }\n"
    path = write(tmp_path, TIERS + tuning)
    assert len(load_suite(path, "smoke").trial_cells()) == 2
    assert load_suite(path, "paper").trial_cells() == ()


def test_a_file_of_trials_is_seen_from_the_suites_own(tmp_path):
    suite = load_suite(write(tmp_path, TUNED.replace("seeds = 2\n", 'seeds = 2\ntrials = "there/runs.jsonl"\n')))
    assert suite.tuning.trials == str(tmp_path / "there" / "runs.jsonl")


UNEQUAL = "every arm that is trained must have the same number of points, got SGD"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ((EVA, "\n[tuning.arms.Eva]\nlr = [0.1]\n"), f"[tuning]: {UNEQUAL} 4, Eva 1"),
        ((EVA, ""), f"[tuning]: {UNEQUAL} 4, Eva 0"),
        (
            ("momentum = [0.8, 0.9]", "momentun = [0.8, 0.9]"),
            "[tuning.arms.SGD] has no setting momentun. It has: lr,",
        ),
        (("lr = [0.1, 1]", "lr = [0.1, -1]"), "[tuning.arms.SGD]: lr must be >= 0, got -1"),
        (('"kl_clip"', '"kl_clap"'), "[tuning.arms.Eva]: clip must be 'kl_clip', 'kl_normalization'"),
        (("lr = [0.1, 1]", "lr = [1.0, 1]"), "[tuning.arms.SGD]: 2 of its 4 points are there twice"),
        (("damping = [1]\n", ""), "[tuning.arms.Eva], entry 2: damping is missing. Each grid names what any"),
        (("lr = [0.1, 1]", "lr = []"), "[tuning.arms.SGD]: lr must have 1 or more entries"),
        (("[tuning.arms.SGD]", "[tuning.arms.Nobody]"), '[tuning] arms: "Nobody" is none of SGD, Eva'),
        (("[tuning]", '[tuning]\nworkload = "large"'), '[tuning]: workload: "large" is none of small'),
        (
            ("[tuning]", "[tuning]\nfirst_seed = 2"),
            "the tuning seeds 2 to 3 and the judged seeds 0 to 2 must have none",
        ),
        (("epochs = 2", "epochs = [2, 3]"), "[tuning]: steps is missing: [convergence] has several budgets"),
        (("[tuning]", "[tuning]\nsed = 1"), "[tuning] has no setting sed. It has: seeds, first_seed, workload"),
        (("[tuning]", '[tuning]\nrule = "luck"'), "[tuning]: rule must be 'lowest_median', got 'luck'"),
        (("lr = [0.1, 1]", f"lr = {list(range(600))}"), "[tuning]: an arm has 1200 points, 1000 at most"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, changed, told):
    before, after = changed
    assert before in TUNED
    assert told in mistakes(tmp_path, TUNED.replace(before, after, 1))


def test_all_mistakes_are_told_at_once(tmp_path):
    text = TUNED.replace("lr = [0.1, 1]", "lr = [-1, -2]").replace("damping = [1]", "damping = [0]")
    told = mistakes(tmp_path, text.replace("[tuning]", "[tuning]\nfirst_seed = 0")).splitlines()
    assert len(told) == 4


def test_target_setting_seeds_choose_no_settings(tmp_path):
    target = '[convergence.targets.small]\nreference = "SGD"\nat = 0.75\n'
    text = TUNED.replace("[tuning]", f"{target}\n[tuning]\nfirst_seed = 1999")
    assert "the tuning seeds 1999 to 2000 and the target-setting seeds 2000 to 2007" in mistakes(tmp_path, text)


def test_tuning_without_training_is_refused(tmp_path):
    text = GOOD.split("[convergence]")[0] + f"[tuning]\nseeds = 2\n{SGD}{EVA}"
    assert "[tuning] needs [convergence], which says how a trial is trained" in mistakes(tmp_path, text)


def test_an_arm_that_is_not_trained_needs_no_grid(tmp_path):
    text = TUNED.replace(EVA, "").replace("evaluate_every = 8", 'evaluate_every = 8\nwithout = ["Eva"]')
    assert {cell.arm for cell in load_suite(write(tmp_path, text)).trial_cells()} == {"SGD"}
