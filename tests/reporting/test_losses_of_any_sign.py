"""Losses at, below and across 0: likelihoods and scores are losses, too."""

import re
from dataclasses import replace

import pytest

from evabench.findings.target_rule import target_value
from evabench.reporting.pictures.convergence import convergence_picture
from evabench.reporting.pictures.styles import arm_looks
from evabench.reporting.tables.convergence import convergence_table
from evabench.settings.targets import Target
from tests import runs as made
from tests.reporting.reports import make_report, suite


def lowered(run, by, scale=1.0):
    evaluations = tuple(
        replace(one, validation_loss=scale * one.validation_loss * (1 - one.step / 1000) - by)
        for one in run.measured.evaluations
    )
    return replace(run, measured=replace(run.measured, evaluations=evaluations))


def trained(by, target=None, scale=1.0):
    goals = {"autoencoder": Target(value=target, provenance="made up")} if target is not None else {}
    table = replace(suite().convergence, targets=goals)
    runs = [lowered(run, by, scale) for arm in ("SGD", "Eva") for run in made.trainings(arm, [20, 40])]
    (workload,) = make_report(suite(convergence=table), [*made.visits("SGD", 0.01), *runs]).workloads
    return workload


def heights(svg):
    """Return the heights of every curve within the picture's axes, and those of the axes themselves."""
    (box, *_) = re.findall(r'<g id="patch_2">.*?</g>', svg, flags=re.S) or [svg]
    frame = [float(y) for _, y in re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", box)]
    curves = re.findall(r'<path d="([^"]+)" clip-path', svg)
    return [[float(y) for _, y in re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", one)] for one in curves], frame


@pytest.mark.parametrize("by", [0.0, 0.5, 0.75, 3.0])
def test_every_curve_is_drawn_inside_its_picture(by):
    workload = trained(by)
    svg = convergence_picture(workload, arm_looks(made.ARMS)).svg["light"]
    assert "higher ones are cut off" not in svg
    curves, frame = heights(svg)
    drawn = [curve for curve in curves if len(curve) > 5]
    assert len(drawn) >= 3  # both arms in steps, and one that was timed in seconds
    assert all(min(frame) <= height <= max(frame) for curve in drawn for height in curve)


def test_a_loss_of_exactly_0_is_a_loss():
    assert convergence_picture(trained(0.0, scale=0.0), arm_looks(made.ARMS)) is not None


def test_a_target_below_0_is_reached_from_above():
    workload = trained(3.0, target=-2.4)
    assert "Target: validation loss -2.4" in convergence_table(workload).note
    eva = next(arm for arm in workload.arms if arm.name == "Eva")
    assert workload.steps_to_target(eva) == (20, 40)


def test_runs_may_set_a_target_below_0():
    runs = [lowered(run, 3.0).measured for run in made.trainings("SGD", [20] * 8)]
    assert target_value(runs, 0.75) < 0


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_target_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="must be a finite number"):
        Target(value=value, provenance="made up")
