import pytest

from tests.nvml.stand_in import LIBRARY, StandIn, compile_stand_in


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    """The bindings on the stand-in; skipped where there is no C compiler."""
    folder = compile_stand_in(tmp_path_factory.mktemp("nvml"))
    if folder is None:
        pytest.skip("no C compiler (cc)")
    process = StandIn(folder, folder / "scenario")
    yield process
    process.close()


@pytest.fixture(scope="session")
def old_library(tmp_path_factory):
    """The same without the symbol of the energy counter, as a driver from before Volta."""
    folder = compile_stand_in(tmp_path_factory.mktemp("old-nvml"), "-DWITHOUT_ENERGY_COUNTER")
    if folder is None:
        pytest.skip("no C compiler (cc)")
    process = StandIn(folder, folder / "scenario")
    yield process
    process.close()


@pytest.fixture(scope="session")
def no_library(tmp_path_factory):
    """Bindings that find no library, also on a machine that has one: the first that the loader finds is no library."""
    folder = tmp_path_factory.mktemp("no-nvml")
    (folder / LIBRARY).write_text("")
    process = StandIn(folder, folder / "scenario")
    yield process
    process.close()
