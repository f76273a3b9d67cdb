"""Parameter groups of an arm: patterns of names, checked when the suite is read and when the model is there."""

import pytest

from evabench.errors import SuiteError
from evabench.optimizers import build_optimizer
from evabench.records.cell import Cell
from evabench.records.codec import decode, encode
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.suite.reading import load_suite
from evabench.worker.plugin import build_plugin
from tests.optimizers.models import small_net
from tests.suite.files import GOOD, mistakes, write

BIASES = '{ match = "*.bias", weight_decay = 0.0 }'
GROUPED = GOOD.replace('optimizer = "eva"', f'optimizer = "eva"\nweight_decay = 0.1\ngroups = [{BIASES}]')
OWN = (
    GOOD
    + f"""
[arms.Own]
optimizer = "plugin"
name = "torch.optim:RMSprop"
options = {{ lr = 0.1 }}
groups = [{BIASES}]
"""
)


def names(model, parameters):
    found = {parameter: name for name, parameter in model.named_parameters()}
    return [found[parameter] for parameter in parameters]


def built(tmp_path, text, arm):
    model = small_net()
    settings = load_suite(write(tmp_path, text)).arms[arm]
    build = build_plugin if isinstance(settings, PluginSettings) else build_optimizer
    return model, build(settings, model).param_groups


def assert_biases_have_no_decay(model, groups, decay):
    biases, rest = groups
    assert {name.rsplit(".")[-1] for name in names(model, biases["params"])} == {"bias"}
    assert not any(name.endswith("bias") for name in names(model, rest["params"]))
    assert (biases["weight_decay"], rest["weight_decay"]) == (0.0, decay)
    assert len(biases["params"]) + len(rest["params"]) == len(list(model.parameters()))


@pytest.mark.parametrize("optimizer", ["eva", "eva_f", "eva_s", "kfac", "foof", "shampoo", "mfac", "adamw", "sgd"])
def test_every_built_in_optimizer_takes_a_group_without_decay(tmp_path, optimizer):
    text = GROUPED.replace('"eva"', f'"{optimizer}"\nlr = 0.1')
    assert_biases_have_no_decay(*built(tmp_path, text, "Eva"), decay=0.1)


def test_a_plug_in_takes_the_same_groups(tmp_path):
    assert_biases_have_no_decay(*built(tmp_path, OWN, "Own"), decay=0)


def test_parameters_with_few_axes_are_found_whatever_their_names(tmp_path):
    _, groups = built(tmp_path, GROUPED.replace('match = "*.bias"', 'match = "*", max_axes = 1'), "Eva")
    assert all(parameter.dim() == 1 for parameter in groups[0]["params"])
    assert all(parameter.dim() > 1 for parameter in groups[1]["params"])


def test_a_parameter_belongs_to_the_first_group_that_it_matches(tmp_path):
    both = '{ match = "*.bias", lr = 0.5 }, { match = "*", lr = 0.25 }'
    model, groups = built(tmp_path, GROUPED.replace(BIASES, both), "Eva")
    assert [group["lr"] for group in groups] == [0.5, 0.25]
    assert len(names(model, groups[0]["params"])) + len(names(model, groups[1]["params"])) == len(
        list(model.parameters())
    )


def test_groups_are_part_of_a_cell_and_come_back_from_a_stored_one(tmp_path):
    plain, grouped = (load_suite(write(tmp_path, text)).cells("memory")[1] for text in (GOOD, GROUPED))
    assert grouped.identity != plain.identity
    assert decode(Cell, encode(Cell, grouped)) == grouped


def test_an_arm_without_groups_is_what_it_was_before_there_were_any(tmp_path):
    assert "groups" not in load_suite(write(tmp_path, GOOD)).cells("memory")[1].identity


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (GROUPED, 'match = "*.bias", ', "", "[arms.Eva]: groups, entry 1: match is missing: a pattern for names"),
        (GROUPED, ", weight_decay = 0.0 }", " }", "[arms.Eva]: groups, entry 1: it has no setting of its own"),
        (GROUPED, "weight_decay = 0.0 }", "weight_decay = -1 }", "groups, entry 1: weight_decay must be >= 0, got -1"),
        (GROUPED, "weight_decay = 0.0 }", 'lr = "high" }', 'groups, entry 1: lr must be a number, got the text "high"'),
        (
            GROUPED,
            "weight_decay = 0.0 }",
            "clip = 1 }",
            "clip cannot differ between groups. It may: lr, momentum, weight",
        ),
        (
            GROUPED,
            "weight_decay = 0.0 }",
            "lr = 1, max_axes = -1 }",
            "max_axes is a number of axes, such as 1 for biases",
        ),
        (OWN, "groups = ", "takes_model = true\ngroups = ", "[arms.Own]: groups need takes_model = false"),
        (OWN, "weight_decay = 0.0 }", "lr = inf }", "must be a finite number, got inf"),
    ],
)
def test_a_mistake_in_a_group_is_told_when_the_suite_is_read(tmp_path, text, old, new, told):
    assert told in mistakes(tmp_path, text.replace(old, new, 1))


def test_an_optimizer_that_is_known_to_step_by_a_closure_is_refused_without_one(tmp_path):
    told = '[arms.Own]: the step of "torch.optim:LBFGS" needs a closure: give the arm closure = true'
    lbfgs = OWN.replace("RMSprop", "LBFGS").replace(", weight_decay = 0.0", ", lr = 0.5")
    assert told in mistakes(tmp_path, lbfgs)
    assert load_suite(write(tmp_path, lbfgs.replace("options =", "closure = true\noptions =")))


def test_a_pattern_that_nothing_matches_names_some_parameters_that_are_there(tmp_path):
    with pytest.raises(
        SuiteError, match=r'no parameter that an earlier group has not taken matches "\*\.bais"\. The model'
    ):
        built(tmp_path, GROUPED.replace("*.bias", "*.bais"), "Eva")
