"""Suite files that tests change a word of."""

import pytest

from evabench.errors import SuiteError
from evabench.suite.reading import load_suite

GOOD = """
name = "mine"
title = "Mine"
description = "A test."

[workloads.small]
workload = "autoencoder"
widths = [784, 20, 5]
batch = 100

[arms.SGD]
optimizer = "sgd"
lr = 0.1

[arms.Eva]
optimizer = "eva"

[step_time]
sweeps = 6

[memory]
width_scales = [0.2, 1.0]

[convergence]
seeds = 3
epochs = 2
evaluate_every = 8
"""


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def mistakes(tmp_path, text):
    with pytest.raises(SuiteError) as caught:
        load_suite(write(tmp_path, text))
    return str(caught.value)


TIERS = (
    GOOD.split("[step_time]")[0]
    + """
[workloads.large]
workload = "synthetic"
width = 8

[tiers.smoke]
workloads = ["small"]
arms = ["Eva"]
convergence = { seeds = 1, steps = 4, evaluate_every = 2 }

[tiers.paper]
timeout_seconds = 9000
memory = {}
convergence = { seeds = 2, epochs = [2, 4], evaluate_every = 1, schedule = "step", warmup_share = 0.25 }
"""
)
