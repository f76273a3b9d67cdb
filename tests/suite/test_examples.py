"""The suites that the documents print: each is a suite of its own."""

import re
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_no_two_examples_share_one_results_folder():
    pages = {path.name: path.read_text() for path in DOCS.rglob("*.md")}
    blocks = [block for text in pages.values() for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]
    suites = [block for block in blocks if re.match(r'(#.*\n)*name = "', block)]
    names = Counter(re.search(r'^name = "([^"]+)"', block, re.MULTILINE).group(1) for block in suites)
    assert names
    assert [name for name, times in names.items() if times > 1] == []
