"""The clock, the marks and the memory of a real GPU."""

import pytest
import torch

from evabench.measurement.timing.device_clock import clock_on
from tests.cuda import NEEDS_A_GPU
from tools.gpu_check.bench import Bench
from tools.gpu_check.clock import launched, two_clocks_of
from tools.gpu_check.memory import TRACKED, nvml_and_allocator, tracked
from tools.gpu_check.phases import marks_in_the_stream
from tools.gpu_check.trainings import AE, AE_SMALL, WIDE

pytestmark = list(NEEDS_A_GPU)

BENCH = Bench(device_name="cuda")
LARGE, SMALL = 1 << 23, 1  # elements of a kernel: of about 25 us, and shorter than its launch


@pytest.mark.parametrize("arm", ["SGD", "Eva"])
@pytest.mark.parametrize("net", [AE_SMALL, WIDE])
def test_events_and_wall_clock_agree_within_2_percent(net, arm):
    assert abs(two_clocks_of(BENCH, net, arm)["events/wall - 1"]) < 0.02


@pytest.mark.parametrize(("num_kernels", "num_elements", "host_bound"), [(500, SMALL, True), (500, LARGE, False)])
def test_a_step_is_host_bound_where_its_kernels_are_shorter_than_their_launches(num_kernels, num_elements, host_bound):
    assert launched(BENCH, num_kernels, num_elements)["host bound"] is host_bound


def test_the_host_runs_ahead_of_the_device_inside_a_block():
    x = torch.ones(8 * LARGE, device="cuda")  # more than 100 us a kernel: an event and a launch take some 15
    block = clock_on(x.device).time_steps(lambda: x.mul_(1.0), 200)
    assert block.host_seconds < block.block_seconds / 2


def test_every_mark_is_passed_in_the_stream_of_the_step():
    assert marks_in_the_stream(BENCH).answer == "yes"


@pytest.mark.parametrize("arm", TRACKED)
def test_tensors_and_the_workspace_of_an_operator_are_the_allocators_peak_within_1_percent(arm):
    assert abs(tracked(BENCH, AE, arm)["unexplained"]) < 0.01
    BENCH.release()


def test_what_is_allocated_is_within_the_reserve_and_that_within_the_device():
    assert nvml_and_allocator(BENCH).answer == "yes"
