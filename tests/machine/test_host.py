"""What was measured: the sources of a user's own optimizer and workload are part of the code of a run."""

from evabench.machine.code import read_code
from evabench.records.cell import Cell
from evabench.records.measurement import MemorySettings
from evabench.runner.planned_run import plan_run
from evabench.settings.classifiers import STAND_IN_CHECKPOINT, ClassifierSettings
from evabench.settings.first_order import SgdSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.settings.plugin_workloads import PluginWorkloadSettings
from tests.runs import HOST, SMALL

SGD = SgdSettings(lr=0.1)


def plugin_of(name, workload=SMALL):
    return read_code(PluginSettings(name=name), workload).plugin


def task(name):
    return PluginWorkloadSettings(name=name, training_samples=100)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_an_edit_of_a_users_own_workload_makes_its_runs_again(tmp_path):
    first, edited = (write(tmp_path / name / "mine.py", f"x = '{name}'") for name in ("first", "edited"))
    assert read_code(SGD, task(f"{first}:ring")).plugin != read_code(SGD, task(f"{edited}:ring")).plugin
    same = write(tmp_path / "same" / "mine.py", first.read_text())
    assert read_code(SGD, task(f"{first}:ring")).plugin == read_code(SGD, task(f"{same}:ring")).plugin
    cell = Cell(
        workload_name="ring", workload=task(f"{first}:ring"), arm="SGD", optimizer=SGD, measurement=MemorySettings()
    )
    assert plan_run(cell, 0, HOST).code.plugin is not None


def test_an_own_optimizer_on_an_own_workload_has_both_in_its_code(tmp_path):
    optimizer, workload = (write(tmp_path / f"{name}.py", name) for name in ("optimizer", "workload"))
    both = plugin_of(f"{optimizer}:Mine", task(f"{workload}:ring"))
    assert len({both, plugin_of(f"{optimizer}:Mine"), read_code(SGD, task(f"{workload}:ring")).plugin}) == 3


def test_an_edit_anywhere_in_the_package_of_a_plug_in_counts_and_nothing_is_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, helper in (("shop_one", "a = 1"), ("shop_two", "a = 1"), ("shop_three", "a = 2")):
        write(tmp_path / name / "__init__.py", "raise ImportError('imported')")
        write(tmp_path / name / "parts" / "optim.py", "class Mine: ...")
        write(tmp_path / name / "parts" / "__init__.py", "")
        write(tmp_path / name / "parts" / "helper.py", helper)
    one, two, three = (plugin_of(f"{name}.parts.optim:Mine") for name in ("shop_one", "shop_two", "shop_three"))
    assert one is not None
    assert one == two != three


def test_a_module_in_the_folder_of_the_call_is_found_as_the_child_finds_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [entry for entry in __import__("sys").path if entry])
    write(tmp_path / "lonely_module.py", "class Mine: ...")
    assert plugin_of("lonely_module:Mine") is not None


def test_a_plug_in_that_is_not_there_has_no_code(tmp_path):
    for name in (
        f"{tmp_path}/gone.py:Mine",
        "no_such_module:Mine",
        "torch.no_such_part:Mine",
        "tests.runs.deeper:Mine",
    ):
        assert plugin_of(name) is None


def fine_tuned_from(checkpoint):
    return read_code(SGD, ClassifierSettings(model="resnet20", checkpoint=str(checkpoint))).plugin


def test_another_file_of_weights_is_another_run_and_the_same_one_elsewhere_is_not(tmp_path):
    first, same, other = (write(tmp_path / f"{name}.pt", name[:1]) for name in ("first", "found", "other"))
    assert fine_tuned_from(first) == fine_tuned_from(same) != fine_tuned_from(other)


def test_a_generated_checkpoint_or_one_that_is_not_there_has_no_hash(tmp_path):
    assert fine_tuned_from(STAND_IN_CHECKPOINT) is fine_tuned_from(tmp_path / "gone.pt") is None
