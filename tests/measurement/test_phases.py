"""The parts of a step: exclusive, exact against a clock that counts, and able to find what is planted."""

import itertools
import time

import pytest

from evabench.measurement.timing.phases import HostMarks, PhaseRecorder, time_phases
from evabench.optimizers.phases import listening, phase
from evabench.records.measurement import PhasesSettings
from evabench.records.phases import Phases

SETTINGS = PhasesSettings(min_steps=4, min_cycles=2, min_warmup_steps=1)


class CountingClock:
    """Goes on by one millisecond at every reading."""

    def __init__(self):
        self.readings = itertools.count(step=1_000_000)

    def __call__(self):
        return next(self.readings)


def recorded(step):
    recorder = PhaseRecorder(HostMarks(CountingClock()))
    with listening(recorder):
        recorder.begin()
        step()
        recorder.end()
    (parts,) = recorder.read()
    return parts


def test_a_mark_costs_nothing_where_nobody_listens():
    with phase("forward"):
        pass


def test_the_parts_add_up_to_the_whole_and_the_rest_is_other():
    def step():
        with phase("forward"):
            pass
        with phase("backward"):
            pass

    assert recorded(step) == {"other": 0.003, "forward": 0.001, "backward": 0.001}


def test_the_time_of_an_inner_part_is_not_that_of_the_outer_one():
    def step():
        with phase("backward"), phase("capture"):
            pass

    assert recorded(step) == {"other": 0.002, "backward": 0.002, "capture": 0.001}


def test_a_part_that_is_entered_twice_is_one_part():
    def step():
        for _ in range(2):
            with phase("precondition"):
                pass

    assert recorded(step)["precondition"] == 0.002


def test_a_part_ends_where_an_exception_leaves_it():
    def step():
        with pytest.raises(KeyError), phase("refresh"):
            raise KeyError
        with phase("update"):
            pass

    assert set(recorded(step)) == {"other", "refresh", "update"}


def test_steps_are_read_once():
    recorder = PhaseRecorder(HostMarks(CountingClock()))
    for _ in range(2):
        recorder.begin()
        recorder.end()
    assert recorder.read() == [{"other": 0.001}, {"other": 0.001}]
    assert recorder.read() == []


def test_marked_and_plain_cycles_alternate_and_are_as_many():
    phases = time_phases(lambda: None, SETTINGS, cycle_steps=2, clock=HostMarks(CountingClock()))
    assert len(phases.steps) == len(phases.plain_seconds) == 4
    assert phases.marked_over_plain == (1.0, 1.0)


def test_nobody_listens_to_a_plain_step():
    heard = []

    class Step:
        count = 0

        def __call__(self):
            mark = phase("forward")
            with mark:
                heard.append(mark._heard_by is not None)

    time_phases(Step(), SETTINGS, cycle_steps=1)
    assert heard.count(True) == 4
    assert heard.count(False) == 4 + 1


def test_a_planted_sleep_of_10_ms_is_found_in_its_part_alone():
    planted = 0.010

    def step():
        with phase("forward"):
            pass
        with phase("precondition"):
            time.sleep(planted)

    parts = time_phases(step, SETTINGS, cycle_steps=1).amortised
    assert parts["precondition"] >= planted
    assert parts["forward"] < planted


def test_a_refresh_counts_at_its_share_of_the_cycle():
    steps = tuple({"refresh": 0.1 if index % 2 == 0 else 0.0, "forward": 0.01} for index in range(4))
    phases = Phases(cycle_steps=2, steps=steps, plain_seconds=(0.1,) * 4)
    assert phases.amortised == {"forward": pytest.approx(0.01), "refresh": pytest.approx(0.05)}
