"""Sealed lines: what was changed or is gone is told, and what editors, git and `cat` do to a file loses nothing."""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evabench.store.lines import LineFile
from evabench.store.seal import LineError

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def file(tmp_path):
    return LineFile(tmp_path / "runs.jsonl")


def entry(number):
    """A line as the store has it: an outer object with blanks, an inner one without, texts that look like a seal."""
    return json.dumps({"schema": number, "run": '{"check": "0", {"schema": é'}, ensure_ascii=False)


def written(file, *batches):
    for batch in batches:
        file.append([entry(number) for number in batch])
    return file.path.read_bytes().splitlines(keepends=True)


def numbers(file):
    return [json.loads(text)["schema"] for text in file.read(str).entries]


def test_lines_come_back_as_they_were_given(file):
    written(file, [1, 2], [3])
    assert file.read(str).entries == (entry(1), entry(2), entry(3))
    assert file.read(str).notes == ()


def test_an_edited_value_is_not_shown_and_its_line_is_named(file):
    lines = written(file, [1, 2, 3])
    file.path.write_bytes(b"".join(lines).replace(b'"schema": 2', b'"schema": 7'))
    assert numbers(file) == [1, 3]
    assert file.read(str).notes == (
        f"{file.path}, line 2: not used: it was changed after it was written (its checksum does not match).",
    )


@pytest.mark.parametrize("edit", [(b'{"check": "', b'{"check": "0'), (b'{"check": ', b'{ "check":')])
def test_an_edited_seal_does_not_make_a_line_one_without(file, edit):
    (line,) = written(file, [1])
    file.path.write_bytes(line.replace(*edit))
    stored = file.read(str)
    assert stored.entries == ()
    assert "its seal was changed" in stored.faults[0]


def test_a_line_whose_seal_was_taken_off_is_unchecked_and_missed_by_the_next(file):
    lines = written(file, [1, 2, 3])
    lines[1] = entry(9).encode() + b"\n"
    file.path.write_bytes(b"".join(lines))
    stored = file.read(str)
    assert stored.unchecked.startswith("1 of the 3 lines")
    assert stored.faults[0].startswith(f"{file.path}, line 3: what was written before is gone")


@pytest.mark.parametrize("gone", [[0], [1], [2, 3], [4], [0, 4], [3, 4], [0, 1, 2, 3, 4]])
def test_lines_that_vanish_are_told_wherever_they_were(file, gone):
    lines = written(file, [0, 1], [2, 3, 4])
    file.path.write_bytes(b"".join(line for number, line in enumerate(lines) if number not in gone))
    assert numbers(file) == [number for number in range(5) if number not in gone]
    assert any("gone" in fault for fault in file.read(str).faults)


def test_what_vanished_at_the_end_is_still_told_after_the_next_append(file):
    lines = written(file, [1, 2, 3])
    file.path.write_bytes(lines[0])
    written(file, [4], [5])
    assert numbers(file) == [1, 4, 5]
    assert file.read(str).faults == (
        f"{file.path}, line 2: what was written before is gone, one line at least. Restore the file from a copy; "
        "`evabench run` makes again what it lacks.",
    )


def test_a_file_that_was_deleted_begins_anew(file):
    written(file, [1, 2])
    file.path.unlink()
    assert file.read(str).notes == ()
    written(file, [3])
    assert file.read(str).notes == ()


def test_lines_of_before_the_checksums_are_counted_and_an_edit_of_the_last_is_seen_by_the_line_behind_it(file):
    file.path.write_text(entry(1) + "\n" + entry(2) + "\n")
    written(file, [3])
    assert file.read(str).notes == (
        f"2 of the 3 lines of {file.path} are unchecked: they were written without a checksum, so an edit of them "
        "would not be seen.",
    )
    file.path.write_text(file.path.read_text().replace('"schema": 2', '"schema": 7'))
    assert "line 3: what was written before is gone" in file.read(str).faults[0]


def test_a_bad_line_behind_which_others_were_written_may_be_deleted(file):
    written(file, [1])
    with file.path.open("ab") as raw:
        raw.write(b"a note\n")
    written(file, [2])
    lines = file.path.read_bytes().splitlines(keepends=True)
    file.path.write_bytes(lines[0] + lines[2])
    assert file.read(str).notes == ()


def test_the_lines_of_two_hosts_may_be_joined(file, tmp_path):
    other = LineFile(tmp_path / "other.jsonl")
    written(other, [3, 4])
    written(file, [1, 2])
    file.path.write_bytes(file.path.read_bytes() + other.path.read_bytes())
    written(file, [5])
    assert numbers(file) == [1, 2, 3, 4, 5]
    assert file.read(str).notes == ()


def test_a_joined_file_of_which_the_beginning_is_missing_is_told(file, tmp_path):
    other = LineFile(tmp_path / "other.jsonl")
    lines = written(other, [3, 4])
    written(file, [1, 2])
    file.path.write_bytes(file.path.read_bytes() + lines[1])
    assert "line 3: what was written before is gone" in file.read(str).faults[0]


def test_both_sides_of_a_merge_conflict_of_git_count_and_its_marks_are_told(tmp_path):
    def git(*words):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=words[0] != "merge")  # it ends in a conflict

    file = LineFile(tmp_path / "runs.jsonl")
    git("init", "-q")
    for branch, batch in ((["-b", "base"], [1]), (["-b", "theirs"], [2, 3]), (["base"], [4])):
        git("checkout", "-q", *branch)
        written(file, batch)
        git("add", "runs.jsonl")
        git("commit", "-q", "-m", "runs")
    git("merge", "theirs")
    assert b"<<<<<<< " in file.path.read_bytes()
    stored = file.read(str)
    assert sorted(numbers(file)) == [1, 2, 3, 4]
    assert [fault for fault in stored.faults if "gone" in fault] == []
    assert "lines 2, 4 and 7: not used: git left a mark of a merge conflict: delete it." in stored.faults[0]


def test_a_line_without_its_end_counts_if_it_is_whole_and_gets_its_end(file):
    lines = written(file, [1, 2])
    file.path.write_bytes(b"".join(lines).rstrip(b"\n"))
    assert numbers(file) == [1, 2]
    assert file.read(str).notes == ()
    written(file, [3])
    assert numbers(file) == [1, 2, 3]
    assert file.set_aside is None


def test_a_good_line_behind_a_torn_one_is_kept(file, tmp_path):
    lines = written(file, [1, 2])
    torn = b"".join(lines)[:-20]
    other = LineFile(tmp_path / "other.jsonl")
    written(other, [3])
    file.path.write_bytes(torn + other.path.read_bytes())
    stored = file.read(str)
    assert numbers(file) == [1, 3]
    assert "line 2: not used" in stored.faults[0]


def test_of_a_joined_last_line_only_the_torn_piece_is_set_aside(file):
    lines = written(file, [1, 2, 3])
    file.path.write_bytes(lines[0] + lines[1].rstrip(b"\n") + lines[2][:-20])
    assert numbers(file) == [1, 2]
    written(file, [4])
    assert file.set_aside.read_bytes() == lines[2][:-20]
    assert numbers(file) == [1, 2, 4]


def test_an_append_after_a_torn_line_names_the_last_whole_one(file):
    lines = written(file, [1, 2])
    file.path.write_bytes(b"".join(lines) + b'{"check": "0123')
    written(file, [3])
    assert numbers(file) == [1, 2, 3]
    assert file.read(str).notes == ()


def test_half_a_character_at_the_end_is_a_torn_line(file):
    lines = written(file, [1])
    file.path.write_bytes(lines[0] + entry(2).encode()[: entry(2).encode().index("é".encode()) + 1])
    assert file.read(str).torn.startswith("The last line of")
    written(file, [3])
    assert numbers(file) == [1, 3]


def as_an_editor_leaves_it(content, *, carriage_returns, mark, blank):
    lines = content.splitlines()
    for place in sorted(blank, reverse=True):
        lines.insert(min(place, len(lines)), b"  ")
    end = b"\r\n" if carriage_returns else b"\n"
    return (BOM if mark else b"") + end.join(lines) + end


@given(
    batches=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=4),
    carriage_returns=st.booleans(),
    mark=st.booleans(),
    blank=st.sets(st.integers(0, 12), max_size=3),
)
def test_what_an_editor_does_to_a_file_changes_nothing_and_the_file_can_be_appended_to(
    batches, carriage_returns, mark, blank
):
    with tempfile.TemporaryDirectory() as folder:
        file = LineFile(Path(folder) / "runs.jsonl")
        content = b"".join(written(file, *batches))
        edited = as_an_editor_leaves_it(content, carriage_returns=carriage_returns, mark=mark, blank=blank)
        file.path.write_bytes(edited)
        written(file, [10])
        assert numbers(file) == [*(number for batch in batches for number in batch), 10]
        assert file.read(str).notes == ()


@given(data=st.data())
def test_a_byte_that_was_changed_anywhere_loses_its_own_line_alone_and_is_told(data):
    with tempfile.TemporaryDirectory() as folder:
        file = LineFile(Path(folder) / "runs.jsonl")
        lines = written(file, [0, 1], [2])
        line = data.draw(st.integers(0, 2))
        place = data.draw(st.integers(0, len(lines[line]) - 2))
        byte = data.draw(st.integers(33, 255))
        assume(byte != lines[line][place])
        edited = bytearray(lines[line])
        edited[place] = byte
        file.path.write_bytes(b"".join([*lines[:line], bytes(edited), *lines[line + 1 :]]))
        stored = file.read(decode_number)
        assert set(stored.entries) == {0, 1, 2} - {line}
        assert stored.notes


def decode_number(text):
    try:
        outer = json.loads(text)
    except ValueError:
        raise LineError("this is no JSON") from None
    if outer.keys() != {"schema", "run"}:
        raise LineError("it has other fields")
    return outer["schema"]
