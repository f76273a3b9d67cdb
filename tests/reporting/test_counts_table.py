"""The table of counts: plain steps beside refreshes, and nothing where nothing was counted."""

from evabench.records.counts import Counts, PartCounts, StepCounts
from evabench.records.measurement import CountsSettings
from evabench.reporting.tables.counts import counts_table, format_count
from tests import runs as made
from tests.reporting.reports import make_report, report, suite


def step(launches, host_reads=0, **parts):
    one = PartCounts(
        operators={"mm": launches},
        flops=1_500_000,
        moved_bytes=2048,
        allocations=3,
        allocated_bytes=4,
        host_reads=host_reads,
    )
    return StepCounts(parts={"forward": one, **parts})


def table(counts):
    (workload,) = make_report(suite(), [made.run("SGD", CountsSettings(), counts)]).workloads
    return counts_table(workload)


def test_a_plain_step_stands_beside_the_refresh_and_equal_figures_stand_once():
    counts = Counts(steps=(step(7, host_reads=2), step(4)), positions=(0, 1, 1))
    assert table(counts).rows == (("SGD", "4 / 7", "0", "1.50 M", "2.00 KiB", "3", "0 / 2"),)


def test_kernels_take_the_place_of_operators_where_the_device_told_them():
    counts = Counts(steps=(StepCounts(parts=step(4).parts, kernels=11),), positions=(0,))
    assert table(counts).rows[0][1] == "11"


def test_what_has_no_formula_is_named():
    counts = Counts(steps=(step(4),), positions=(0,), without_formula=("_linalg_svd",))
    assert "_linalg_svd" in table(counts).note


def test_without_counts_there_is_no_table():
    assert counts_table(report().workloads[0]) is None


def test_a_count_has_three_digits_and_a_letter():
    assert [format_count(number) for number in (0, 999, 1000, 1_234_567, 4 * 10**12)] == [
        "0",
        "999",
        "1.00 k",
        "1.23 M",
        "4.00 T",
    ]
