"""What a suite still lacks on this host, made and stored: the work of `evabench run`."""

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from evabench.errors import DataError
from evabench.launch.launcher import Launch
from evabench.launch.server import LaunchServer, this_package
from evabench.records.host import Host
from evabench.records.run import Run
from evabench.runner.campaign import Campaign, Progress
from evabench.runner.devices import Devices
from evabench.runner.missing_data import MissingData, missing_data, without_data
from evabench.runner.plan import Plan, make_plan, make_tuning_plan
from evabench.store.files import RunStore
from evabench.store.targets import TargetStore
from evabench.suite.suite import Suite

CPU = Devices()


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """A suite, where its runs are stored, and what is asked for."""

    suite: Suite
    host: Host
    store: RunStore
    seeds: int | None = None
    retry_failed: bool = False
    fresh: bool = False
    repeat: bool = True  # a timing sweep that was disturbed, once
    tune: bool = False  # the trials of the suite's tuning, and nothing else

    @property
    def targets(self) -> TargetStore:
        """Return the file of the targets that runs have set."""
        return TargetStore(self.store.path.with_name("targets.jsonl"))

    def plan(self, stored: Sequence[Run], made: Collection[str] = ()) -> Plan:
        """Return what is to be made; `made` are the keys of what this call has made already."""
        this_package()  # an edit from now on is found when a server is started
        if self.tune:
            return make_tuning_plan(self.suite, stored, self.host, retry_failed=self.retry_failed, fresh=self.fresh)
        return make_plan(
            self.suite,
            stored,
            self.host,
            seeds=self.seeds,
            retry_failed=self.retry_failed,
            fresh=self.fresh,
            repeat=self.repeat,
            made=made,
        )

    def lasting_plan(self) -> Plan:
        """Return what is stored now and what is left, whatever this call was asked to make again."""
        stored = self.store.load()
        if self.tune:
            return make_tuning_plan(self.suite, stored, self.host)
        return make_plan(self.suite, stored, self.host, seeds=self.seeds, repeat=False)

    def mend(self) -> tuple[Path, ...]:
        """Set torn last lines aside, and return where they went: with nothing to run, nothing would be written."""
        moved = []
        for file in (self.store, self.targets):
            file.mend()
            moved += [file.set_aside] if file.set_aside else []
        return tuple(moved)

    def make(
        self, plan: Plan, progress: Progress, *, jobs: int, devices: Devices = CPU, launch: Launch = LaunchServer
    ) -> None:
        """Make the runs of a plan whose data are here. Raises `StoreError` where another call is at work in the file.

        The runs that set targets come first; what is judged by them is planned behind them.
        """
        missing = missing_data(plan)
        plan = without_data(plan, missing)
        campaign = Campaign(
            store=self.store,
            host=self.host,
            timeout_seconds=self.suite.timeout_seconds,
            progress=progress,
            jobs=jobs,
            devices=devices,
            launch=launch,
        )
        with self.store.reserved() if plan.left else nullcontext():
            if plan.setting:
                made = campaign.set_targets(plan)
                plan = without_data(self.plan(self.store.load(), made), missing)
            self.targets.record(plan.targets.found)
            campaign.run(plan)


def check_data(plan: Plan, missing: tuple[MissingData, ...]) -> None:
    """Raise `DataError` where every run of the plan needs data that are not here, and none is stored."""
    if missing and not plan.stored and not without_data(plan, missing).left:
        told = "\n".join(one.tell(plan.num_runs) for one in missing)
        raise DataError(f"nothing of this suite can be run.\n{told}")
