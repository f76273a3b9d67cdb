"""Two sets of stored runs beside each other: paired where they were measured side by side, else said to be unpaired."""

from dataclasses import replace

import pytest

from evabench.errors import StoreError
from evabench.export.compare import compare
from evabench.store.files import RunStore
from tests.cli.in_process import evabench
from tests.runs import trainings, visits

ELSEWHERE = {"num_cpus": 64}


def stored(path, *runs):
    RunStore(path / "runs.jsonl").append(runs)
    return path


def there(run, commit="b" * 40):
    host = replace(run.host, **ELSEWHERE)
    return replace(run, key=f"there-{run.key}", host=host, code=replace(run.code, commit=commit))


@pytest.fixture
def places(tmp_path):
    """Two folders: the second has a host of its own, where a step takes twice as long."""
    here = stored(tmp_path / "a", *visits("SGD", 0.01), *visits("Eva", 0.03), *trainings("SGD", [8, 8]))
    return here, stored(tmp_path / "b", *map(there, visits("SGD", 0.02)))


def test_two_hosts_are_compared_unpaired_with_what_differs(places):
    found = compare(*map(str, places))
    (line,) = found.lines
    assert (line.workload, line.arm, line.metric, line.unit) == ("autoencoder", "SGD", "step", "s")
    assert line.ratio == pytest.approx(2)
    assert not line.paired
    assert line.interval.low < 2 < line.interval.high
    assert "num_cpus: 2 / 64" in found.differences
    assert found.only_base == ("autoencoder, Eva", "autoencoder, SGD")  # of SGD its trainings
    assert found.only_head == ()


def test_two_arms_of_one_host_are_paired_by_sweep(places):
    (line,) = compare("SGD", "Eva", by="arm", within=[places[0]]).lines
    assert line.paired
    assert (line.arm, line.num_base) == ("", 7)
    assert line.ratio == pytest.approx(3)


def test_hosts_and_commits_are_found_in_one_place(places, tmp_path):
    within = [tmp_path]
    assert compare("no commit", "bbbb", by="commit", within=within).lines[0].ratio == pytest.approx(2)
    hosts = [visits("SGD", 1.0)[0].host, there(visits("SGD", 1.0)[0]).host]
    assert compare(hosts[1].id, hosts[0].id, by="host", within=within).lines[0].ratio == pytest.approx(0.5)


def test_a_side_without_runs_is_refused_with_what_there_is(places):
    with pytest.raises(StoreError, match=r"Mine: no run of this arm\. There are: Eva, SGD"):
        compare("SGD", "Mine", by="arm", within=[places[0]])


def test_sides_with_nothing_in_common_are_refused(places, tmp_path):
    other = stored(tmp_path / "c", *visits("Shampoo", 0.01))
    with pytest.raises(StoreError, match="have no workload and arm in common"):
        compare(str(places[0]), str(other))


def test_the_table_says_that_two_places_are_unpaired_and_that_two_arms_are_pairs(places, tmp_path):
    done = evabench(tmp_path, "compare", "a", "b")
    assert done.returncode == 0, done.stderr
    assert "Unpaired: the two sides were not measured side by side" in done.stderr
    assert "2.000x" in done.stdout
    done = evabench(tmp_path, "compare", "SGD", "Eva", "--by", "arm", "--runs", "a")
    assert "7 pairs" in done.stdout
    assert "Unpaired" not in done.stdout + done.stderr
    done = evabench(tmp_path, "compare", "a", "b", "--runs", "a")
    assert done.returncode == 2
    assert "give it with --by host, commit or arm" in done.stderr


def test_a_side_with_runs_of_two_hosts_is_refused_and_never_pooled(places, tmp_path):
    with pytest.raises(StoreError, match=r"autoencoder, SGD has runs of 2 hosts .* never pooled.*--by host"):
        compare(str(tmp_path), str(places[0]))


def test_a_side_with_runs_of_two_versions_of_torch_is_refused(places, tmp_path):
    newer = [
        replace(run, key=f"newer-{run.key}", environment=replace(run.environment, torch="9.9.9"))
        for run in visits("SGD", 0.01)
    ]
    both = stored(tmp_path / "c", *visits("SGD", 0.01), *newer)
    with pytest.raises(StoreError, match="2 versions of torch"):
        compare(str(both), str(places[1]))


def test_of_two_settings_under_one_name_the_last_ones_are_compared(places, tmp_path):
    changed = [
        replace(run, key=f"changed-{run.key}", cell=replace(run.cell, optimizer=replace(run.cell.optimizer, lr=0.5)))
        for run in visits("SGD", 0.04)
    ]
    both = stored(tmp_path / "c", *visits("SGD", 0.01), *changed)
    assert compare(str(places[1]), str(both)).lines[0].ratio == pytest.approx(2)
