"""Every command of the pages is run, in `make test` or `make test-long`, or a list says why not."""

import shutil
import sys
from pathlib import Path

import pytest

from evabench.cli.verbs import VERBS
from tests.cli.in_process import evabench
from tests.docs.blocks import PAGES, ROOT, commands, inline_commands, single_calls
from tests.docs.commands import COMMANDS
from tests.docs.folder import fill, run
from tools.docs_reference.command_line import options_of

WRITTEN = {command.text: command for page in PAGES for command in commands(page)}
TUTORIAL, HOME = "docs/tutorial.md", "README.md"
BEHIND_THE_QUICK_START = ("docs/measurement.md", "docs/claims.md", "docs/json.md")


def pages_with(when, *without):
    return [page for page in PAGES if page not in without and any(how(one).when == when for one in commands(page))]


def how(command):
    return COMMANDS[command.text]


def test_every_command_of_the_pages_has_its_way_to_be_run_and_no_other_has():
    assert {text: command.page for text, command in WRITTEN.items() if text not in COMMANDS} == {}
    assert [text for text in COMMANDS if text not in WRITTEN] == []


def test_what_is_never_run_or_run_in_small_says_why():
    assert [text for text, one in COMMANDS.items() if (one.when == "never" or one.instead) and not one.reason] == []


CALLS = [(page, words) for page in PAGES for command in commands(page) for words in single_calls(command.text)]
CALLS += [(page, words) for page in PAGES for words in inline_commands(page)]


def unknown(words):
    """Yield what a call names that is not there: a verb, an option, a target, a module, a file."""
    match words:
        case ["evabench", verb, *rest] if not (verb.startswith("-") or verb == "VERB"):
            known = options_of(verb) if verb in VERBS else None
            yield from (
                [verb]
                if known is None
                else (word for word in rest if word.startswith("-") and word.partition("=")[0] not in known)
            )
        case ["make", target, *_]:
            yield from [] if f"\n{target}:" in (ROOT / "Makefile").read_text() else [target]
        case ["python" | "python3", "-m", module, *_] if module not in ("pytest", "venv", "evabench"):
            place = ROOT.joinpath(*module.split("."))
            yield from [] if place.is_dir() or place.with_suffix(".py").is_file() else [module]
        case ["python" | "python3", script, *_] if script.endswith(".py"):
            yield from [] if (ROOT / script).is_file() else [script]


def test_every_call_on_a_page_names_a_verb_options_a_target_or_a_file_that_is_there():
    assert [(page, words, found) for page, words in CALLS if (found := list(unknown(words)))] == []


@pytest.mark.parametrize("page", pages_with("quick", TUTORIAL))
def test_the_quick_commands_of_a_page_do_what_it_says(page, tmp_path):
    fill(tmp_path, page)
    for command in commands(page):
        if how(command).when == "quick":
            done = call(how(command).instead or command.text, tmp_path)
            assert done.returncode in how(command).codes, f"{command}\n{done.stdout}{done.stderr}"


def call(command, folder):
    """Return what a command does; a verb that starts no process of its own is called in this one."""
    (words, *more) = single_calls(command)
    if words[0] == "evabench" and words[1] not in ("run", "gate", "doctor", "profile") and not more:
        return evabench(folder, *words[1:])
    return run(command, folder)


@pytest.mark.long
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("page", pages_with("long", TUTORIAL, HOME, *BEHIND_THE_QUICK_START))
def test_the_long_commands_of_a_page_do_what_it_says(page, tmp_path):
    do(page, fill(tmp_path, page))


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_the_quick_start_and_the_commands_that_follow_it_do_what_the_pages_say(tmp_path):
    """As `make quickstart` on a fresh clone, but for the installation: this interpreter stands in its environment."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "evabench/workloads/embedded", tmp_path / "evabench/workloads/embedded")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / ".venv/.installed").touch()
    for page in (HOME, *BEHIND_THE_QUICK_START):
        do(page, fill(tmp_path, page))
    assert (tmp_path / "reports/quickstart/index.html").is_file()


def do(page, folder):
    """Run what of a page's commands is long, in its order."""
    for command in commands(page):
        if how(command).when == "long":
            done = run(how(command).instead or command.text, folder)
            assert done.returncode in how(command).codes, f"{command}\n{done.stdout}{done.stderr}"
