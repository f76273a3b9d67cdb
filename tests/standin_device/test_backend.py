"""The stand-in device is one that torch takes for real: memory, events, random numbers, two of them, and its limits."""

import io
import time

import pytest
import torch
from torch import nn

from evabench.optimizers import FOOF, KFAC, MFAC, Eva, EvaF, EvaS, Shampoo
from evabench.workloads.placed import Copies
from tests.standin_device.process import library

OPTIMIZERS = {
    "SGD": lambda net: torch.optim.SGD(net.parameters(), 0.1, momentum=0.9),
    "AdamW": lambda net: torch.optim.AdamW(net.parameters()),
    "Eva": Eva,
    "Eva-f": EvaF,
    "Eva-s": EvaS,
    "K-FAC": lambda net: KFAC(net, refresh_every=2),
    "FOOF": lambda net: FOOF(net, refresh_every=2, factorisation="cholesky"),
    "Shampoo": lambda net: Shampoo(net, refresh_every=2, root_method="newton"),
    "M-FAC": MFAC,
}


def it_is_the_accelerator():
    return str(torch.accelerator.current_accelerator()), torch.accelerator.device_count()


def test_torch_takes_it_for_the_accelerator_of_two_devices(standin):
    assert standin.ask(it_is_the_accelerator) == ("standin", 2)


def slept(seconds):
    start, end = (torch.Event("standin", enable_timing=True) for _ in range(2))
    start.record()
    time.sleep(seconds)
    end.record()
    torch.accelerator.synchronize()
    return start.elapsed_time(end) / 1e3


def test_events_tell_the_time_between_them(standin):
    assert 0.01 <= standin.ask(slept, 0.01) < 0.5


def drawn():
    found = []
    for device in ("cpu", "standin"):
        torch.manual_seed(7)
        mine = torch.Generator(device).manual_seed(8)
        one = nn.functional.dropout(torch.ones(9, device=device)), torch.rand(5, device=device, generator=mine)
        found.append([tensor.tolist() for tensor in one])
    state = torch.standin.get_rng_state()
    again = torch.rand(3, device="standin").tolist()
    torch.standin.set_rng_state(state)
    return found, again, torch.rand(3, device="standin").tolist()


def test_its_random_numbers_are_the_seeds_and_its_own(standin):
    (on_cpu, on_device), first, again = standin.ask(drawn)
    assert on_cpu == on_device
    assert first == again


def mixed(one, other):
    try:
        torch.ones(3, device=one) + torch.ones(3, device=other)
    except RuntimeError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("one", "other"), [("standin", "cpu"), ("standin:0", "standin:1"), ("cpu", "standin")])
def test_devices_are_not_mixed(standin, one, other):
    assert "same device" in standin.ask(mixed, one, other)


def peaks():
    counted = library()
    torch.empty(1, device="standin")
    counted.reset_peak(0)
    start = counted.counters(0)
    large = torch.empty(1000, device="standin")
    torch.empty(500, device="standin")
    there = counted.counters(0)
    del large
    after = counted.counters(0)
    return [one["live_bytes"] - start["live_bytes"] for one in (there, after)], there["peak_bytes"] - start[
        "live_bytes"
    ]


def test_memory_is_counted_live_and_at_its_peak(standin):
    assert standin.ask(peaks) == ([4000, 0], 6000)


def beyond_the_limit():
    counted = library()
    counted.set_limit_bytes(counted.counters(0)["live_bytes"] + 100)
    try:
        torch.empty(1000, device="standin")
    except torch.OutOfMemoryError as error:
        return str(error)
    finally:
        counted.set_limit_bytes(-1)
    return None


def test_memory_ends_with_torchs_own_error(standin):
    assert "Tried to allocate 4000 bytes" in standin.ask(beyond_the_limit)


def lost():
    counted = library()
    counted.lose_after_launches(1)
    try:
        one = torch.ones(3, device="standin")
        for _ in range(3):
            one = one + 1
    except RuntimeError as error:
        return str(error)
    finally:
        counted.lose_after_launches(-1)
    return None


def test_a_device_can_be_lost(standin):
    assert "the device is lost" in standin.ask(lost)


def moved():
    counted = library()
    before = counted.counters(0)
    pinned = torch.ones(10).pin_memory()
    on_device = pinned.to("standin", non_blocking=True)
    float(on_device.sum())
    on_device.cpu()
    after = counted.counters(0)
    return pinned.is_pinned(), {name: after[name] - before[name] for name in ("bytes_to_device", "host_reads")}


def test_copies_and_reads_are_counted_and_memory_can_be_pinned(standin):
    assert standin.ask(moved) == (True, {"bytes_to_device": 40, "host_reads": 2})


def moved_beside():
    counted, device = library(), torch.device("standin", 0)
    before = counted.counters(0)
    moved = Copies(device).moved(torch.ones(10))
    after = counted.counters(0)
    stream = torch.accelerator.current_stream(device).stream_id
    return str(moved.device), stream, [after[name] - before[name] for name in ("bytes_to_device", "bytes_beside")]


def test_batches_are_copied_on_a_stream_of_their_own(standin):
    assert standin.ask(moved_beside) == ("standin:0", 0, [40, 40])


def saved():
    stream = io.BytesIO()
    torch.save(nn.Linear(2, 2).to("standin:1").state_dict(), stream)
    stream.seek(0)
    return str(torch.load(stream, weights_only=True)["weight"].device)


def test_a_checkpoint_comes_back_to_its_device(standin):
    assert standin.ask(saved) == "standin:1"


def autocast_types():
    net = nn.Sequential(nn.Linear(3, 3), nn.Softmax(1)).to("standin")
    with torch.autocast("standin", torch.bfloat16):
        inside = net[0](torch.ones(2, 3, device="standin"))
        return str(inside.dtype), str(net[1](inside).dtype)


def test_autocast_lowers_products_and_keeps_what_needs_precision(standin):
    assert standin.ask(autocast_types) == ("torch.bfloat16", "torch.float32")


def trained(name, device, steps=4):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))
    batches = [torch.randn(4, 3, 8, 8) for _ in range(steps)]
    net.to(device)
    batches = [batch.to(device) for batch in batches]
    optimizer = OPTIMIZERS[name](net)
    reads = []
    for batch in batches:
        before = library().counters(0)["host_reads"]
        optimizer.zero_grad()
        net(batch).square().mean().backward()
        optimizer.step()
        reads.append(library().counters(0)["host_reads"] - before)
    state = {value.device.type for one in optimizer.state.values() for value in one.values() if torch.is_tensor(value)}
    kept = [*net.parameters(), *net.buffers()]  # the averages of the batch norm too
    return [tensor.detach().cpu().tolist() for tensor in kept], reads, state


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_on_it_as_on_a_cpu_and_reads_nothing(standin, name):
    on_cpu, _, _ = standin.ask(trained, name, "cpu")
    on_device, reads, state = standin.ask(trained, name, "standin")
    for one, other in zip(on_cpu, on_device, strict=True):
        torch.testing.assert_close(torch.tensor(other), torch.tensor(one), rtol=1e-5, atol=1e-6)
    assert reads == [0] * 4
    assert state - {"cpu"} == {"standin"} or not state
