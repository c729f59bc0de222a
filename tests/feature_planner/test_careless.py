"""Changes for the worse that a tired author makes, without the deltas: the sentences notice."""

from dataclasses import replace

import pytest

from pgvouch.errors import CheckError
from pgvouch.migration import checksum

from .conftest import described, migrate

OWN = "using (user_id = (select feature_planner.caller_id()))"
PUBLIC = "using (is_public)"
NAMES = "added_by_user_id = (select feature_planner.caller_id())"
CHANGES = [
    ("009", "new.updated_at := now()", "new.updated_at := greatest(now(), old.updated_at)"),
    ("009", "new.updated_at := now()", "new.updated_at := clock_timestamp()"),
    ("009", "new.updated_at := now()", "new.updated_at := coalesce(new.updated_at, now())"),
    ("011", PUBLIC, "using (is_public or usage_count > 0)"),
    ("011", PUBLIC, "using (is_public or name = 'x')"),
    ("011", OWN, f"{OWN[:-1]} or status = 'completed')"),
    ("011", OWN, f"{OWN[:-1]} or parent_plan_id is not null)"),
    ("011", OWN, f"{OWN[:-1]} or session_id = 'never written')"),
    ("011", NAMES, f"{NAMES} or is_manually_added"),
    ("011", "  as restrictive\n", ""),
    ("011", "grant update (\n    id,", "grant update (\n    added_by_user_id,\n    id,"),
    ("003", "\\u2000-\\u200d", ""),
    ("008", "check (end_time >= start_time)", "check (end_time <> start_time)"),
    ("008", "check (end_time >= start_time)", "check (end_time > start_time)"),
    ("008", "      and (cache_read_tokens is null or cache_read_tokens >= 0)\n", ""),
    ("005", "on delete cascade,", "on delete cascade deferrable initially deferred,"),
]


@pytest.mark.parametrize("every_server", ["pg18"], indirect=True)
@pytest.mark.parametrize(("number", "old", "new"), CHANGES)
def test_it_is_noticed_without_the_delta(every_url, number, old, new):
    changed = []
    for item in described().migrations:
        text = item.sql
        if item.id.startswith(number):
            assert old in text
            text = text.replace(old, new, 1)
        changed.append(replace(item, sql=text, checksum=checksum(text), delta_path=None))
    with pytest.raises(CheckError):
        migrate(every_url, None, *changed)
