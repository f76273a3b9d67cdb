"""How the settings were chosen, in words; cells and names are untrusted text."""

import tomllib
from pathlib import Path

from evabench.findings.tuning import tuned_arms
from evabench.reporting.report import make_report
from evabench.reporting.sections import sections
from evabench.reporting.tables.tuning import chosen_lines, tuning_sentences, tuning_table
from evabench.settings.eva import EvaSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.suite.reading import load_suite
from tests.findings.test_tuning import sgd, trials
from tests.runs import trainings
from tests.suite.files import GOOD


def arms_of(*points):
    return tuned_arms(one for point in points for one in point)


def test_a_row_says_what_was_tried_what_is_best_and_whether_the_suite_has_it():
    arms = arms_of(trials(sgd(0.1), 0.3), trials(sgd(0.2), 0.2), trials(sgd(0.3), None))
    table = tuning_table(arms, {"SGD": sgd(0.2)})
    assert table.rows == (("SGD", "3", "1", "lr 0.2", "0.2", "no", "yes"),)
    assert tuning_table(arms, {"SGD": sgd(0.1)}).rows[0][-1] == "no"
    assert tuning_table((), {}) is None


def test_everything_that_weakens_the_choice_is_a_sentence():
    more = [trials(sgd(lr), loss) for lr, loss in ((0.1, 0.3), (0.2, 0.2))]
    fewer = [trials(EvaSettings(), 0.5)]
    for one in fewer[0]:
        object.__setattr__(one.cell, "arm", "Eva")
    told = "\n".join(tuning_sentences(arms_of(*more, *fewer), {"SGD": sgd(0.2)}, num_missing=3))
    assert "3 trials of the tuning are missing" in told
    assert "different numbers of points: SGD 2, Eva 1" in told
    assert "SGD: the best lr, 0.2, is the largest that was tried." in told
    assert "Widen the ranges of all arms by as many points each" in told
    assert 'reference = "SGD"' in told
    assert "other settings than the trials have chosen for: Eva." in told


def test_what_to_write_is_toml_whatever_the_arm_is_called():
    settings = [PluginSettings(name="a:B", options={"lr": lr, "a key": [1, 2]}) for lr in (0.1, 1e-6)]
    points = [trials(one, loss) for one, loss in zip(settings, (0.5, 0.4), strict=True)]
    for one in (run for point in points for run in point):
        object.__setattr__(one.cell, "arm", 'My "own".x')
    written = tomllib.loads("\n".join(chosen_lines(arms_of(*points))))
    assert written == {"arms": {'My "own".x': {"options": {"lr": 1e-6, "a key": [1, 2]}}}}


def test_a_report_has_a_section_of_it_only_where_there_are_trials(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD)
    suite = load_suite(str(Path(tmp_path / "mine.toml")))
    made = trials(sgd(0.1), 0.3), trials(sgd(0.2), 0.2)
    with_trials = make_report(suite, trainings("SGD", [20]), [], trials=[*made[0], *made[1]])
    without = make_report(suite, trainings("SGD", [20]), [])
    titles = [[section.title for section in sections(report)] for report in (with_trials, without)]
    assert ["How the settings were chosen" in one for one in titles] == [True, False]
