"""Code blocks of the pages: each is of a kind that something here reads or runs."""

import contextlib
import tomllib

import pytest
import yaml

from evabench.gate.paired_benchmark import PairedBenchmark
from evabench.suite.reading import read_suite
from evabench.suite.shipped import shipped_suites
from tests.docs.blocks import PAGES, ROOT, all_blocks, blocks
from tests.docs.folder import fill
from tests.docs.suites import AROUND, around

# Programs of frameworks, which a test of their own runs and asks what became of them.
ELSEWHERE = {"docs/in-your-program.md": "tests/frameworks/test_examples.py"}
PROGRAMS = [page for page in PAGES if page not in ELSEWHERE and any(b.language == "python" for b in blocks(page))]
SUITES = [block for block in all_blocks() if block.language == "toml"]
WORKFLOWS = [block for block in all_blocks() if block.language == "yaml"]


def test_every_block_says_what_it_is():
    unknown = [block.place for block in all_blocks() if block.language not in ("python", "toml", "sh", "yaml", "text")]
    assert unknown == []


def test_a_page_whose_programs_run_elsewhere_is_named_there():
    for page, test in ELSEWHERE.items():
        assert page.removeprefix("docs/") in (ROOT / test).read_text()


@pytest.mark.parametrize("page", PROGRAMS)
def test_the_programs_of_a_page_run_one_after_the_other(page, tmp_path):
    fill(tmp_path, page)
    names = {"__name__": "page"}
    with contextlib.chdir(tmp_path):
        for block in blocks(page):
            if block.language == "python":
                exec(compile(block.text, block.place, "exec"), names)
    for name, test in names.items():
        if name.startswith("test_"):
            test(PairedBenchmark(name=name, tell=print, fail=pytest.fail))


@pytest.mark.parametrize("block", SUITES, ids=lambda block: block.place)
def test_a_suite_is_read_and_a_part_of_one_with_what_the_page_has_around_it(block, tmp_path):
    if ", at its end" in block.title:
        path = fill(tmp_path, block.page) / block.title.partition(",")[0]
    else:
        path = tmp_path / "suite.toml"
        path.write_text(around(block) + block.text)
    read_suite(str(path))


def test_no_two_suites_of_the_pages_and_none_that_ships_share_a_folder_of_results():
    files = {(block.page, block.title or block.place): tomllib.loads(block.text) for block in SUITES}
    folders = [file["name"] for file in files.values() if "name" in file] + list(shipped_suites())
    assert len(folders) == len(set(folders)) > len(shipped_suites())


def test_nothing_stands_around_a_part_that_no_page_has():
    assert set(AROUND) <= {block.key for block in SUITES}


@pytest.mark.parametrize("block", WORKFLOWS, ids=lambda block: block.place)
def test_a_workflow_is_yaml_that_calls_the_gate(block):
    assert yaml.safe_load(block.text)
    assert "evabench" in block.text
