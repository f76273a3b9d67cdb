"""What two settings have to share to be one: a later field breaks nothing, a changed default merges nothing."""

import json
from dataclasses import fields, make_dataclass, replace
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evabench.records.cell import Cell
from evabench.settings.identity import identity, legacy, legacy_values
from evabench.settings.optimizers import OptimizerSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.workloads import WorkloadSettings
from tests.runs import ARMS, NET, cell

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-2, 2), st.sampled_from(["", "cpu", "cuda"])
)
NAMES = st.sampled_from(["a", "b", "c", "d"])


def like(one, other):
    return type(one) is type(other) and one == other


def kind(known, later=()):
    """Return a dataclass with fields without defaults, and later ones with a legacy value and a default."""
    return make_dataclass(
        "Kind",
        [(name, object) for name in known] + [(name, object, legacy(old, default=now)) for name, old, now in later],
        frozen=True,
        kw_only=True,
    )


@given(st.dictionaries(NAMES, SCALARS), SCALARS, SCALARS)
def test_a_field_that_comes_later_leaves_every_identity_that_was_there(values, old, default):
    before = kind(values)(**values)
    after = kind(values, [("later", old, default)])(**values, later=old)
    assert identity(after) == identity(before)


@given(st.dictionaries(NAMES, SCALARS), SCALARS, SCALARS, SCALARS, SCALARS)
def test_two_values_of_a_later_field_are_never_one_whatever_its_default_was_then_and_is_now(values, old, was, now, one):
    then, today = (kind(values, [("later", old, default)]) for default in (was, now))
    assert identity(then(**values)) == identity(today(**values, later=was))
    assume(not like(one, was))
    assert json.dumps(identity(then(**values))) != json.dumps(identity(today(**values, later=one)))


def test_what_is_left_out_is_the_legacy_value_and_not_the_default():
    made = kind(["a"], [("later", "keep", "flush")])
    assert identity(made(a=1)) == {"a": 1, "later": "flush"}
    assert identity(made(a=1, later="keep")) == {"a": 1}


def test_a_number_that_equals_its_legacy_value_but_is_of_another_type_is_told():
    assert identity(kind([], [("later", 1, 1)])(later=True)) == {"later": True}


def test_what_lies_deeper_is_read_by_the_same_rule():
    inner = kind(["a"], [("later", 0, 0)])
    outer = kind(["parts", "options"])
    told = identity(outer(parts=(inner(a=1), inner(a=2, later=3)), options={"x": inner(a=4)}))
    assert told == {"parts": [{"a": 1}, {"a": 2, "later": 3}], "options": {"x": {"a": 4}}}


def test_something_without_an_identity_is_refused():
    with pytest.raises(TypeError, match="a set has no identity"):
        identity(kind(["a"])(a={1}))


# Never change a line of this table, and never take one out: stored runs are told apart by it.
LEGACY = {
    "Cell": {
        "device": "cpu",
        "deterministic": False,
        "subnormals": "keep",
        "process_group": None,
        "role": "judged",
        "target": None,
        "target_value": None,
    },
    "SgdSettings": {"fused": False, "groups": ()},
    "AdamWSettings": {"fused": False, "groups": ()},
    "PluginSettings": {"closure": False, "groups": ()},
    "EvaSettings": {"vectors": "on", "groups": ()},
    "EvaFSettings": {"vectors": "on", "groups": ()},
    "EvaSSettings": {"vectors": "on", "groups": ()},
    "KfacSettings": {"max_factor": None, "groups": ()},
    "FoofSettings": {"max_factor": None, "groups": ()},
    "ShampooSettings": {"max_axis": 8192, "groups": ()},
    "MfacSettings": {"groups": ()},
    "AutoencoderSettings": {"precision": "fp32", "channels_last": False, "compiled": False},
    "ClassifierSettings": {"precision": "fp32", "channels_last": False, "compiled": False},
    "LanguageSettings": {"precision": "fp32", "channels_last": False, "compiled": False},
    "SyntheticSettings": {"precision": "fp32", "channels_last": False, "compiled": False},
    "PluginWorkloadSettings": {"precision": "fp32", "channels_last": False, "compiled": False},
    "QuadraticSettings": {"precision": "fp64"},
}


def test_the_legacy_values_are_these_for_ever():
    kinds = [Cell, *get_args(get_args(OptimizerSettings)[0]), *get_args(get_args(WorkloadSettings)[0])]
    found = {one.__name__: values for one in kinds if (values := legacy_values(one))}
    assert found == LEGACY


@pytest.mark.parametrize("name", [one.name for one in fields(Cell) if one.name not in ("workload", "optimizer")])
def test_each_field_of_a_cell_tells_it_from_another(name):
    one = cell()
    assert replace(one, **{name: "another"}).identity != one.identity


def test_the_settings_of_a_cell_tell_it_from_another():
    cells = [cell(arm) for arm in ARMS]
    cells += [replace(cells[0], workload=replace(NET, batch=125))]
    cells += [cell(optimizer=PluginSettings(name="a:B", options={"x": value})) for value in (1, True, "1", 1.5)]
    assert len({one.identity for one in cells}) == len(cells)


def test_the_order_of_options_is_no_difference():
    one, other = (
        cell(optimizer=PluginSettings(name="a:B", options=options)) for options in ({"x": 1, "y": 2}, {"y": 2, "x": 1})
    )
    assert one.identity == other.identity


def test_a_cell_remembers_its_identity_and_is_none_the_different_for_it():
    asked, other = cell(), cell()
    assert asked.identity is asked.identity
    assert asked == other
    assert replace(asked, threads=2).identity != asked.identity
