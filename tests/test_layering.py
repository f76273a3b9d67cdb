"""Imports point down, and torch stops at the process boundary."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import evabench

PACKAGE = Path(evabench.__file__).parent

# package or file -> (rank, side): a line may import only from ranks below its own, or from its own package.
LAYERS = {
    "errors": (0, "both"),
    "units": (0, "both"),
    "stats": (1, "parent"),  # numbers only
    "settings": (1, "both"),
    "records": (2, "both"),
    "datasets": (2, "both"),
    "sampling": (3, "both"),
    "nvml": (3, "both"),
    "suite": (3, "parent"),
    "store": (3, "parent"),
    "findings": (5, "parent"),
    "machine": (6, "parent"),
    "launch": (7, "parent"),
    "runner": (8, "parent"),
    "claims": (9, "parent"),
    "gate": (9, "parent"),
    "export": (9, "parent"),
    "reporting": (10, "parent"),
    "cli": (11, "parent"),
    "pytest_plugin": (11, "parent"),
    "__main__": (12, "parent"),
    "optimizers": (3, "child"),
    "workloads": (4, "child"),
    "peers": (4, "child"),
    "measurement": (5, "child"),
    "worker": (6, "child"),
}
# The rooms of the optimizers, and the files beside them: the same rule one floor down.
OPTIMIZER_ROOMS = {
    "eager": 0,
    "matching": 0,
    "outer_products": 0,
    "phases": 0,
    "tensors": 0,
    "layers": 1,
    "capture": 2,
    "step": 2,
    "shell": 3,
    "eva": 4,
    "kfac": 4,
    "mfac": 4,
    "shampoo": 4,
    "__init__": 5,
}
MAX_LINES = 400


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def room_of(module):
    """Return the folder of a layer that a module lies in; a file beside the folders is a room of its own."""
    return ".".join(module.split(".")[1:3])


def imported_layers(path):
    return (module.split(".")[1] for module in imported_modules(path))


@cache
def imported_modules(path):
    return tuple(_imported_modules(path))


def _imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("evabench."))


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def test_every_package_has_a_layer():
    assert {layer_of(path) for path in SOURCES} == set(LAYERS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_and_stay_on_their_side(path):
    own = layer_of(path)
    rank, side = LAYERS[own]
    for name in imported_layers(path):
        other_rank, other_side = LAYERS[name]
        assert name == own or other_rank < rank, f"{own} imports {name}, which is not below it"
        assert other_side in (side, "both"), f"{own} ({side} side) imports {name} ({other_side} side)"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_one_thing(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


def test_rooms_inside_a_layer_do_not_import_each_other_in_a_circle():
    rooms = TopologicalSorter()
    for path in SOURCES:
        own = room_of(".".join(("evabench", *path.relative_to(PACKAGE).with_suffix("").parts)))
        rooms.add(own, *({room_of(module) for module in imported_modules(path)} - {own}))
    rooms.prepare()  # raises and names the circle


OPTIMIZER_SOURCES = [path for path in SOURCES if layer_of(path) == "optimizers"]


@pytest.mark.parametrize("path", OPTIMIZER_SOURCES, ids=lambda path: str(path.relative_to(PACKAGE / "optimizers")))
def test_imports_between_the_rooms_of_the_optimizers_point_down(path):
    own = path.relative_to(PACKAGE / "optimizers").parts[0].removesuffix(".py")
    others = {module.split(".")[2] for module in imported_modules(path) if module.startswith("evabench.optimizers.")}
    for other in others - {own}:
        assert OPTIMIZER_ROOMS[other] < OPTIMIZER_ROOMS[own], f"{own} imports {other}, which is not below it"
