"""Values that no result could hold are refused; bytes that mean nothing are harmless."""

import pytest

from evabench.records.cell import Cell
from evabench.records.codec import decode, encode
from evabench.suite.reading import load_suite
from tests.suite.files import GOOD, TIERS, mistakes, write

OWN = GOOD + '\n[arms.Own]\noptimizer = "plugin"\nname = "torch.optim:AdamW"\noptions = { betas = [0.9, 0.95] }\n'


def test_a_list_is_a_value_of_an_option_and_comes_back_from_a_stored_cell(tmp_path):
    suite = load_suite(write(tmp_path, OWN))
    assert suite.arms["Own"].options == {"betas": (0.9, 0.95)}
    cell = suite.cells("memory")[-1]
    assert decode(Cell, encode(Cell, cell)) == cell


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
        (GOOD, "epochs = 2", 'epochs = "two"', "[convergence]: epochs: Input should be a valid integer, got 'two'"),
        (GOOD, "epochs = 2", "epochs = [2, 0]", "[convergence]: epochs, entry 2 must be >= 1, got 0"),
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
