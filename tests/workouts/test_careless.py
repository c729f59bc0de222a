"""Changes for the worse that a tired author makes, without the deltas: the sentences notice."""

from dataclasses import replace
from itertools import pairwise

import pytest

from pgvouch import api
from pgvouch.config import Database as System
from pgvouch.db import Session
from pgvouch.errors import CheckError
from pgvouch.events import silent
from pgvouch.migration import checksum
from pgvouch.options import Options

from .conftest import described

CODE = "upper(left(gen_random_uuid()::text, 8))"
DATED = "new.updated_at := now()"
ACTIVE = "where (status = 'in_progress')"
CHANGES = [
    ("001", CODE, "lpad(floor(random() * 10000)::text, 8, '0')"),
    ("001", CODE, "repeat(upper(left(gen_random_uuid()::text, 4)), 2)"),
    ("001", CODE, "upper(left(gen_random_uuid()::text, 7)) || '0'"),
    ("001", DATED, "new.updated_at := greatest(now(), old.updated_at)"),
    ("001", DATED, "new.updated_at := clock_timestamp()"),
    ("003", "\\u2000-\\u200d", ""),
    ("004", "  is_system_exercise = category !~ '^Own(: |$)',\n", ""),
    ("004", "default_weight >= 0 and default_weight <> 'NaN'", "default_weight >= 0"),
    ("006", "target_weight >= 0 and target_weight <> 'NaN'", "target_weight >= 0"),
    ("006", "deferrable initially immediate", "deferrable initially deferred"),
    ("006", "deferrable initially immediate", ""),
    ("007", ACTIVE, "where (status = 'in_progress' and completed_at is null)"),
    ("007", ACTIVE, "where (status = 'in_progress' and name is null)"),
    ("007", "exclude using btree (user_id with =)", "exclude using btree (user_id with =, started_at with =)"),
    ("007", "isfinite(started_at) and isfinite(completed_at) and ", ""),
    ("007", " and completed_at >= started_at", ""),
    ("008", "deferrable initially immediate", "deferrable initially deferred"),
    ("009", "weight >= 0 and weight <> 'NaN'", "weight >= 0"),
    ("009", "weight > 0 and weight <> 'NaN'", "weight > 0"),
    ("009", "on delete cascade\n", "on delete cascade deferrable initially deferred\n"),
    ("010", "on conflict (id) do nothing", "on conflict (id) do update set name = excluded.name"),
    ("010", "on conflict (id) do nothing", "on conflict (id) do update set is_deleted = false"),
]  # fmt: skip
BEFORE = {
    "004": "insert into public.exercises (name, category) "
    "values ('Old Lift', 'Legs'), ('Box Jump', 'Own')",
    "010": "insert into public.exercises (id, name, is_deleted) "
    "values ('ec5e0000-0000-4000-8000-000000000001', 'Back Squat', true)",
}
"""What is there already, where that matters."""


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize(("number", "old", "new"), CHANGES)
def test_it_is_noticed_without_the_delta(every_url, number, old, new):
    system = described(every_url)
    changed = []
    for item in system.migrations:
        text = item.sql
        if item.id.startswith(number):
            assert old in text
            text = text.replace(old, new, 1)
        changed.append(replace(item, sql=text, checksum=checksum(text), delta_path=None))
    careless = System(system.name, system.folder, every_url, tuple(changed))
    with Session.open(every_url) as session:
        if number in BEFORE:
            (ahead,) = [
                earlier.id for earlier, item in pairwise(changed) if item.id.startswith(number)
            ]
            api.migrate(session, careless, Options(), silent, to=ahead)
            session.run(BEFORE[number])
        with pytest.raises(CheckError):
            api.migrate(session, careless, Options(), silent, require_promises=True)
