"""The programs of docs/in-your-program.md, as they stand there."""

import re
from pathlib import Path

import pytest

from evabench.optimizers import coverage, health

PAGE = Path(__file__).parents[2] / "docs" / "in-your-program.md"
PROGRAMS = dict(re.findall(r"^## ([^\n]*)\n.*?^```python\n(.*?)^```", PAGE.read_text(), flags=re.M | re.S))

pytestmark = pytest.mark.filterwarnings("ignore")  # what frameworks say about their own code


def test_the_page_has_a_program_for_each_kind_of_loop():
    assert list(PROGRAMS) == ["A plain loop, with accumulation and bf16", "Lightning", "Hugging Face Trainer"]


@pytest.mark.parametrize("title", PROGRAMS)
def test_a_program_of_the_page_trains_every_layer_that_it_may(title, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "program"}
    exec(compile(PROGRAMS[title], str(PAGE), "exec"), names)
    optimizer = names["trainer"].optimizers[0] if title == "Lightning" else names["optimizer"]
    assert not health(optimizer).layers_without_statistics
    assert not health(optimizer).skipped_steps
    assert coverage(optimizer).share > 0.3
