"""A fleet: one folder of migrations, and each command over all of its databases."""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pgvouch.address.dotenv import DotEnv
from pgvouch.address.where import Given
from pgvouch.config.options import Options
from pgvouch.config.project import Project, find_project, read_files
from pgvouch.errors import PlanError, UsageError
from pgvouch.files.variables import given_variables
from pgvouch.fleet.between import Asks, Between, Halted, asker, goes_on
from pgvouch.fleet.listing import Chosen, Listing
from pgvouch.fleet.look import look
from pgvouch.fleet.one_database import Order, stands
from pgvouch.fleet.rollout import Event, Rolling, Summary
from pgvouch.fleet.settings import FleetSettings, fleet_settings
from pgvouch.fleet.slots import each, run, slots_of
from pgvouch.fleet.store import ControlStore, FileStore, Rollout, Store
from pgvouch.fleet.target import UNTOUCHED, Job, Result, Target
from pgvouch.fleet.waves import Wave, waves_of
from pgvouch.plan.build import find

_HISTORY = 20
"""So many rollouts are looked at."""
_STORE = Path(".pgvouch") / "fleet.sqlite"


def _silent(_event: Event) -> None:
    """Tell nothing."""


class Fleet:
    """The databases of a fleet, and what can be done in all of them.

    What fails in a database is a result and no exception.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str | None = None,
        project: str | Path | Project | None = None,
        environment: Mapping[str, str] | None = None,
        dotenv: bool = False,
        variables: Mapping[str, str] | None = None,
        on_event: Callable[[Event], None] = _silent,
        settings: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        """Say which fleet. Its files are read once, and nothing is connected yet.

        Args:
            name: of the fleet in the configuration.
            url: of the server, where the names of databases alone are known.
            project: the configuration; None looks for it upwards.
            environment: instead of the process's own.
            dotenv: read .env, too.
            variables: values of psql variables that files declare.
            on_event: called with what happens.
            settings: how migrations are run, as the configuration writes it.
            options: fields of FleetSettings, which win over the configuration; None is none.

        Raises:
            UsageError: there is no such fleet, or a setting that cannot be.
            FileError: a file that cannot be read as a migration.
        """
        found = project if isinstance(project, Project) else find_project(_path(project))
        self.project = found
        self.settings: FleetSettings = fleet_settings(found, name).given(**options)
        env = os.environ if environment is None else environment
        given = Given(url, env, DotEnv(found.root / ".env" if dotenv else None))
        self.on_event = on_event
        self.listing = Listing(found, self.settings, given)
        self.database = read_files(found, self.settings.folder)
        self._options = Options.of(
            {**found.settings, **(settings or {})},
            variables=given_variables(variables or {}, given.dotenv),
            strict=found.strict,
        )

    @cached_property
    def store(self) -> Store:
        """Where rollouts are written down: the control database, where there is one."""
        if (url := self.listing.control_url) is not None:
            return ControlStore(url, self.settings.name)
        return FileStore(self.project.root / _STORE, self.settings.name)

    def status(self, *, to: str | None = None) -> Summary:
        """Return how each database stands by its ledger; nothing is written anywhere."""
        return self._status(self.listing.targets(), to)

    def _status(self, targets: Sequence[Target], to: str | None) -> Summary:
        slots = slots_of(targets, self.settings.jobs, self.settings.per_server)

        async def do(job: Job) -> Result:
            found = await look(job.target, self.database, to)
            if found is None:
                found = await asyncio.to_thread(stands, job.target, self.database, to)
            return found

        async def do_all() -> dict[str, Result]:
            jobs = [Job(target) for target in targets]
            return {result.target: result async for result in each(jobs, slots, do, lambda _: True)}

        with asyncio.Runner() as runner:
            found = run(runner, do_all())
        return Summary(tuple(found[target.name] for target in targets))

    def plan(self, *, to: str | None = None) -> tuple[tuple[Wave, Summary], ...]:
        """Return the waves of a rollout, each with how its databases stand."""
        targets = self.listing.targets()
        stands = {result.target: result for result in self._status(targets, to).results}
        waves = waves_of(targets, self.settings.waves, self.settings.budget)
        return tuple(
            (wave, Summary(tuple(stands[target.name] for target in wave.targets))) for wave in waves
        )

    def migrate(
        self,
        *,
        to: str | None = None,
        between: Between = goes_on,
    ) -> Summary:
        """Apply what is pending, wave by wave, until too many fail; again, it does what is left.

        Args:
            to: the last migration; None means all.
            between: told of each wave when what the settings ask behind it goes on; a reason, in
                one line, stops the rollout there.

        Raises:
            VouchError: the files are not sound, or the list of databases cannot be read.
        """
        order = self.order("migrate", to=to)
        rolling: Rolling | None = None
        asks = self.gate(lambda: rolling.number if rolling else 0, self.on_event, between)
        rolling = Rolling(self.listing, order, self.on_event, self.store, asks)
        return rolling.run()

    def gate(
        self,
        number: Callable[[], int],
        tell: Callable[[Asks], None],
        then: Between = goes_on,
        *,
        halt: threading.Event | None = None,
    ) -> Between:
        """Return what asks behind each wave whether a rollout goes on, as the settings say.

        Args:
            number: returns that of the rollout.
            tell: is told what is asked.
            then: asked when all of it goes on.
            halt: ends what is asked once it is set; None: only a signal does.

        Raises:
            UsageError: something cannot be asked at all.
        """
        ends = halt or threading.Event()

        def listen(_event: Event) -> None:
            if ends.is_set():
                raise Halted

        def verify(targets: Sequence[Target]) -> Sequence[Result]:
            chosen = Chosen(self.listing, targets)
            return Rolling(chosen, self.order("verify"), listen).run().results

        return asker(self.listing, verify, number, tell, then, halt=ends)

    def rollback(self, *, number: int | None = None, discard_data: bool = False) -> Summary:
        """Roll back exactly what a rollout has applied, in those databases in which it did.

        Args:
            number: of the rollout; None: the last one.
            discard_data: rows may be lost.

        Raises:
            UsageError: there was none.
        """
        undone, touched = self.undone(number)
        order = self.order("rollback", to=str(undone.id), discard_data=discard_data)
        order = replace(order, undone=undone.comment)
        return Rolling(self.listing, order, self.on_event, self.store).run(touched)

    def undone(self, number: int | None) -> tuple[Rollout, set[str]]:
        """Return the rollout that a rollback undoes, and where it may have changed something.

        Raises:
            UsageError: there was none, or it has changed nothing.
        """
        undone = self.store.last("migrate", number)
        if left := self.store.at_work(undone.id):
            raise PlanError(
                f"rollout {undone.id} is under way still, in {left} database{'s' * (left != 1)}",
                state="Nothing was begun.",
                hint=f"pgvouch fleet watch {undone.fleet} waits for its end; pgvouch fleet cancel "
                f"{undone.fleet} --now cancels what runs",
            )
        did = self.store.results(undone.id)
        # Of what was begun or has failed, only its ledger knows what has landed.
        touched = {name for name, result in did.items() if result.state not in UNTOUCHED}
        if not touched:
            raise UsageError(
                f"rollout {undone.id} has changed nothing",
                hint=f"--rollout N says which one is to be rolled back, and pgvouch fleet history "
                f"{undone.fleet} which there are",
            )
        return undone, touched

    def kept(self, undone: int) -> list[tuple[int, int]]:
        """Return what other rollouts have applied of what a rollback takes back, and it leaves.

        Args:
            undone: the rollout that is rolled back.

        Returns:
            The numbers of rollouts, and in how many databases each has done so; where it takes
            nothing back, the last one that has applied anything.
        """
        history = self.store.history(_HISTORY)
        back = {past.wanted for past in history if past.action == "rollback"}
        ids = {name for r in self.store.results(undone).values() for name in r.finished}
        found = []
        for past in history:
            if past.action != "migrate" or past.id == undone or str(past.id) in back:
                continue
            results = self.store.results(past.id).values()
            if count := sum(
                bool(result.finished) and (not ids or not ids.isdisjoint(result.finished))
                for result in results
            ):
                found.append((past.id, count))
        return found if ids else found[:1]

    def verify(self) -> Summary:
        """Run every promise again in each database."""
        return Rolling(self.listing, self.order("verify"), self.on_event).run()

    def drift(self) -> Summary:
        """Compare each database's catalog with what its migrations made."""
        return Rolling(self.listing, self.order("drift"), self.on_event).run()

    def order(
        self, action: str, *, to: str | None = None, discard_data: bool = False, comment: str = ""
    ) -> Order:
        """Return what is to be done in each database.

        Args:
            action: migrate, rollback, verify or drift.
            to: the last migration that is wanted.
            discard_data: whether a rollback may lose rows.
            comment: goes into the log of each ledger.

        Raises:
            PlanError: there is no such migration.
        """
        if action == "migrate" and to is not None:
            find(self.database.migrations, to)  # a mistake of one, and not a failure in all of them
        options = replace(self._options, discard_data=discard_data, comment=comment or None)
        return Order(self.database, options, self.project.verify_required, action, to)


def _path(project: str | Path | None) -> Path | None:
    return Path(project) if project is not None else None
