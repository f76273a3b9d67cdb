"""A kind of measurement is a row: its settings name the function that measures, and that returns its record."""

from typing import get_args, get_type_hints

import pytest

from evabench.measurement.bench import Bench
from evabench.records.measurement import Measured, MeasurementSettings, kinds_of
from evabench.worker.measure import MEASURED_BY

KINDS = kinds_of(MeasurementSettings)


def test_every_kind_has_a_name_and_a_record_of_its_own():
    assert len(KINDS) == len(get_args(get_args(MeasurementSettings)[0])) == len(get_args(get_args(Measured)[0]))


@pytest.mark.parametrize("name", KINDS)
def test_the_function_that_a_kind_names_takes_its_settings_and_returns_the_record_of_its_name(name):
    bench, settings, record = get_type_hints(MEASURED_BY[KINDS[name]]).values()
    assert (bench, settings) == (Bench, KINDS[name])
    assert record in get_args(get_args(Measured)[0])
    assert record.__dataclass_fields__["measured"].default == name
