"""The runs of a plan, by what their sessions are."""


def all_runs(sessions):
    return tuple(run for session in sessions for run in session.runs)


def untimed(plan):
    return all_runs(session for session in plan.sessions if not session.whole)


def sweeps(plan):
    return tuple(session.runs for session in plan.sessions if session.whole)
