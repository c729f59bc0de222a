"""Who the caller is: a careless change of the policies is noticed by the sentences written by hand.

The stamped checks come from the same template as the policies, and would say what it says.
"""

import pytest

from pgvouch.errors import CheckError
from systems.copied import copy_of, migrate

OWN = "(user_id = (select auth.uid()))"
PROFILE = "(id = (select auth.uid()))"
JOB = "where parent.user_id = (select auth.uid())"
CARELESS = {
    "a profile by its address": (
        PROFILE,
        "(id = (select auth.uid()) or email = (select auth.jwt() ->> 'email'))",
    ),
    "a profile by its name": (
        PROFILE,
        "(id = (select auth.uid()) or display_name = (select auth.jwt() ->> 'name'))",
    ),
    "a profile by the name of the own one": (
        PROFILE,
        "(display_name = (select raw_user_meta_data ->> 'display_name' from auth.users "
        "where id = auth.uid()))",
    ),
    "a profile by another claim": (
        PROFILE,
        "(id = coalesce((auth.jwt() ->> 'user_id')::uuid, auth.uid()))",
    ),
    "a profile without a subject": (PROFILE, "(id = coalesce(auth.uid(), id))"),
    "rows by another claim": (
        OWN,
        "(user_id = coalesce((auth.jwt() ->> 'user_id')::uuid, auth.uid()))",
    ),
    "rows by a role that the token claims": (
        OWN,
        "(user_id = (select auth.uid()) or auth.jwt() ->> 'role' = 'service_role')",
    ),
    "rows of everybody": (OWN, "(user_id is not null)"),
    # "is not null" would change nothing: the subquery sees the caller's own parents only.
    "jobs and events of nobody": (JOB, "where parent.user_id is null"),
}


@pytest.fixture
def copy(tmp_path):
    return copy_of("coding_sessions", tmp_path)


def test_the_copy_lands_as_it_is(copy, url):
    assert migrate(copy, url).finished[-1].id == "005_create_session_events"


@pytest.mark.parametrize("change", CARELESS.values(), ids=CARELESS.keys())
def test_careless_identity_is_noticed_without_the_stamped_checks(copy, url, change):
    old, new = change
    changed = 0
    for file in copy.rglob("*.sql"):
        text = file.read_text()
        changed += text.count(old)
        file.write_text(text.replace(old, new))
    assert changed > 3

    with pytest.raises(CheckError) as refused:
        migrate(copy, url)

    assert "exactly the stamped policies" not in str(refused.value)
