"""Both sides of a change, from a real git repository."""

import pytest

from evabench.errors import GateError
from evabench.gate.repository import find_repository
from tests.gate.repositories import commit, git, repository_of

FIRST = {"code.py": "one\ntwo\nthree\n", "gone.py": "gone\n", ".gitignore": "ignored\n"}


def test_a_revision_is_laid_out_as_it_was(tmp_path):
    repository = repository_of(tmp_path, FIRST)
    first = repository.revision("HEAD")
    commit(repository.root, {"code.py": "other\n"})
    repository.lay_out(first, tmp_path / "side")
    assert (tmp_path / "side" / "code.py").read_text() == FIRST["code.py"]


def test_the_working_tree_has_what_is_not_committed_and_nothing_that_is_ignored(tmp_path):
    repository = repository_of(tmp_path, FIRST)
    for name in ("new.py", "ignored"):
        (repository.root / name).write_text("here\n")
    (repository.root / "gone.py").unlink()
    before = git(repository.root, "status", "--porcelain")
    repository.lay_out(repository.working_tree(), tmp_path / "side")
    assert sorted(path.name for path in (tmp_path / "side").iterdir()) == [".gitignore", "code.py", "new.py"]
    assert git(repository.root, "status", "--porcelain") == before
    assert git(repository.root, "count-objects") == "5 objects, 20 kilobytes"  # none of them is ours


def test_changed_lines_are_those_that_the_head_has_written(tmp_path):
    repository = repository_of(tmp_path, FIRST)
    base = repository.revision("main")
    commit(repository.root, {"code.py": "one\n2\nthree\nfour\n", "new.py": "a\nb\n"})
    git(repository.root, "rm", "--quiet", "gone.py")
    commit(repository.root, {})
    head = repository.revision("main")
    assert repository.changed_lines(base, head) == {"code.py": {2, 4}, "new.py": {1, 2}}
    assert set(repository.changed_files(base, head)) == {"code.py", "new.py", "gone.py"}


def test_a_revision_is_named_as_the_user_names_it_and_by_its_commit(tmp_path):
    repository = repository_of(tmp_path, FIRST)
    commit_id = git(repository.root, "rev-parse", "HEAD")
    assert repository.revision("main").title == f"main ({commit_id[:9]})"
    assert repository.revision(commit_id[:7]).title == commit_id[:9]


@pytest.mark.parametrize("name", ["nothing", "--help", "HEAD~5", ""])
def test_a_name_that_git_does_not_know_is_refused_with_the_way_out(tmp_path, name):
    with pytest.raises(GateError, match="fetch"):
        repository_of(tmp_path, FIRST).revision(name)


def test_a_folder_outside_of_any_repository_is_refused(tmp_path):
    with pytest.raises(GateError, match="no git repository"):
        find_repository(tmp_path, tmp_path / "scratch")
