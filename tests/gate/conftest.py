from tests.nvml.conftest import stand_in

__all__ = ["stand_in"]  # a fixture
