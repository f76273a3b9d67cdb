"""Whole trajectories replayed: made with dense matrices here, and of the authors' code where its files are at hand.

The files of the authors' code are 2 MB and not part of the repository. They are looked for in $EVABENCH_ORACLES, or in
a folder `oracles` of a folder beside the repository.
"""

import json
import os
from pathlib import Path

import pytest

from tests import trajectories
from tests.oracles import TOLERANCE, main, replay

BESIDE = Path(__file__).parents[3].glob("*/oracles")
FOLDER = Path(os.environ["EVABENCH_ORACLES"]) if "EVABENCH_ORACLES" in os.environ else next(BESIDE, None)
FILES = sorted(FOLDER.glob("*.json")) if FOLDER else []

DENSE = {
    **{f"eva_{clip}": trajectories.eva(clip) for clip in ("kl_clip", "kl_normalization", "rescale", "no_clip")},
    "eva_cross_entropy": trajectories.eva("kl_clip", loss="cross_entropy"),
    "eva_sequence": trajectories.eva("kl_clip", positions=3),
    "kfac_first_step": trajectories.kfac_first_step(),
}

NETS = ("mlp", "seq", "conv")
MUST_PASS = {
    *(f"eva_{clip}_{net}" for clip in ("kl_clip", "kl_normalization", "rescale", "no_clip") for net in NETS),
    *(f"eva_f_kl_normalization_{net}" for net in NETS),
    *(f"eva_s_beta2_{beta2}_{net}" for beta2 in ("0.9", "1.0") for net in NETS),
    *(f"kfac_first_step_{net}" for net in NETS),
    *(f"foof_{net}" for net in NETS),
}


def write(folder, trajectory):
    path = folder / f"{trajectory['name']}.json"
    path.write_text(json.dumps(trajectory))
    return path


@pytest.mark.parametrize("trajectory", [*DENSE, *FILES], ids=lambda one: one if isinstance(one, str) else one.stem)
def test_a_trajectory_is_reproduced(trajectory, tmp_path):
    path = write(tmp_path, DENSE[trajectory]) if isinstance(trajectory, str) else trajectory
    found = replay(path)
    if found.outcome == "UNSUPPORTED":
        assert path.stem not in MUST_PASS
        assert "(no " in str(found) or "K-FAC with positions" in str(found)
    else:
        assert found.outcome == "PASS", str(found)
        assert found.error <= TOLERANCE


def test_every_trajectory_of_the_authors_code_that_must_pass_is_there():
    assert not FILES or {path.stem for path in FILES} >= MUST_PASS


@pytest.mark.parametrize("kind", ["gradients", "directions", "parameters_after_step"])
def test_a_number_that_is_off_in_the_seventh_digit_is_found_with_its_place(kind, tmp_path, capsys):
    trajectory = trajectories.eva("kl_clip")
    trajectory[kind][-1][0][0][0] += 1e-7
    assert main([str(write(tmp_path, trajectory))]) == 1
    assert f"({kind}[0] of step 3)" in capsys.readouterr().out


def test_a_loss_that_is_off_is_found_with_its_step(tmp_path, capsys):
    trajectory = trajectories.eva("no_clip")
    trajectory["losses"][1] *= 1 + 1e-8
    assert main([str(write(tmp_path, trajectory))]) == 1
    assert "(loss of step 1)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": [{"type": "moon"}], "initial_parameters": []}, "no layer moon"),
        ({"method": trajectories.METHOD | {"optimizer": "moon"}}, "no optimizer moon"),
    ],
)
def test_what_is_not_supported_is_named_and_no_failure(change, reason, tmp_path, capsys):
    assert main([str(write(tmp_path, trajectories.eva("kl_clip") | change))]) == 0
    assert capsys.readouterr().out.endswith(f"({reason})\n")


def test_a_folder_is_replayed_file_by_file(tmp_path, capsys):
    for trajectory in (trajectories.eva("kl_clip"), trajectories.kfac_first_step()):
        write(tmp_path, trajectory)
    assert main([str(tmp_path)]) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["PASS", "eva_kl_clip_mse"],
        ["PASS", "kfac_first_step_mse"],
    ]


def test_a_folder_without_trajectories_is_a_usage_error(tmp_path):
    assert main([str(tmp_path)]) == 2
