"""Calibrated noise: used once it rests on enough gates, and only for the processor that it is of."""

import pytest

from evabench.errors import GateError
from evabench.gate.noise_file import MIN_GATES, NoiseFile, read_noise, write_noise
from evabench.gate.timed import Series, time_pairs
from evabench.stats.noise import NOISE_PAIRS
from tests.gate.fake_sides import FakeMachine, sides_of
from tests.gate.pairs import pairs_of
from tests.gate.test_timed import CELLS

KEY = ("small, Eva", "step")


def calibrated(num_gates, processor="a CPU"):
    noise = NoiseFile()
    for number in range(num_gates):
        noise = noise.with_gate(processor, {KEY: pairs_of([0.01 if number % 2 else -0.01] * NOISE_PAIRS)})
    return noise


def test_noise_is_the_sd_of_the_estimates_of_enough_gates():
    assert calibrated(MIN_GATES - 1).noises("a CPU") == {}
    assert calibrated(MIN_GATES).noises("a CPU")[KEY] == pytest.approx(0.01, rel=0.05)


def test_noise_of_another_processor_is_not_used():
    assert calibrated(MIN_GATES).noises("another CPU") == {}


def test_a_gate_that_was_cut_short_is_left_out():
    assert NoiseFile().with_gate("a CPU", {KEY: pairs_of([0.0] * 3)}) == NoiseFile()


def test_the_file_comes_back_and_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "gate" / "noise.json"
    assert read_noise(path) == NoiseFile()
    write_noise(path, calibrated(2))
    assert read_noise(path) == calibrated(2)
    path.write_text("{")
    with pytest.raises(GateError, match="no file of --calibrate"):
        read_noise(path)


def test_calibration_takes_every_pair_and_looks_at_none(tmp_path):
    made = time_pairs(CELLS, Series(sides=sides_of(tmp_path, FakeMachine()), timeout_seconds=1.0), 3)
    assert {key: len(pairs) for key, pairs in made.items()} == {KEY: 3, ("small, Eva", "own_time"): 3}
