"""Of two tries at a sweep one counts, chosen by the conditions, never by the times."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from evabench.findings.interruptions import KnownVisits
from evabench.findings.repeats import counting_runs, counting_try, why_it_counts
from evabench.records.run import Outcome, Visit
from tests.runs import QUIET, run

LOUD = replace(QUIET, steal_share=0.5)


def visit(arm, sweep=1, *, repeated=False, conditions=QUIET, outcome="completed"):
    made = run(seed=sweep, arm=arm)
    place = Visit(sweep=sweep, position=0, warmup_steps=0, repeated=repeated)
    result = Outcome(kind=outcome, reason=None, stderr_tail="")
    return replace(made, visit=place, conditions=conditions, outcome=result, key=f"{arm} {sweep} {repeated}")


def sweep_of(**changes):
    return [visit("SGD", **changes), visit("Eva", **changes)]


FIRST = [visit("SGD", conditions=LOUD), visit("Eva")]


def chosen(second):
    return counting_try(FIRST, second, KnownVisits([*FIRST, *second]))


def test_a_quiet_second_try_counts():
    second = sweep_of(repeated=True)
    assert chosen(second) is second


def loud(share, arm="SGD", **changes):
    return visit(arm, conditions=replace(QUIET, steal_share=share), **changes)


def test_a_second_try_that_was_disturbed_as_much_or_more_does_not_count():
    assert chosen([loud(0.5, repeated=True), visit("Eva", repeated=True)]) is FIRST
    assert chosen([loud(0.02, repeated=True), loud(0.02, "Eva", repeated=True)]) is FIRST  # in more visits


def test_a_second_try_that_was_disturbed_less_counts():
    assert chosen([loud(0.2, repeated=True), visit("Eva", repeated=True)]) is not FIRST
    both = [loud(0.5), loud(0.5, "Eva")]
    second = [visit("SGD", repeated=True), loud(0.9, "Eva", repeated=True)]
    assert counting_try(both, second, KnownVisits([*both, *second])) is second


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_the_choice_is_the_less_disturbed_whatever_the_order_of_the_arms(shares):
    first = [loud(shares[0]), loud(shares[1], "Eva")]
    second = [loud(shares[2], repeated=True), loud(shares[3], "Eva", repeated=True)]
    known = KnownVisits([*first, *second])
    turned = counting_try(first[::-1], second[::-1], known)
    assert {run.key for run in counting_try(first, second, known)} == {run.key for run in turned}


def test_a_second_try_that_lost_an_arm_does_not_count():
    assert chosen([visit("SGD", repeated=True)]) is FIRST
    crashed = [visit("SGD", repeated=True), visit("Eva", repeated=True, outcome="crashed")]
    assert chosen(crashed) is FIRST


def test_runs_of_the_try_that_does_not_count_are_left_out_and_all_others_stay():
    untimed, other = run(seed=9), sweep_of(sweep=2)
    second = sweep_of(repeated=True)
    counted = counting_runs([untimed, *FIRST, *other, *second])
    assert {one.key for one in counted} == {one.key for one in (untimed, *other, *second)}


def test_leaving_out_twice_is_leaving_out_once():
    once = counting_runs([*FIRST, *sweep_of(repeated=True)])
    assert counting_runs(once) == once


def test_the_second_try_of_one_sweep_says_nothing_about_another():
    first = sweep_of(sweep=2, conditions=LOUD)
    assert set(one.key for one in counting_runs([*first, *sweep_of(repeated=True)])) >= {one.key for one in first}


def told(second):
    return why_it_counts(FIRST, second, KnownVisits([*FIRST, *second]))


def test_a_choice_is_told_with_its_reason():
    assert told(sweep_of(repeated=True)) == ("The second counts: 0 of its 2 visits were disturbed, 1 of the other's.")
    assert told([loud(0.2, repeated=True), visit("Eva", repeated=True)]) == (
        "The second counts: 1 of its 2 visits were disturbed, 1 of the other's, and less of the CPUs' time was taken "
        "from it."
    )
    assert told([loud(0.5, repeated=True), loud(0.5, "Eva", repeated=True)]) == (
        "The first counts: 1 of its 2 visits were disturbed, 2 of the other's."
    )
    lost = [visit("SGD", repeated=True, outcome="crashed"), visit("Eva", repeated=True)]
    assert told(lost) == "The first counts: in the second SGD did not complete."
