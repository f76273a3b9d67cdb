"""What a machine is like now, from the files that the system has, or says that it does not have."""

import pytest

from evabench.machine.state import read_machine_state


def governor(root, cpu, name):
    folder = root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq"
    folder.mkdir(parents=True)
    (folder / "scaling_governor").write_text(f"{name}\n")


def test_every_governor_is_named_once(tmp_path):
    for cpu, name in enumerate(["powersave", "performance", "powersave"]):
        governor(tmp_path, cpu, name)
    assert read_machine_state(tmp_path, {}).governors == ("powersave", "performance")


def test_without_cpufreq_the_governor_is_not_known(tmp_path):
    assert read_machine_state(tmp_path, {}).governors is None


def test_the_thread_variables_of_the_shell_are_told_and_no_others(tmp_path):
    state = read_machine_state(tmp_path, {"OMP_NUM_THREADS": "8", "HOME": "/root", "MKL_NUM_THREADS": "2"})
    assert state.thread_variables == {"OMP_NUM_THREADS": "8", "MKL_NUM_THREADS": "2"}


def test_what_every_linux_has_is_read(tmp_path):
    state = read_machine_state(tmp_path, {})
    assert state.load_1min >= 0
    assert state.free_memory_bytes > 0
    assert 0 <= state.swap_used_bytes <= state.swap_bytes


def test_without_a_driver_the_reason_is_one_line_and_no_failure(no_library):
    gpus, reason = no_library.ask(gpus_and_reason, {})
    assert gpus is None
    assert "libnvidia-ml.so.1 was not found" in reason
    assert len(reason.splitlines()) == 1


def gpus_and_reason():
    state = read_machine_state(environment={})
    return state.gpus, state.why_no_gpus


@pytest.mark.parametrize("visible", ["", None])
def test_hidden_gpus_are_no_reason(tmp_path, visible):
    state = read_machine_state(tmp_path, {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})
    assert (state.gpus is None) == (state.why_no_gpus is not None)
