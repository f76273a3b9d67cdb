"""Tests that need a GPU."""

import pytest

# The installed torch may warn of its own files, such as what it deprecates when it first compiles: no fault of ours.
NEEDS_A_GPU = (pytest.mark.cuda, pytest.mark.filterwarnings(r"ignore:::torch\."))
