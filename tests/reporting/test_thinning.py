"""Of many seeds some are drawn, by a rule that the caption names; of few all are."""

from hypothesis import given
from hypothesis import strategies as st

from evabench.reporting.pictures.convergence import convergence_picture
from evabench.reporting.pictures.thinning import MOST_SEEDS, drawn_seeds, thinning_words
from tests.reporting.reports import make_report, suite
from tests.runs import trainings


def curve(last_loss, last_step=8):
    return ((4, 1.0), (last_step, last_loss))


def test_few_seeds_are_all_drawn_and_nothing_is_said():
    seeds = [curve(loss) for loss in range(MOST_SEEDS)]
    assert drawn_seeds(seeds) == tuple(seeds)
    assert thinning_words(MOST_SEEDS) == ""


@given(st.lists(st.floats(0, 10), min_size=MOST_SEEDS + 1, max_size=300))
def test_of_many_seeds_the_best_and_the_worst_are_among_those_drawn(losses):
    seeds = [curve(loss) for loss in losses]
    drawn = drawn_seeds(seeds)
    assert len(drawn) == MOST_SEEDS
    assert {min(losses), max(losses)} <= {seed[-1][1] for seed in drawn}


def test_a_seed_that_ended_early_counts_as_the_worst_whatever_its_loss():
    early = curve(0.0, last_step=6)
    assert early in drawn_seeds([early, *(curve(loss) for loss in range(1, 100))])


def test_a_seed_without_a_loss_is_no_error():
    assert len(drawn_seeds([(), *(curve(loss) for loss in range(99))])) == MOST_SEEDS


def test_the_caption_and_the_text_for_those_who_do_not_see_it_say_how_many_are_drawn():
    told = "(30 of up to 40 seeds of an arm are drawn, spread evenly over their final losses)"
    few, many = (report_of(num_seeds) for num_seeds in (MOST_SEEDS, 40))
    assert told in many.title
    assert told in many.alt
    assert "are drawn" not in few.title
    assert many.svg["light"].count("stroke-opacity: 0.35") == few.svg["light"].count("stroke-opacity: 0.35")


def report_of(num_seeds):
    runs = [one for arm in ("SGD", "Eva") for one in trainings(arm, [12] * num_seeds)]
    (workload,) = make_report(suite(), runs).workloads
    return convergence_picture(workload, dict.fromkeys(("SGD", "Eva"), 0))
