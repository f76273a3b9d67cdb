"""The errors of every verdict at its boundary, and its power, simulated with the rules as they ship.

    python -m tools.statistics_tables --draws 4000            print the tables (some minutes on one core)
    python -m tools.statistics_tables --draws 4000 --write    and put them into docs/statistics.md

A truth that lies exactly at the threshold makes "supported" and "refuted" errors both: each may happen in alpha of the
experiments. Steps, step times and losses are drawn; evaluations, bounds and rules are those of the package.
"""
