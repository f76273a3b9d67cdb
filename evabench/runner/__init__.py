"""The parent of the runs: plans, launches, watches, stores."""
