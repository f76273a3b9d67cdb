"""All checks, part by part. The first two have the points 1 to 7; the limits of a part come to 4 minutes at most."""

import subprocess
import sys

from tools.gpu_check import (
    clock,
    cost,
    energy,
    environment,
    launches,
    looks,
    memory,
    optimizers,
    phases,
    profile,
    quickstart,
)
from tools.gpu_check.answer import Answer, Check, yes_if
from tools.gpu_check.bench import Bench


def marked_tests(bench: Bench) -> Answer:
    """Run the tests marked `cuda`."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider", "tests/cuda"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return Answer(
        answer="not tried" if done.returncode == 5 else yes_if(done.returncode == 0, "no"),  # 5: none was left
        figure=lines[-1] if lines else done.stderr[-500:],
        rule="every test passes",
        rows=tuple({"failed": line[:300]} for line in failed),
        values={"output": done.stdout[-6000:], "errors": done.stderr[-2000:]},
    )


CHECKS = (
    Check(
        part="environment",
        name="machine",
        points=(1,),
        question="Does NVML find the GPU that torch trains on?",
        run=environment.machine,
        seconds=20,
    ),
    Check(
        part="environment",
        name="which_device",
        points=(3,),
        question="Do torch, NVML and the environment name the same device?",
        run=environment.which_device,
        seconds=15,
    ),
    Check(
        part="environment",
        name="own_process",
        points=(4,),
        question="Does NVML list this process under a number of its own, with its memory?",
        run=environment.own_process,
        seconds=15,
    ),
    Check(
        part="environment",
        name="look_cost",
        points=(2,),
        question="Are looks every 10 ms cheap, and harmless to the steps beside them?",
        run=looks.look_cost,
        seconds=60,
    ),
    Check(
        part="environment",
        name="tracker_and_allocator",
        points=(1,),
        question="Is the peak of live tensors the allocator's within 1 %?",
        run=memory.tracker_and_allocator,
        seconds=70,
    ),
    Check(
        part="environment",
        name="nvml_and_allocator",
        points=(1,),
        question="Do allocator, process and device stand in their order, and how large is the context?",
        run=memory.nvml_and_allocator,
        seconds=40,
    ),
    Check(
        part="environment",
        name="mps",
        points=(6,),
        question="Whose memory is that of a client of MPS?",
        run=environment.mps,
        seconds=10,
    ),
    Check(
        part="clock",
        name="two_clocks",
        points=(7,),
        question="Do events and wall clock agree within 2 %?",
        run=clock.two_clocks,
        seconds=75,
    ),
    Check(
        part="clock",
        name="tenth_of_a_step",
        points=(7,),
        question="Does a tenth of a step tell host-bound steps from others, beyond the launch queue too?",
        run=clock.tenth_of_a_step,
        seconds=25,
    ),
    Check(
        part="clock",
        name="launches",
        points=(7,),
        question="How many launches has a step, and does the host-bound flag fit the time that the device is busy?",
        run=launches.counted,
        seconds=65,
    ),
    Check(
        part="clock",
        name="counter_and_integral",
        points=(5,),
        question="Do the energy counter and the integral of the power agree within 10 %?",
        run=energy.counter_and_integral,
        seconds=75,
    ),
    Check(
        part="optimizers",
        name="double_precision",
        points=(),
        question="Does every optimizer train on the GPU as on the CPU?",
        run=optimizers.double_precision,
        seconds=45,
    ),
    Check(
        part="optimizers",
        name="no_waiting",
        points=(),
        question="Do plain steps never make the host wait for the device?",
        run=optimizers.no_waiting,
        seconds=30,
    ),
    Check(
        part="optimizers",
        name="mixed_precision",
        points=(),
        question="Does every optimizer train under autocast, with a loss scaler too?",
        run=optimizers.mixed_precision,
        seconds=35,
    ),
    Check(
        part="optimizers",
        name="compiled",
        points=(),
        question="Does `Eva(compile=True)` train as without, and what does it save?",
        run=optimizers.compiled,
        seconds=120,
    ),
    Check(
        part="quickstart",
        name="quickstart",
        points=(),
        question="Does the quick start run to its end on the GPU, with its report?",
        run=quickstart.quickstart,
        seconds=235,
    ),
    Check(
        part="cost",
        name="cost_autoencoder",
        points=(),
        question="What does a step cost over SGD's on the autoencoder?",
        run=cost.autoencoder,
        seconds=45,
    ),
    Check(
        part="cost",
        name="cost_resnet",
        points=(),
        question="What does a step cost over SGD's on ResNet-32?",
        run=cost.resnet,
        seconds=70,
    ),
    Check(
        part="cost",
        name="cost_autoencoder_refreshes",
        points=(),
        question="The same for optimizers with refreshes, on the autoencoder",
        run=cost.autoencoder_dear,
        seconds=55,
    ),
    Check(
        part="cost",
        name="cost_resnet_refreshes",
        points=(),
        question="The same for optimizers with refreshes, on ResNet-32",
        run=cost.resnet_dear,
        seconds=70,
    ),
    Check(
        part="phases",
        name="marks_in_the_stream",
        points=(8,),
        question="Are marks in hooks of the backward pass in the stream of the step?",
        run=phases.marks_in_the_stream,
        seconds=30,
    ),
    Check(
        part="phases",
        name="parts_of_a_step",
        points=(8,),
        question="Are marks cheap, and are the parts of a step the device's times?",
        run=phases.parts_of_a_step,
        seconds=60,
    ),
    Check(
        part="profile",
        name="trace_and_tables",
        points=(9,),
        question="Has `evabench profile` kernels in its trace, and the host's time in its tables?",
        run=profile.trace_and_tables,
        seconds=60,
    ),
    Check(
        part="profile",
        name="side_work",
        points=(10,),
        question="Is autograd's own thread at work beside a step, so that side work is rightly None?",
        run=profile.side_work,
        seconds=30,
    ),
    Check(
        part="tests",
        name="tests",
        points=(),
        question="Do the tests marked `cuda` pass?",
        run=marked_tests,
        seconds=150,
    ),
)
MINUTES = 4.0  # of a part
PARTS = tuple(dict.fromkeys(check.part for check in CHECKS))
