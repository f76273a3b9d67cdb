"""Claim files: every mistake at once, and which of the shipped claims a suite is asked about."""

import pytest

from evabench.claims.reading import claims_about, read_claims, shipped_claims
from evabench.errors import ClaimFileError
from tests.claims.eva import EVA_CLAIMS
from tests.reporting.reports import suite
from tests.runs import ARMS

FILE = """
title = "A test"
[[claims]]
id = "one"
text = "Eva is sooner than K-FAC."
source = "a paper"
quantity = "time_to_target_ratio"
arm = "eva"
bases = ["kfac"]
relation = "at_least"
value = 1.0
reason = "none"
"""


def read(tmp_path, text):
    path = tmp_path / "claims.toml"
    path.write_text(text)
    return read_claims(path)


def test_a_file_holds_claims(tmp_path):
    found = read(tmp_path, FILE)
    assert (found.title, [claim.id for claim in found.claims]) == ("A test", ["one"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"kfac"', '"K-FAC@1"', '"K-FAC@1" is no optimizer. There are: sgd, adamw, eva'),
        ("value = 1.0", 'value = 1.0\nworkloads = ["small"]', "workloads are those of one suite"),
        ("value = 1.0", "value = 1.0\nheadline = true", "a headline is that of a suite"),
        ("value = 1.0", "velue = 1.0", "[claims, entry 1] has no setting velue. It has: id, text"),
        ("title", "name", "top level has no setting name. It has: title, claims"),
        ("title =", "title", "this is no TOML file"),
        ("value = 1.0", "value = inf", "value must be a finite number, got inf"),
        ("value = 1.0", "value = 1.0\nconditions = [[nan]]", "conditions must be a finite number, got nan"),
        ("value = 1.0", "value = true", "value"),
        ("value = 1.0", "value = 'high'", "value"),
        ('["kfac"]', "[]", "bases"),
        ('["kfac"]', '"kfac"', "bases"),
        ('"at_least"', '"better"', "relation"),
        ("value = 1.0", "value = 2026-11-26", "value is a date"),
        ('"none"', "\x00", "this is no TOML file"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_place(tmp_path, old, new, told):
    with pytest.raises(ClaimFileError) as caught:
        read(tmp_path, FILE.replace(old, new))
    assert told in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_one_id_twice_is_refused(tmp_path):
    with pytest.raises(ClaimFileError, match='the id "one" is given 2 times'):
        read(tmp_path, FILE + FILE.split("\n", 2)[2])


def test_a_suite_is_asked_about_the_optimizers_that_it_has():
    asked = claims_about(suite())
    assert set(EVA_CLAIMS) < set(asked) < set(shipped_claims())
    assert claims_about(suite(arms={"SGD": ARMS["SGD"]})) == ()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"title = 'A test'", b"title = 'A test'\nclaims = []", None])
def test_what_is_no_file_of_claims_is_a_message_with_its_name(tmp_path, content):
    path = tmp_path / "claims.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ClaimFileError, match=r"claims\.toml: "):
        read_claims(path)
