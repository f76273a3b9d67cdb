"""A number of a table by its row and column: ids that no name can break, and names as people type them."""

import re

import pytest

from evabench.reporting.cells import column_ids, find_place, only, row_ids
from evabench.reporting.tables.table import Table
from tests.reporting.reports import HOSTILE, document, hostile_document

COST = Table(
    title="Cost",
    headings=("arm", "step", "step / SGD [95 %]", "peak"),
    rows=(("SGD", "1 ms", "1", "9 B"), ("K-FAC@10", "3 ms", "3x", "12 B"), ("a/b", "2 ms", "2x", "10 B")),
)
TRIES = Table(title="Tries", headings=("workload", "first"), rows=(("mlp", "1"), ("mlp", "2"), ("mlp-1", "3")))


def tables(document):
    return {one.address: one.part for one in document.figures if isinstance(one.part, Table)}


def test_ids_are_letters_digits_and_dashes():
    assert row_ids(COST) == ("sgd", "k-fac-10", "a-b")
    assert column_ids(COST) == ("arm", "step", "step-sgd", "peak")


def test_rows_that_begin_alike_have_numbers_that_no_other_row_has():
    assert row_ids(TRIES) == ("mlp-2", "mlp-3", "mlp-1")


@pytest.mark.parametrize("wanted", ["k-fac-10/step-sgd", "K-FAC@10/step / SGD [95 %]", "K-FAC@10/step-sgd"])
def test_a_cell_is_found_by_ids_and_by_names(wanted):
    place = find_place(COST, wanted)
    assert only(COST, place).rows == (("K-FAC@10", "3x"),)


def test_a_name_with_a_slash_in_it_is_a_row():
    assert only(COST, find_place(COST, "a/b/peak")).rows == (("a/b", "10 B"),)
    assert only(COST, find_place(COST, "a/b")).rows == (COST.rows[2],)


def test_a_name_that_several_rows_begin_with_stands_for_all_of_them_and_an_id_for_one():
    assert find_place(TRIES, "mlp").rows == (0, 1)
    assert find_place(TRIES, "mlp-3").rows == (1,)


def test_an_unknown_row_is_none_and_an_unknown_column_an_error():
    assert find_place(COST, "Adam/step") is None
    with pytest.raises(KeyError, match="taste"):
        find_place(COST, "SGD/taste")


@pytest.mark.parametrize("made", [document, hostile_document])
def test_every_cell_of_a_report_has_an_id_of_its_own_that_leads_to_it(made):
    found = tables(made())
    assert found
    for table in found.values():
        rows, columns = row_ids(table), column_ids(table)
        assert all(re.fullmatch(r"[a-z0-9-]+", one) for one in (*rows, *columns))
        assert len(set(rows)) == len(rows)
        assert len(set(columns)) == len(columns)
        for place, row in enumerate(rows):
            assert find_place(table, f"{row}/{columns[-1]}").rows == (place,)
    assert "/" in HOSTILE
