"""Print the tables, or put them into the docs."""

import argparse

from tools import statistics_tables
from tools.statistics_tables.counted import counted_table
from tools.statistics_tables.exponents import exponent_table
from tools.statistics_tables.losses import ablation_table, loss_table, metrics_table
from tools.statistics_tables.several import bases_table, rates_table, workloads_table
from tools.statistics_tables.table import DOCS, written
from tools.statistics_tables.times import coverage_table, step_time_table, steps_table, times_table

TABLES = (
    times_table,
    steps_table,
    step_time_table,
    coverage_table,
    loss_table,
    metrics_table,
    ablation_table,
    counted_table,
    exponent_table,
    workloads_table,
    bases_table,
    rates_table,
)


def main() -> None:
    """Print the tables, or put them into the docs."""
    parser = argparse.ArgumentParser(description=(statistics_tables.__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=4000, help="experiments of each number")
    parser.add_argument("--only", help="the name of a table, such as step_time_table")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/statistics.md")
    asked = parser.parse_args()
    tables = []
    for make in TABLES:
        if asked.only in {None, make.__name__}:
            tables.append(make(asked.draws))
            print(tables[-1].markdown, flush=True)
    if asked.write and not asked.only:
        DOCS.write_text(written(DOCS.read_text(encoding="utf-8"), tables, asked.draws), encoding="utf-8")


if __name__ == "__main__":
    main()
