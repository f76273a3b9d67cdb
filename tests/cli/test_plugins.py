"""A plug-in that cannot be made is found before the first run, with all that are wrong at once."""

import pytest

from tests.cli.test_run import SUITE, evabench, stored

MINE = "from torch.optim import SGD as Mine\n"
HEAD = SUITE.partition("[step_time]")[0]


def arm(name, plugin, options="{ lr = 0.1 }"):
    return f'[arms."{name}"]\noptimizer = "plugin"\nname = "{plugin}"\noptions = {options}\n\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "broken.py").write_text("def Broken(parameters, lr:\n")
    return tmp_path


def run(folder, *arms):
    (folder / "tiny.toml").write_text(f"{HEAD}{''.join(arms)}[memory]\n")
    return evabench(folder, "run", "tiny.toml")


def test_a_path_a_class_and_an_option_that_are_wrong_are_told_at_once_and_nothing_is_run(folder):
    done = run(
        folder,
        arm("no file", "other.py:Mine"),
        arm("no class", "mine.py:Yours"),
        arm("no option", "mine.py:Mine", "{ rate = 0.1 }"),
        arm("no Python", "broken.py:Broken"),
        arm("fine", "mine.py:Mine"),
    )
    assert done.returncode == 2, done.stdout
    told = done.stderr.splitlines()
    assert [line for line in told if "before the first run: [arms.no file]: there is no plug-in file" in line]
    assert [line for line in told if "[arms.no class]" in line and "has no Yours. It has:" in line]
    assert [line for line in told if "[arms.no option]" in line and "rate" in line]
    assert [line for line in told if "[arms.no Python]" in line and "SyntaxError" in line]
    assert "[arms.fine]" not in done.stderr
    assert stored(folder) == []
