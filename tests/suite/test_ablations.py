"""`ablation_of`: an arm says whose ablation it is, and every mistake in it is told with its place."""

import pytest

from evabench.suite.reading import load_suite, read_suite
from evabench.suite.shipped import shipped_suites
from tests.suite.files import GOOD, mistakes, write

OFF = '\n[arms.off]\noptimizer = "eva"\nvectors = "off"\nablation_of = "Eva"\n'
OWN = '\n[arms.own]\noptimizer = "plugin"\nname = "torch.optim:SGD"\nablation_of = "Eva"\n'


def test_an_arm_says_whose_ablation_it_is(tmp_path):
    assert load_suite(write(tmp_path, GOOD + OFF)).ablations == {"off": "Eva"}


def test_it_is_no_setting_so_no_cell_knows_it(tmp_path):
    said = load_suite(write(tmp_path, GOOD + OWN)).cells("convergence")
    silent = load_suite(write(tmp_path, GOOD + OWN.replace('ablation_of = "Eva"\n', ""))).cells("convergence")
    assert [cell.identity for cell in said] == [cell.identity for cell in silent]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"Eva"', '"Evva"', '[arms.off]: ablation_of "Evva" is no arm of this suite. It may be: SGD, Eva'),
        ('"Eva"', '"off"', "[arms.off]: ablation_of names the arm itself. It may be: SGD, Eva"),
        ('"Eva"', "3", "[arms.off]: ablation_of must be the name of an arm, got 3. It may be: SGD, Eva"),
        ('"Eva"', '"SGD"', '[arms.off]: ablation_of "SGD" is another optimizer (sgd, and this one is eva)'),
        ('ablation_of = "Eva"', "", '[arms.off]: vectors = "off" leaves a method without its curvature: say whose'),
        ('ablation_of = "Eva"', 'ablation = "Eva"', "has no setting ablation. It has: "),
    ],
)
def test_a_mistake_in_it_is_told_with_what_is_allowed(tmp_path, old, new, told):
    assert told in mistakes(tmp_path, GOOD + OFF.replace(old, new))


def test_it_stands_in_the_arm_and_nowhere_else(tmp_path):
    text = GOOD.replace("title", 'ablations = { Eva = "SGD" }\ntitle')
    assert "top level has no setting ablations. It has: name, title" in mistakes(tmp_path, text)


def test_the_tier_is_chosen_by_the_command_line_and_not_by_the_file(tmp_path):
    text = GOOD.replace("title", 'tier = "smoke"\ntitle')
    assert "top level has no setting tier. It has: name, title" in mistakes(tmp_path, text)


def test_the_settings_that_an_arm_may_have_name_it(tmp_path):
    assert "ablation_of" in mistakes(tmp_path, GOOD + OFF.replace("vectors", "vector")).splitlines()[0]


def test_there_are_no_chains(tmp_path):
    chain = OFF.replace("arms.off", "arms.less").replace('"Eva"', '"off"')
    assert '[arms.less]: ablation_of "off" is an ablation too. It may be: SGD, Eva' in mistakes(
        tmp_path, GOOD + OFF + chain
    )


def test_of_a_plug_in_its_authors_word_counts(tmp_path):
    assert load_suite(write(tmp_path, GOOD + OWN)).ablations == {"own": "Eva"}


def test_an_arm_without_its_curvature_may_stand_alone(tmp_path):
    alone = GOOD.replace('optimizer = "eva"', 'optimizer = "eva"\nvectors = "off"')
    assert load_suite(write(tmp_path, alone)).ablations == {}


@pytest.mark.parametrize("name", ["quickstart", "autoencoder"])
def test_the_suites_that_ship_with_an_ablation_say_whose_it_is(name):
    assert name in shipped_suites()
    assert read_suite(name).ablations == {"Eva, vectors off": "Eva"}
