"""Which code a run rests on: what all children share, the wings of its own cell, and what is the user's."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import evabench
from evabench.machine.code import read_code
from evabench.machine.sources import imports_of, sources_of
from evabench.records.measurement import (
    ConvergenceSettings,
    CountsSettings,
    DirectionsSettings,
    MechanismSettings,
    PhasesSettings,
    ProbeSettings,
    ProfileSettings,
    RateSettings,
    StepTimeSettings,
    WarmUpSettings,
)
from evabench.settings.classifiers import STAND_IN_CHECKPOINT, ClassifierSettings
from evabench.settings.eva import EvaFSettings, EvaSettings, EvaSSettings
from evabench.settings.first_order import AdamWSettings, SgdSettings
from evabench.settings.kronecker import FoofSettings, KfacSettings
from evabench.settings.language import LanguageSettings
from evabench.settings.mfac import MfacSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from evabench.settings.quadratics import QuadraticSettings
from evabench.settings.shampoo import ShampooSettings
from evabench.settings.synthetic import SyntheticSettings
from tests.runs import cell

SGD = SgdSettings(lr=0.1)
PACKAGE = Path(evabench.__file__).parent
ROOMS = ("eva", "kfac", "shampoo", "mfac")

ARMS = {
    "sgd": cell(optimizer=SGD),
    "adamw": cell(optimizer=AdamWSettings(lr=0.1)),
    "eva": cell(optimizer=EvaSettings()),
    "eva_f": cell(optimizer=EvaFSettings()),
    "eva_s": cell(optimizer=EvaSSettings()),
    "kfac": cell(optimizer=KfacSettings()),
    "foof": cell(optimizer=FoofSettings()),
    "shampoo": cell(optimizer=ShampooSettings()),
    "mfac": cell(optimizer=MfacSettings()),
}
NETS = {
    "classifier": cell(net=ClassifierSettings(model="resnet20"), optimizer=SGD),
    "language": cell(net=LanguageSettings(), optimizer=SGD),
    "synthetic": cell(net=SyntheticSettings(), optimizer=SGD),
    "quadratic": cell(net=QuadraticSettings(), optimizer=SGD),
}
TRAINING = ConvergenceSettings(steps=8, evaluate_every=2)
KINDS = {
    "warm-up": cell(measurement=WarmUpSettings(), optimizer=SGD),
    "time": cell(measurement=StepTimeSettings(), optimizer=SGD),
    "phases": cell(measurement=PhasesSettings(), optimizer=SGD),
    "training": cell(measurement=ConvergenceSettings(steps=4, evaluate_every=2), optimizer=SGD),
    "mechanism": cell(measurement=MechanismSettings(), optimizer=SGD),
    "rate": cell(measurement=RateSettings(multiples=(1.0,)), optimizer=SGD),
    "counts": cell(measurement=CountsSettings(), optimizer=SGD),
    "directions": cell(measurement=DirectionsSettings(training=TRAINING), optimizer=SGD),
    "probe": cell(measurement=ProbeSettings(), optimizer=SGD),
    "profile": cell(measurement=ProfileSettings(trace="a"), optimizer=SGD),
}
ADAPTER = {"adapter": cell(optimizer=PluginSettings(name="evabench.peers.singd:SINGD"))}
CELLS = ARMS | NETS | KINDS | ADAPTER

# The edits that are tried, and the cells whose runs have to be made again.
# Probes of the mechanism step as Eva, Eva-f, K-FAC, FOOF and Shampoo do, whatever optimizer trains.
EDITS = [
    ("optimizers/mfac/mfac.py", {"mfac"}),
    ("optimizers/mfac/gradient_window.py", {"mfac"}),
    ("settings/mfac.py", {"mfac"}),
    ("optimizers/kfac/factored_step.py", {"kfac", "foof", "mechanism"}),
    ("optimizers/eva/eva_s.py", {"eva_s"}),
    ("optimizers/capture/patch_products.py", {"kfac", "foof", "mechanism"}),
    ("optimizers/shell/preconditioner.py", {*ARMS, "mechanism", "directions"} - {"sgd", "adamw"}),
    ("workloads/language.py", {"language"}),
    ("settings/classifiers.py", {"classifier", "probe"}),
    ("measurement/mechanism/directions.py", {"mechanism"}),
    ("measurement/convergence.py", {"training"}),
    ("measurement/direction_probes.py", {"directions"}),
    ("records/convergence.py", {"training"}),
    ("measurement/memory/memory.py", {*ARMS, *NETS, "adapter", "probe"}),
    ("peers/singd.py", {"adapter"}),
    ("peers/asdl.py", set()),
    ("suite/tables.py", set()),
    ("cli/show.py", set()),
    ("claims/judge.py", set()),
    ("machine/code.py", set()),
    ("__init__.py", set()),  # the version
    ("worker/main.py", {*CELLS}),
    ("records/cell.py", {*CELLS}),
    ("workloads/in_memory.py", {*CELLS}),
    ("optimizers/__init__.py", {*CELLS}),
]

_TELL = """
import json
from evabench.machine import sources
from evabench.machine.code import read_code
from tests.machine.test_code import CELLS, EDITS

def codes():
    for cached in vars(sources).values():
        getattr(cached, "cache_clear", lambda: None)()
    return {name: read_code(cell).identity for name, cell in CELLS.items()}

before, changed = codes(), {}
for file, _ in EDITS:
    path = sources._PACKAGE / file
    content = path.read_text()
    path.write_text(content + "# an edit\\n")
    changed[file] = [name for name, code in codes().items() if code != before[name]]
    path.write_text(content)
print(json.dumps(changed))
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """What each of the edits changes, in a copy of the package."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, root / "evabench", ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    for path in ("__init__.py", "runs.py", "machine/__init__.py", "machine/test_code.py"):
        (root / "tests" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).parent.parent / path, root / "tests" / path)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    told = subprocess.run([sys.executable, "-c", _TELL], cwd=root, env=environment, check=True, capture_output=True)
    return json.loads(told.stdout)


@pytest.mark.parametrize(("file", "cells"), EDITS)
def test_an_edit_makes_the_runs_again_that_rest_on_the_file_and_no_others(file, cells, changed):
    assert set(changed[file]) == cells


def test_a_repository_that_gits_variables_name_is_not_the_codes(tmp_path, monkeypatch):
    for place in ("hook", "code"):
        subprocess.run(["git", "init", "-q", tmp_path / place], check=True)
    shutil.copytree(PACKAGE, tmp_path / "code" / "evabench", ignore=shutil.ignore_patterns("__pycache__", "*.npz"))
    git = ["git", "-C", tmp_path / "code", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "add", "evabench/__init__.py"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "a"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    tell = "from evabench.machine import code; print(*code._git_state())"
    hook = tmp_path / "hook"
    told = subprocess.run(
        [sys.executable, "-c", tell],
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path / "code"),
            "GIT_DIR": str(hook / ".git"),
            "GIT_WORK_TREE": str(hook),
            "GIT_INDEX_FILE": str(hook / ".git" / "index"),
        },
        cwd=hook,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert told.split() == [commit, "True"]


@pytest.mark.parametrize("name", ["sgd", "adamw", *NETS, *(name for name in KINDS if name != "mechanism"), "adapter"])
def test_without_a_family_of_ours_a_run_rests_on_no_room_of_a_family(name):
    on = set().union(*sources_of(CELLS[name]).values())
    assert not [module for module in on if module.startswith(tuple(f"evabench.optimizers.{room}." for room in ROOMS))]


def test_every_module_that_a_launch_server_imports_is_one_that_some_run_rests_on():
    tell = "import sys, evabench.worker.server; print(*(name for name in sys.modules if name.startswith('evabench.')))"
    done = subprocess.run([sys.executable, "-c", tell], check=True, capture_output=True, text=True)
    known = set().union(*(modules for each in CELLS.values() for modules in sources_of(each).values()))
    assert set(done.stdout.split()) - known == set()


def imported_by_python_s_own_reader(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def module_of(path):
    return ".".join(["evabench", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


def test_the_quick_reader_of_imports_finds_what_pythons_own_finds():
    modules = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    for name, path in modules.items():
        assert set(imports_of(name)) == {one for one in imported_by_python_s_own_reader(path) if one in modules}


def test_no_module_imports_through_a_package_that_hands_on_what_lies_in_wings():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "evabench.optimizers":
                assert [alias.name for alias in node.names] == ["build_optimizer"], path  # which is made there


def own(name, part="plug-in optimizer"):
    return read_code(cell(optimizer=PluginSettings(name=name))).hashes.get(part)


def task_hash(name):
    task = PluginWorkloadSettings(name=name, training_samples=100)
    return read_code(cell(optimizer=SGD, net=task)).hashes.get("plug-in workload")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_an_edit_of_a_users_own_workload_makes_its_runs_again(tmp_path):
    first, edited = (write(tmp_path / name / "mine.py", f"x = '{name}'") for name in ("first", "edited"))
    assert task_hash(f"{first}:ring") != task_hash(f"{edited}:ring")
    same = write(tmp_path / "same" / "mine.py", first.read_text())
    assert task_hash(f"{first}:ring") == task_hash(f"{same}:ring") is not None


def test_an_own_optimizer_on_an_own_workload_has_both_in_its_code(tmp_path):
    optimizer, workload = (write(tmp_path / f"{name}.py", name) for name in ("optimizer", "workload"))
    task = PluginWorkloadSettings(name=f"{workload}:ring", training_samples=100)
    both = read_code(cell(optimizer=PluginSettings(name=f"{optimizer}:Mine"), net=task)).hashes
    assert both["plug-in optimizer"] == own(f"{optimizer}:Mine")
    assert both["plug-in workload"] == task_hash(f"{workload}:ring") != both["plug-in optimizer"]


def test_an_edit_anywhere_in_the_package_of_a_plug_in_counts_and_nothing_is_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, helper in (("shop_one", "a = 1"), ("shop_two", "a = 1"), ("shop_three", "a = 2")):
        write(tmp_path / name / "__init__.py", "raise ImportError('imported')")
        write(tmp_path / name / "parts" / "optim.py", "class Mine: ...")
        write(tmp_path / name / "parts" / "__init__.py", "")
        write(tmp_path / name / "parts" / "helper.py", helper)
    one, two, three = (own(f"{name}.parts.optim:Mine") for name in ("shop_one", "shop_two", "shop_three"))
    assert one is not None
    assert one == two != three


@pytest.mark.parametrize("beside", ["helper.py", "helper/__init__.py"])
def test_what_a_plug_in_file_imports_from_beside_it_counts(tmp_path, beside):
    for folder, text in (("one", "a = 1"), ("two", "a = 1"), ("three", "a = 2")):
        write(tmp_path / folder / "mine.py", "import math\nfrom helper import a\n")
        write(tmp_path / folder / beside, text)
        write(tmp_path / folder / "unrelated.py", folder)
    one, two, three = (own(f"{tmp_path / folder}/mine.py:Mine") for folder in ("one", "two", "three"))
    assert one == two != three


def test_a_module_in_the_folder_of_the_call_is_found_as_the_child_finds_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry])
    write(tmp_path / "lonely_module.py", "class Mine: ...")
    assert own("lonely_module:Mine") is not None


def test_a_plug_in_that_is_not_there_has_no_code(tmp_path):
    for name in (
        f"{tmp_path}/gone.py:Mine",
        "no_such_module:Mine",
        "torch.no_such_part:Mine",
        "tests.runs.deeper:Mine",
    ):
        assert own(name) is None


def fine_tuned_from(checkpoint):
    net = ClassifierSettings(model="resnet20", checkpoint=str(checkpoint))
    return read_code(cell(optimizer=SGD, net=net)).hashes.get("checkpoint")


def test_another_file_of_weights_is_another_run_and_the_same_one_elsewhere_is_not(tmp_path):
    first, same, other = (write(tmp_path / f"{name}.pt", name[:1]) for name in ("first", "found", "other"))
    assert fine_tuned_from(first) == fine_tuned_from(same) != fine_tuned_from(other)


def test_a_generated_checkpoint_or_one_that_is_not_there_has_no_hash(tmp_path):
    assert fine_tuned_from(STAND_IN_CHECKPOINT) is fine_tuned_from(tmp_path / "gone.pt") is None
