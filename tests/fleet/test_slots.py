"""As many databases at once as there are slots, and none any more once it is cancelled."""

import asyncio

from faults.processes import DEADLINE_S
from pgvouch.fleet.slots import Slots, each
from pgvouch.fleet.target import Job, Result, Target


def test_a_cancellation_that_is_forgotten_comes_again() -> None:
    """As `asyncio.wait_for` forgets one, before Python 3.12, that comes at the wrong moment."""
    jobs = [Job(Target(f"d{n}", "", "s")) for n in range(3)]
    forgot: list[str] = []
    ended: list[str] = []

    async def do(job: Job) -> Result:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            forgot.append(job.target.name)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(job.target.name)
        raise AssertionError

    async def roll() -> None:
        async for _ in each(jobs, Slots(2, {"s": 2}), do, lambda _: True):
            raise AssertionError

    async def main() -> None:
        rolling = asyncio.ensure_future(roll())
        await asyncio.sleep(0)  # it has begun with two of them
        await asyncio.sleep(0)
        rolling.cancel()
        await asyncio.wait({rolling}, timeout=DEADLINE_S)
        assert rolling.cancelled()

    asyncio.run(main())
    assert sorted(forgot) == sorted(ended) == ["d0", "d1"]
