"""Trajectories of the authors' code, where they lie beside the repository; the dense tests need no file."""

from pathlib import Path

import pytest

from tests.oracles import TOLERANCE, main, replay

FOLDER = Path(__file__).parents[3] / "shared" / "oracles"
FILES = sorted(FOLDER.glob("*.json"))

NETS = ("mlp", "seq", "conv")
MUST_PASS = [
    *(f"eva_{clip}_{net}" for clip in ("kl_clip", "kl_normalization", "rescale", "no_clip") for net in NETS),
    *(f"eva_f_kl_normalization_{net}" for net in NETS),
    *(f"eva_s_beta2_{beta2}_{net}" for beta2 in ("0.9", "1.0") for net in NETS),
    "kfac_first_step_mlp",
]

needs_files = pytest.mark.skipif(not FOLDER.is_dir(), reason="no folder shared/oracles beside the repository")


@needs_files
@pytest.mark.parametrize("name", MUST_PASS)
def test_a_trajectory_of_the_authors_code_is_reproduced(name):
    found = replay(FOLDER / f"{name}.json")
    assert found.outcome == "PASS", str(found)
    assert found.error <= TOLERANCE


@needs_files
def test_no_trajectory_is_off_and_what_is_not_supported_is_named(capsys):
    assert main([str(FOLDER)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(FILES)
    assert all("(no " in line or "K-FAC with positions" in line for line in lines if line.startswith("UNSUPPORTED"))


def test_a_folder_without_trajectories_is_a_usage_error(tmp_path):
    assert main([str(tmp_path)]) == 2
