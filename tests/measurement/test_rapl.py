"""RAPL, on a tree of files: packages once, over a wrap, and None with the reason where it cannot be read."""

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from evabench.measurement.energy.rapl import RaplEnergy


def domain(root, folder, name, energy, limit=1_000_000):
    path = root / folder
    path.mkdir(parents=True)
    (path / "name").write_text(f"{name}\n")
    (path / "max_energy_range_uj").write_text(f"{limit}\n")
    (path / "energy_uj").write_text(f"{energy}\n")
    return path / "energy_uj"


def test_packages_and_dram_are_added_and_parts_of_a_package_are_not(tmp_path):
    first = domain(tmp_path, "intel-rapl:0", "package-0", 100)
    second = domain(tmp_path, "intel-rapl:1", "package-1", 200)
    dram = domain(tmp_path, "intel-rapl:0:1", "dram", 50)
    core = domain(tmp_path, "intel-rapl:0:0", "core", 10)
    platform = domain(tmp_path, "intel-rapl:2", "psys", 10)
    again = domain(tmp_path, "intel-rapl-mmio:0", "package-0", 100)
    rapl = RaplEnergy(tmp_path)
    for file in (first, second, dram, core, platform, again):
        file.write_text(str(int(file.read_text()) + 3_000))
    assert rapl.joules() == pytest.approx(0.009)
    assert rapl.power() is None
    assert rapl.missing == ()


def test_a_counter_that_starts_again_goes_on_counting(tmp_path):
    counter = domain(tmp_path, "intel-rapl:0", "package-0", 999_000, limit=999_999)
    rapl = RaplEnergy(tmp_path)
    assert rapl.joules() == 0
    counter.write_text("500")
    assert rapl.joules() == pytest.approx(1_500e-6)
    counter.write_text("400")  # once round, but for 100
    assert rapl.joules() == pytest.approx(1_500e-6 + 0.9999)


def test_a_machine_without_counters_says_so(tmp_path):
    rapl = RaplEnergy(tmp_path / "powercap")
    assert not rapl.readable
    assert rapl.joules() is None
    (reason,) = rapl.missing
    assert "has no RAPL counters: a virtual machine, or a CPU without them." in reason


@contextmanager
def without_roots_privileges():
    """Root may read everything: be somebody else for a moment."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_counter_for_root_only_is_a_reason_with_the_way_out():
    with TemporaryDirectory() as folder:  # tmp_path lies in a folder that only its owner may enter
        root = Path(folder)
        root.chmod(0o755)
        domain(root, "intel-rapl:0", "package-0", 0).chmod(0)
        with without_roots_privileges():
            rapl = RaplEnergy(root)
    assert rapl.joules() is None
    assert "cannot be read: Permission denied; the administrator may allow it" in rapl.missing[0]


def test_a_counter_that_goes_away_leaves_no_smaller_sum(tmp_path):
    domain(tmp_path, "intel-rapl:0", "package-0", 0)
    second = domain(tmp_path, "intel-rapl:1", "package-1", 0)
    rapl = RaplEnergy(tmp_path)
    second.unlink()
    assert rapl.joules() is None
    assert rapl.missing == (f"CPU energy: {second} cannot be read: No such file or directory.",)
