"""A page names the nets and arms that its suite asks for and that no run is of."""

from evabench.reporting.markdown import render_markdown
from evabench.reporting.sections import make_document
from evabench.reporting.tables.unrun import unrun_table
from evabench.settings.autoencoders import AutoencoderSettings
from tests import runs as made
from tests.reporting.reports import make_report, suite

OTHER = AutoencoderSettings(widths=(784, 500, 250), batch=50)
ARMS = {arm: made.ARMS[arm] for arm in ("SGD", "Eva", "Shampoo")}


def measured(*arms, **changes):
    runs = [one for arm in arms for one in (*made.visits(arm, 0.01), *made.trainings(arm, [20]))]
    runs += [made.memory(arm, 1.0, 100, name="autoencoder") for arm in arms]
    return make_report(suite(arms=ARMS, **changes), runs)


def test_where_every_arm_has_every_run_there_is_no_table():
    assert unrun_table(measured(*ARMS)) is None


def test_an_arm_without_a_run_and_a_net_without_one_have_a_row_each():
    table = unrun_table(measured("SGD", "Eva", workloads={"autoencoder": made.NET, "other": OTHER}))
    assert table.rows == (("autoencoder", "Shampoo", "everything"), ("other", "every arm", "everything"))


def test_a_kind_of_measurement_that_an_arm_lacks_is_named():
    runs = [one for arm in ARMS for one in made.visits(arm, 0.01)] + made.trainings("SGD", [20])
    table = unrun_table(make_report(suite(arms=ARMS), runs))
    assert table.rows == (("autoencoder", "SGD", "memory"), ("autoencoder", "Eva, Shampoo", "memory, convergence"))


def test_the_page_has_it():
    assert "Asked for and not run here" in render_markdown(make_document(measured("SGD", "Eva")))
