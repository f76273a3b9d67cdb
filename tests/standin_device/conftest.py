import pytest

from tests.nvml.conftest import stand_in
from tests.standin_device.build import build, what_is_missing
from tests.standin_device.process import StandInProcess

__all__ = ["stand_in"]  # a fixture


@pytest.fixture(scope="session")
def standin():
    """A process with the device; skipped where it cannot be built."""
    if missing := what_is_missing():
        pytest.skip(f"the stand-in device cannot be built without {' and '.join(missing)}")
    build()
    process = StandInProcess()
    yield process
    process.close()
