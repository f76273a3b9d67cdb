"""Values that no result could hold are refused; bytes that mean nothing are harmless."""

from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Annotated, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import Discriminator
from pydantic.fields import FieldInfo

from evabench.records.cell import Cell
from evabench.records.codec import decode, encode
from evabench.suite.reading import load_suite
from evabench.suite.suite import Suite
from tests.suite.files import GOOD, TIERS, mistakes, write

OWN = GOOD + '\n[arms.Own]\noptimizer = "plugin"\nname = "torch.optim:AdamW"\noptions = { betas = [0.9, 0.95] }\n'


def test_a_list_is_a_value_of_an_option_and_comes_back_from_a_stored_cell(tmp_path):
    suite = load_suite(write(tmp_path, OWN))
    assert suite.arms["Own"].options == {"betas": (0.9, 0.95)}
    cell = suite.cells("memory")[-1]
    assert decode(Cell, encode(Cell, cell)) == cell


def unions_without_a_tag(hint, seen):
    """Yield what pydantic would tell once for each member: an error would name members that no file knows."""
    arguments = [one for one in get_args(hint) if one is not NoneType]
    tagged = get_origin(hint) is Annotated and any(isinstance(one, FieldInfo | Discriminator) for one in arguments)
    if get_origin(hint) in (Union, UnionType) and len(arguments) > 1:
        yield hint
    elif get_origin(hint) is Annotated:
        for member in get_args(arguments[0]) if tagged else arguments[:1]:
            yield from unions_without_a_tag(member, seen)
    elif is_dataclass(hint) and hint not in seen:
        seen.add(hint)
        for name, inner in get_type_hints(hint, include_extras=True).items():
            if get_origin(inner) is not ClassVar and not name.startswith("_"):
                yield from unions_without_a_tag(inner, seen)
    elif get_origin(hint) is not Literal:
        for inner in arguments:
            yield from unions_without_a_tag(inner, seen)


def test_no_setting_is_one_of_several_types_that_an_error_would_have_to_name():
    assert list(unions_without_a_tag(Suite, set())) == []


NO_VALUE = "betas must be a number, a text, true or false, or a list of these, got {'a': 1}"


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (OWN, "[0.9, 0.95]", "{ a = 1 }", f"[arms.Own.options]: {NO_VALUE}"),
        (OWN, "[0.9, 0.95]", "inf", "[arms.Own.options]: betas must be a finite number, got inf"),
        (OWN, "[0.9, 0.95]", "[0.9, nan]", "[arms.Own.options]: betas must be a finite number, got nan"),
        (
            OWN,
            "[0.9, 0.95]",
            "1979-05-27",
            '[arms.Own.options]: betas is a date, and no setting is one. As a text: "1979',
        ),
        (GOOD, "lr = 0.1", "lr = inf", "[arms.SGD]: lr must be a finite number, got inf"),
        (GOOD, 'name = "mine"', 'name = "mine"\ntimeout_seconds = inf', "top level: timeout_seconds must be a finite"),
        (GOOD, "epochs = 2", 'epochs = "two"', "[convergence]: epochs must be a whole number, got 'two'"),
        (GOOD, "epochs = 2", "epochs = [2, 0]", "[convergence]: epochs, entry 2 must be >= 1, got 0"),
        (GOOD, "epochs = 2", "epochs = []", "epochs must have one entry at least, and none twice, got []"),
        (GOOD, "epochs = 2", "epochs = [2, 2]", "epochs must have one entry at least, and none twice, got [2, 2]"),
        (GOOD, "[0.2, 1.0]", "[]", "[memory]: width_scales must have one entry at least, and none twice, got []"),
        (
            TIERS,
            '["small"]',
            '["small", "small"]',
            "[tiers.smoke]: workloads must have one entry at least, and none twice",
        ),
        (GOOD, "seeds = 3", "seeds = 3\nfirst_seed = -1", "[convergence]: first_seed must be >= 0, got -1"),
        (
            GOOD,
            "seeds = 3",
            f"seeds = 3\nfirst_seed = {2**64}",
            "[convergence]: first_seed must be <= 4.29497e+09, got",
        ),
        (GOOD, 'name = "mine"', f'name = "mine"\nthreads = {2**63}', "top level: threads must be <= 4096, got"),
        (TIERS, "[tiers.smoke]", "[tiers.tiny]", "[tiers] has no tiny: should be 'smoke', 'laptop' or 'paper'"),
    ],
)
def test_a_value_that_no_result_could_hold_is_refused_in_one_line(tmp_path, text, old, new, told):
    lines = mistakes(tmp_path, text.replace(old, new, 1)).splitlines()
    assert len(lines) == 1
    assert told in lines[0]


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_a_file_is_read_as_editors_leave_it(tmp_path, ends, mark):
    path = tmp_path / "mine.toml"
    path.write_bytes(mark + GOOD.replace("\n", ends).encode())
    assert load_suite(str(path)).name == "mine"


def test_a_conflict_of_git_is_named_with_its_line(tmp_path):
    text = GOOD.replace("lr = 0.1", "<<<<<<< HEAD\nlr = 0.1\n=======\nlr = 0.2\n>>>>>>> other")
    line = text.splitlines().index("<<<<<<< HEAD") + 1
    assert f"line {line} is a mark of git's: two versions conflict there" in mistakes(tmp_path, text)
