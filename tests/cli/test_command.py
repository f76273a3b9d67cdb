from pathlib import Path

from evabench.cli.stored import command


def test_a_command_has_no_more_than_the_suite_where_all_options_have_their_defaults():
    assert command("quickstart", None, Path("results"), seeds=None, no_repeat=False) == "evabench run quickstart"


def test_a_command_carries_the_options_of_the_call_quoted_for_a_shell():
    typed = command("my suite.toml", "smoke", Path("/mnt/my results"), seeds=3, jobs=2, no_repeat=True)
    assert typed == (
        "evabench run 'my suite.toml' --tier smoke --results '/mnt/my results' --seeds 3 --jobs 2 --no-repeat"
    )
