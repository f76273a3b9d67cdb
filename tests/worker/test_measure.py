"""A kind of measurement is a row: its settings name the function that measures, and that returns its record."""

from typing import get_args, get_type_hints

import pytest

from evabench.measurement.bench import Bench
from evabench.records.measurement import KINDS, Measured
from evabench.worker.measure import MEASURED_BY

NAMES = [kind.__dataclass_fields__["measurement"].default for kind in KINDS]


def test_every_kind_has_a_name_of_its_own():
    assert len(set(NAMES)) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_function_that_a_kind_names_takes_its_settings_and_returns_the_record_of_its_name(kind):
    bench, settings, record = get_type_hints(MEASURED_BY[kind]).values()
    assert (bench, settings) == (Bench, kind)
    assert record in get_args(get_args(Measured)[0])
    assert record.__dataclass_fields__["measured"].default == kind.__dataclass_fields__["measurement"].default
