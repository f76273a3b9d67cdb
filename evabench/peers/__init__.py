"""Public implementations as arms: thin adapters, child side, named by suites as `evabench.peers.MODULE:NAME`.

Nothing else imports them, and the packages are an extra: `pip install 'evabench[peers]'`.
"""
