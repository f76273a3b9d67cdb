"""`python -m evabench` is the `evabench` command."""

from evabench.cli.main import main

if __name__ == "__main__":
    main()
