"""Who the caller is: a careless change of the stamps' `caller` is noticed by the sentences written by hand.

The stamped checks come from the same line, and would say what it says.
"""

import pytest

from pgvouch.errors import CheckError
from systems.copied import copy_of, migrate

TEXT = "where jsonb_typeof(auth.jwt() -> 'sub') = 'string'"
VISIBLE = "and auth.jwt() ->> 'sub' ~ '^[!-~]+$'"
CARELESS = {
    "any subject": ((TEXT, "where true"), (VISIBLE, "")),
    "a subject that is no text": ((TEXT, "where true"),),
    "an empty one": (
        ("select auth.jwt() ->> 'sub'", "select coalesce(auth.jwt() ->> 'sub', 'user_verify_ann')"),
        (TEXT, "where true"),
        (VISIBLE, ""),
    ),
    "blanks around it": (
        ("select auth.jwt() ->> 'sub'", "select trim(auth.jwt() ->> 'sub', E' \\n')"),
        (VISIBLE, ""),
    ),
    "any case": (
        ("clerk_user_id = (", "lower(clerk_user_id) = ("),
        ("select auth.jwt() ->> 'sub'", "select lower(auth.jwt() ->> 'sub')"),
    ),
    "the address": (
        ("(clerk_user_id = (", "(email = (select auth.jwt() ->> 'email') or clerk_user_id = ("),
    ),
    "the name": (
        ("(clerk_user_id = (", "(name = (select auth.jwt() ->> 'name') or clerk_user_id = ("),
    ),
    "the beginning": (
        ("(clerk_user_id = (", "(starts_with(clerk_user_id, auth.jwt() ->> 'sub') or null = ("),
    ),
}


@pytest.fixture
def copy(tmp_path):
    return copy_of("learning_plans", tmp_path)


def test_the_copy_lands_as_it_is(copy, url):
    assert migrate(copy, url).finished[-1].id == "004_add_plan_schedules_table"


@pytest.mark.parametrize("change", CARELESS.values(), ids=CARELESS.keys())
def test_careless_identity_is_noticed_without_the_stamped_checks(copy, url, change):
    changed = 0
    for file in copy.rglob("*.sql"):
        text = file.read_text()
        for old, new in change:
            changed += text.count(old)
            text = text.replace(old, new)
        file.write_text(text)
    assert changed > 5

    with pytest.raises(CheckError) as refused:
        migrate(copy, url)

    assert "exactly the stamped policies" not in str(refused.value)
