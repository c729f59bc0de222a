"""The document's projects.test: who makes, reads, changes and deletes a project."""

import pytest
from psycopg import errors


def test_user_can_create_project(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        project = db.project(ann.id, "Test Todo App")

    row = "select user_id, name, status from public.projects where id = %s"
    assert coding_sessions.rows(row, project) == [(ann.id, "Test Todo App", "active")]


def test_user_can_read_own_projects(coding_sessions, ann):
    second = coding_sessions.project(ann.id)

    with coding_sessions.user(ann.id) as db:
        assert {row for (row,) in db.rows("select id from public.projects")} == {
            ann.project,
            second,
        }


def test_user_cannot_read_other_projects(coding_sessions, ann, bob):
    with coding_sessions.user(bob.id) as db:
        assert db.rows("select id from public.projects where id = %s", ann.project) == []


def test_user_can_update_own_project(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        changed = db.changed(
            "update public.projects set name = 'Renamed', description = 'Better', "
            """expo_config = '{"slug": "renamed"}' where id = %s""",
            ann.project,
        )

    row = "select name, description, expo_config from public.projects where id = %s"
    assert changed == 1
    assert coding_sessions.rows(row, ann.project) == [("Renamed", "Better", {"slug": "renamed"})]


def test_user_can_soft_delete_project(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        db.rows("update public.projects set status = 'deleted' where id = %s", ann.project)

    # The row stays, for its owner too: the application filters by status.
    with coding_sessions.user(ann.id) as db:
        assert db.rows("select id, status from public.projects") == [(ann.project, "deleted")]


def test_user_cannot_create_project_for_somebody_else(coding_sessions, ann, bob):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        # Without `returning`, which would bring in the select policy.
        db.rows("insert into public.projects (user_id, name) values (%s, 'A gift')", bob.id)

    assert coding_sessions.value("select count(*) from public.projects") == 2


@pytest.mark.parametrize("granted", [False, True], ids=["as it is", "with the right to"])
def test_user_cannot_give_a_project_away(coding_sessions, ann, bob, granted):
    # The policy is a second fence: it holds where a careless grant has taken the first one down.
    if granted:
        coding_sessions.rows("grant update on public.projects to authenticated")

    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows("update public.projects set user_id = %s", bob.id)

    owner = coding_sessions.value("select user_id from public.projects where id = %s", ann.project)
    assert owner == ann.id


def test_user_cannot_take_a_project_over(coding_sessions, ann, bob):
    coding_sessions.rows("grant update on public.projects to authenticated")

    with coding_sessions.user(ann.id) as db:
        assert db.changed("update public.projects set user_id = %s", ann.id) == 1

    owner = coding_sessions.value("select user_id from public.projects where id = %s", bob.project)
    assert owner == bob.id


OWN = ("name", "description", "template_id", "expo_config")
SERVERS_OWN = {
    "id": "gen_random_uuid()",
    "sandbox_id": "'fly-of-B'",
    "created_at": "'1900-01-01'",
    "updated_at": "'1900-01-01'",
}
"""What servers write into a project, and users do not."""


def test_the_lists_of_columns_are_complete(coding_sessions):
    columns = {
        name
        for (name,) in coding_sessions.rows(
            "select attname::text from pg_attribute "
            "where attrelid = 'public.projects'::regclass and attnum > 0"
        )
    }
    assert columns == {*OWN, *SERVERS_OWN, "user_id", "status"}


@pytest.mark.parametrize("column", [*SERVERS_OWN, "user_id"])
def test_user_changes_nothing_that_is_the_servers(coding_sessions, ann, column):
    before = coding_sessions.rows("select * from public.projects")

    for value in (SERVERS_OWN.get(column, column), "default"):
        with (
            coding_sessions.refused(errors.InsufficientPrivilege),
            coding_sessions.user(ann.id) as db,
        ):
            db.rows(f"update public.projects set {column} = {value}")

    assert coding_sessions.rows("select * from public.projects") == before


@pytest.mark.parametrize("column", [*SERVERS_OWN, "status"])
def test_user_creates_a_project_with_nothing_that_is_the_servers(coding_sessions, ann, column):
    with (
        coding_sessions.refused(errors.InsufficientPrivilege),
        coding_sessions.user(ann.id) as db,
    ):
        db.rows(
            f"insert into public.projects (user_id, name, {column}) "
            f"values (%s, 'More', {SERVERS_OWN.get(column, 'default')})",
            ann.id,
        )

    assert coding_sessions.rows("select id from public.projects") == [(ann.project,)]


def test_server_writes_all_of_it(coding_sessions, ann):
    changes = ", ".join(f"{column} = {value}" for column, value in SERVERS_OWN.items())
    coding_sessions.rows("delete from public.coding_sessions")

    with coding_sessions.service() as db:
        assert db.changed(f"update public.projects set {changes}") == 1

    assert coding_sessions.value("select sandbox_id from public.projects") == "fly-of-B"


@pytest.mark.parametrize("where", ["where id = %(bob)s", ""], ids=["by id", "all within reach"])
def test_user_deletes_own_projects_only(coding_sessions, ann, bob, where):
    with coding_sessions.user(ann.id) as db:
        db.connection.execute(f"delete from public.projects {where}", {"bob": bob.project})

    left = coding_sessions.rows("select id from public.projects where user_id = %s", bob.id)
    assert left == [(bob.project,)]


def test_user_can_delete_own_project(coding_sessions, ann):
    with coding_sessions.user(ann.id) as db:
        assert db.changed("delete from public.projects where id = %s", ann.project) == 1

    assert coding_sessions.rows("select id from public.projects") == []
