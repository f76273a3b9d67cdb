"""Which code a side runs."""

from dataclasses import replace
from pathlib import Path

import pytest

import evabench
from evabench.errors import GateError, IncomparableError
from evabench.gate.asked import (
    check_names_lead_into,
    lay_sides,
    measuring_code_differs,
    read_gated_suite,
    why_untouched,
)
from evabench.gate.sides import Sides, other_project, own_code, protocol_of, with_this_harness
from evabench.records.request import PROTOCOL
from tests.gate.repositories import commit, repository_of

PACKAGE = Path(evabench.__file__).parent
OURS = {
    "evabench/worker/start.py": "",
    "evabench/records/request.py": f"PROTOCOL = {PROTOCOL}  # of greeting\n",
    "evabench/optimizers/eva.py": "from evabench.settings.eva import EvaSettings\n",
    "evabench/settings/eva.py": 'optimizer: Literal["eva"] = "eva"\n',
    "evabench/settings/choices.py": "theirs = 1\n",
    "evabench/settings/kfac.py": "theirs = 1\n",
}
SUITE = """
name = "own"
title = "Own"
description = "A test."
[workloads.small]
workload = "autoencoder"
widths = [784, 20, 5]
batch = 100
[arms.Mine]
optimizer = "plugin"
name = "mine.optim:Mine"
[gate]
gated = ["small, Mine"]
"""


def laid(tmp_path, base, head):
    repository = repository_of(tmp_path, base)
    first = repository.revision("HEAD")
    commit(repository.root, head)
    second = repository.revision("HEAD")
    places = lay_sides(repository, tmp_path / "sides", first, second)
    return places, repository.changed_files(first, second)


def sides_of(places, make):
    return Sides(**{name: make(places[name], name, "python") for name in ("base", "head")})


def test_the_folders_of_both_sides_have_names_of_one_length(tmp_path):
    places, _ = laid(tmp_path, OURS, {"evabench/optimizers/eva.py": "new = 1\n"})
    assert len({len(str(place)) for place in places.values()}) == 1
    assert (places["copy"] / "evabench/optimizers/eva.py").read_text() == OURS["evabench/optimizers/eva.py"]


def test_swapped_sides_lie_where_the_other_lay(tmp_path):
    places, _ = laid(tmp_path, OURS, {"evabench/optimizers/eva.py": "new = 1\n"})
    sides = sides_of(places, own_code)
    swapped = sides.swapped()
    assert (swapped.head.folder, swapped.head.package) == (sides.base.folder, sides.base.package)
    assert (swapped.head.package / "optimizers/eva.py").read_text() == "new = 1\n"
    assert swapped.swapped() == sides


def test_a_side_that_speaks_another_protocol_is_exit_5_and_names_both(tmp_path):
    places, _ = laid(tmp_path, OURS, {"evabench/records/request.py": "PROTOCOL = 99\n"})
    with pytest.raises(IncomparableError, match=f"protocol 99.*{evabench.__version__}.*protocol {PROTOCOL}"):
        own_code(places["head"], "HEAD", "python")
    assert protocol_of(tmp_path) is None


def test_with_this_harness_only_the_optimizers_and_their_settings_are_the_sides_own(tmp_path):
    imports = "from evabench.settings.eva import X\nfrom evabench.settings.choices import Y\n"
    places, _ = laid(tmp_path, OURS, {"evabench/optimizers/eva.py": imports})
    code = with_this_harness(places["head"], "HEAD", "python")
    assert [path.name for path in (code.package / "optimizers").iterdir()] == ["eva.py"]
    assert (code.package / "settings/eva.py").read_text() == OURS["evabench/settings/eva.py"]
    assert not (code.package / "settings/kfac.py").exists()  # theirs, which none of their optimizers imports
    for ours in ("settings/choices.py", "settings/kronecker.py", "worker/start.py", "records/request.py"):
        assert (code.package / ours).read_bytes() == (PACKAGE / ours).read_bytes()


@pytest.mark.parametrize(
    ("head", "untouched", "differs"),
    [
        ({"docs/a.md": "words"}, True, False),
        ({"evabench/cli/gate.py": "x = 1"}, True, False),
        ({"evabench/optimizers/eva.py": "x = 1"}, False, False),
        ({"evabench/measurement/step.py": "x = 1"}, False, True),
        ({"evabench/workloads/noise.py": "x = 1"}, False, True),
    ],
)
def test_what_a_change_touches_decides_what_is_measured(tmp_path, head, untouched, differs):
    places, changed = laid(tmp_path, OURS, head)
    sides = sides_of(places, own_code)
    assert (why_untouched(sides, changed, evabench=True) is not None) is untouched
    assert measuring_code_differs(sides) is differs


def test_another_projects_documents_are_untouched_and_its_data_may_not_be(tmp_path):
    places, changed = laid(tmp_path, {"mine.py": ""}, {"README.md": "words"})
    sides = sides_of(places, other_project)
    assert why_untouched(sides, changed, evabench=False) is not None
    assert why_untouched(sides, (*changed, "table.npz"), evabench=False) is None


def test_a_module_of_the_checkout_is_found_ahead_of_what_is_installed(tmp_path):
    files = {"bench/own.toml": SUITE, "src/mine/__init__.py": "", "src/mine/optim.py": "class Mine: ...\n"}
    places, _ = laid(tmp_path, files, {"src/mine/optim.py": "class Mine: slow = 1\n"})
    gated = read_gated_suite(str(places["head"] / "bench/own.toml"), places["head"])
    sides = sides_of(places, other_project)
    check_names_lead_into(gated, sides.head)
    hashes = {
        one.counted_on(sides.on(side))["small, Mine"].optimizer.lies.hash
        for one in (gated,)
        for side in ("base", "head")
    }
    assert len(hashes) == 2
    assert None not in hashes


def test_a_suite_whose_plug_ins_are_only_installed_would_compare_one_code_with_itself(tmp_path):
    places, _ = laid(tmp_path, {"own.toml": SUITE.replace("mine.optim:Mine", "torch.optim:AdamW")}, {"a.py": ""})
    gated = read_gated_suite("own.toml", places["head"])
    with pytest.raises(GateError, match="both sides would be what is installed"):
        check_names_lead_into(gated, other_project(places["head"], "HEAD", "python"))


def test_a_suite_without_the_table_is_refused(tmp_path):
    with pytest.raises(GateError, match=r"has no table \[gate\]"):
        read_gated_suite("quickstart", tmp_path)


def test_the_suite_that_ships_is_gated_in_at_most_four_cells_and_counts_all():
    gated = read_gated_suite("ci", Path())
    assert 1 <= len(gated.table.gated) <= 4
    assert len(gated.cells()) == len(gated.suite.workloads) * len(gated.suite.arms)
    timed = gated.timed(Sides(**dict.fromkeys(("base", "head"), other_project(Path(), "x", "python"))), {})
    assert {test.num_tests for cell in timed for test in cell.tests.values()} == {2 * len(gated.table.gated)}


def test_the_baseline_of_a_side_is_the_one_that_it_has_committed(tmp_path):
    places, _ = laid(tmp_path, {"bench/own.toml": SUITE, "mine.py": ""}, {"mine.py": "x = 1"})
    project, code = tmp_path / "project", other_project(places["head"], "HEAD", "python")
    inside = read_gated_suite("bench/own.toml", project)
    assert inside.baseline_of(code, project) == places["head"] / "bench" / "own.baseline.json"
    outside = read_gated_suite(str(project / "bench/own.toml"), places["head"])
    assert outside.baseline_of(code, places["head"]) == project / "bench" / "own.baseline.json"


def test_margins_of_a_cell_take_the_place_of_the_rules_own(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(SUITE + 'margins."small, Mine" = { step = 0.08 }\n')
    gated = read_gated_suite(str(path), tmp_path)
    code = other_project(tmp_path, "x", "python")
    (cell,) = gated.timed(Sides(base=code, head=code), {("small, Mine", "own_time"): 0.01})
    step, own = cell.tests["step"], cell.tests["own_time"]
    assert (step.margins.least, step.margins.most, step.stored_noise) == (0.08, 0.08, None)
    assert (own.margins.least, own.margins.most, own.stored_noise) == (0.10, 0.15, 0.01)
    assert replace(gated, suite=gated.suite).baseline == path.with_suffix(".baseline.json").resolve()
