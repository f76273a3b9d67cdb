"""The suites that the documents print: each is a suite of its own."""

import tomllib
from collections import Counter

from tests.docs.blocks import all_blocks


def test_no_two_examples_share_one_results_folder():
    suites = [tomllib.loads(block.text) for block in all_blocks() if block.language == "toml"]
    names = Counter(suite["name"] for suite in suites if "workloads" in suite and "name" in suite)
    assert {"mine", "gate"} <= set(names)
    assert [name for name, times in names.items() if times > 1] == []
