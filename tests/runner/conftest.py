from tests.nvml.conftest import no_library, stand_in

__all__ = ["no_library", "stand_in"]  # fixtures
