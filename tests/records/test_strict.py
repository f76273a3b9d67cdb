"""What is read back is read whole: a field that nobody knows is refused, wherever it stands."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from pydantic import ValidationError

from evabench.records.codec import decode
from evabench.records.request import ChildReply, Request, ServerReady
from evabench.records.run import Run
from evabench.records.set_target import SetTarget
from evabench.settings.bounds import FORBID
from evabench.store.schema import SCHEMA, from_line, to_line
from evabench.store.seal import unsealed

GOLDEN = Path(__file__).parent.parent / "golden"
REFERENCE = Path(__file__).parent.parent.parent / "results" / "reference"
GOLDENS = sorted(GOLDEN.glob("runs_of_schema_*.jsonl"))


def lines_of(path):
    return [unsealed(line).text for line in path.read_text().splitlines()]


LINES = [line for path in GOLDENS for line in lines_of(path)]
DECODED = (Run, Request, ChildReply, ServerReady, SetTarget)


def dataclasses_in(hint, found=None):
    """Return every dataclass that a value of this type may hold, at any depth."""
    found = set() if found is None else found
    for part in (hint, *get_args(hint)):
        if isinstance(part, type) and is_dataclass(part) and part not in found:
            found.add(part)
            hints = get_type_hints(part, include_extras=True)
            for field in fields(part):
                dataclasses_in(hints[field.name], found)
        elif part is not hint:
            dataclasses_in(part, found)
    return found


def objects_in(value, path=()):
    if isinstance(value, dict):
        yield path
        value = value.items()
    elif isinstance(value, list):
        value = enumerate(value)
    else:
        return
    for key, inner in value:
        yield from objects_in(inner, (*path, key))


def with_unknown_field_at(run, path):
    changed = json.loads(json.dumps(run))
    place = changed
    for key in path:
        place = place[key]
    place["nobody_knows_it"] = 1
    return json.dumps(changed)


def is_free(path):
    """Mappings with keys of the user's or of the optimizer's choice: any name is one of theirs."""
    return {"options", "packages", "skipped_steps", "steps"} & {str(part) for part in path}


@pytest.mark.parametrize("kind", sorted(set().union(*map(dataclasses_in, DECODED)), key=str))
def test_every_dataclass_that_is_decoded_refuses_unknown_fields(kind):
    assert kind.__pydantic_config__ == FORBID


def test_the_walk_over_the_types_finds_what_lies_deep():
    names = {kind.__name__ for kind in dataclasses_in(Run)}
    assert {"Cell", "MfacSettings", "ViewSettings", "LiveBytes", "Sampling", "GpuConditions", "Approximation"} <= names


def test_there_are_lines_of_every_schema_number():
    assert {json.loads(line)["schema"] for line in LINES} == set(range(1, SCHEMA + 1))


def test_an_unknown_field_is_refused_at_every_depth_of_every_kind_of_run():
    for line in LINES:
        run = json.loads(to_line(from_line(line)))["run"]
        decode(Run, json.dumps(run))
        places = [place for place in objects_in(run) if not is_free(place)]
        assert len(places) >= 8
        for place in dict.fromkeys(tuple(key if isinstance(key, str) else 0 for key in place) for place in places):
            with pytest.raises(ValidationError, match="nobody_knows_it"):
                decode(Run, with_unknown_field_at(run, place))


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_a_golden_line_loads_and_says_the_same_when_it_is_written_again(path):
    for line in lines_of(path):
        run = from_line(line)
        assert from_line(to_line(run)) == run


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*/*runs.jsonl")), ids=lambda path: path.parent.name)
def test_every_committed_run_still_loads(path):
    for line in lines_of(path):
        assert from_line(line).key
