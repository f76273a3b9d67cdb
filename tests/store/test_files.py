"""The store: whole lines or none, the last attempt counts, nothing is lost in silence."""

from pathlib import Path

import pytest

from evabench.errors import OutputError
from evabench.records.convergence import Convergence
from evabench.records.memory import LiveBytes, Memory, PeakBytes
from evabench.settings.eva import EvaSettings
from evabench.settings.plugin_optimizers import PluginSettings
from evabench.store.files import RunStore
from evabench.store.schema import SCHEMA
from tests.full_disk import full_disk
from tests.runs import run

MEMORY = Memory(
    num_parameters=1,
    parameter_bytes=4,
    state_bytes=8,
    curvature_state_bytes=4,
    peak=PeakBytes(parameters=4, gradients=4, activations=1, optimizer_state=4, statistics=4, batch=1, temporaries=0),
    peak_phase="backward",
    peak_layer="0",
    timeline=(LiveBytes(phase="forward", live_bytes=3),),
    allocator_peak_bytes=20,
    workspace_bytes=None,
    workspace_operator=None,
    rss_high_water_bytes=None,
)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "suite" / "host" / "runs.jsonl")


def test_a_store_that_does_not_exist_yet_is_empty(store):
    assert store.load() == ()


@pytest.mark.parametrize("optimizer", [EvaSettings(lr=1), PluginSettings(name="a:B", options={"lr": 0.1, "x": True})])
def test_what_is_appended_is_loaded_again_equal(store, optimizer):
    runs = (run(seed=1, optimizer=optimizer, measured=MEMORY), run(seed=2, optimizer=optimizer, outcome="crashed"))
    store.append(runs)
    assert store.load() == runs


def test_of_two_attempts_at_one_key_the_last_one_counts(store):
    failed, completed = run(outcome="timeout"), run()
    store.append([failed])
    store.append([completed])
    assert store.load() == (completed,)
    assert len(store.path.read_text().splitlines()) == 2


def test_a_torn_last_line_is_not_loaded_and_is_set_aside_at_the_next_append(store):
    first, second = run(seed=1), run(seed=2)
    store.append([first])
    with store.path.open("a") as file:
        file.write('{"schema": 1, "run": {"key": "ab')
    assert store.load() == (first,)
    store.append([second])
    assert store.load() == (first, second)
    assert store.set_aside.read_text() == '{"schema": 1, "run": {"key": "ab'


def test_a_torn_last_line_is_told_by_its_file_and_reading_changes_nothing(store):
    store.append([run()])
    assert store.read().torn is None
    with store.path.open("a") as file:
        file.write('{"schema')
    before = store.path.read_bytes()
    assert store.read().torn.startswith(f"The last line of {store.path} is not whole")
    assert store.path.read_bytes() == before
    assert store.set_aside is None


def test_mending_sets_a_torn_line_aside_without_a_run_to_write(store):
    store.append([run()])
    with store.path.open("a") as file:
        file.write('{"schema')
    store.mend()
    assert store.load() == (run(),)
    assert store.read().torn is None
    assert store.set_aside.read_text() == '{"schema'


def test_mending_a_whole_file_touches_nothing(store):
    store.mend()
    assert not store.path.parent.exists()


def test_on_a_full_disk_nothing_of_a_run_is_left_behind(store):
    store.append([run(seed=1)])
    size = store.path.stat().st_size
    with full_disk(size + 100), pytest.raises(OutputError, match="Make room for it"):
        store.append([run(seed=2)])
    assert store.path.stat().st_size == size


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"no JSON", "this is no run of evabench"),
        (b"[]", "this is no run of evabench"),
        (b"[" * 100_000, "this is no run of evabench"),
        (b'{"schema": 1}', "the run is damaged: KeyError 'run'"),
        (b'{"schema": 1, "run": []}', "the run is damaged: "),
        (b'{"schema": %d, "run": {"key": 3}}' % SCHEMA, "the run is damaged: key must be a text"),
        (b'{"schema": 99, "run": {}}', "a newer evabench wrote it (schema 99; known here: up to "),
        (b"\xff\xfe", "this is no text"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_hides_no_other(store, line, told):
    first, second = run(seed=1), run(seed=2)
    store.append([first])
    with store.path.open("ab") as file:
        file.write(line + b"\n")
    store.append([second])
    stored = store.read()
    assert stored.entries == (first, second)
    (fault,) = stored.faults
    assert fault.startswith(f"{store.path}, line 2: not used: {told}")


GOLDEN = Path(__file__).parent.parent / "golden"


def test_lines_of_the_first_format_still_load():
    memory, warm_up, step_time = RunStore(GOLDEN / "runs_of_schema_1.jsonl").load()
    assert memory.measured.peak.total > 0
    assert memory.measured.device is None
    assert warm_up.measured.discarded_steps > 0
    assert len(step_time.measured.step_seconds) == 30
    assert step_time.measured.energy is None


def test_a_memory_run_of_schema_1_has_its_curvature_apart():
    sgd, _, _ = RunStore(GOLDEN / "runs_of_schema_1.jsonl").load()
    assert sgd.measured.peak.statistics == sgd.measured.curvature_state_bytes == 0
    assert sgd.measured.peak.optimizer_state == sgd.measured.state_bytes
    assert sgd.measured.timeline == ()
    assert sgd.measured.allocator_peak_bytes is None


@pytest.mark.parametrize("schema", [2, 3])
def test_a_training_run_of_an_old_schema_lacks_what_nobody_had_measured(schema):
    runs = RunStore(GOLDEN / f"runs_of_schema_{schema}.jsonl").load()
    (curve,) = [run.measured for run in runs if isinstance(run.measured, Convergence)]
    assert curve.evaluations[-1].validation_loss > 0
    assert (curve.test_accuracy, curve.test_bits_per_byte, curve.input_wait_seconds) == (None, None, None)
    assert curve.evaluations[-1].validation_accuracy is None


def test_a_stored_eva_per_example_keeps_its_meaning_where_there_are_images():
    reference = Path(__file__).parents[2] / "results" / "reference" / "damping" / "runs.jsonl"
    runs = [run for run in RunStore(reference).load() if run.cell.arm == "Eva, per example"]
    found = {run.cell.workload_name: run.cell.optimizer.output_gradient for run in runs}
    assert found == {
        "autoencoder-half": "per_example",
        "resnet20-narrow": "per_example_mean",
        "gpt-small": "per_example",
    }


@pytest.mark.parametrize("schema", [2, 4, 8])
def test_a_run_of_an_old_schema_has_one_hash_for_the_sources_of_all_children(schema):
    run, *_ = RunStore(GOLDEN / f"runs_of_schema_{schema}.jsonl").load()
    assert list(run.code.hashes) == ["sources"]
    assert run.code.id == run.code.hashes["sources"]
