"""Stamped files through the program: migrated, verified, broken, rolled back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Folder
from pgvouch.stamp.rewrite import stamp_files
from pgvouch.stamp.templates import Templates
from support.stamp_bench import PLATFORM

STAMPS = """-- stamp: owner_policies(table="projects", owner="user_id",
--   commands=["select", "update"], names={"select": "Users can view own projects"})

-- stamp: service_policies(table="projects", commands=["select"])

-- stamp: updated_at_trigger(table="projects")

-- stamp: grants(table="projects", to={"authenticated": ["select"]},
--   columns={"authenticated": {"update": ["title"]}})
"""
FILES = {
    "001_platform.sql": PLATFORM,
    "002_projects.sql": f"""
create function public.update_updated_at() returns trigger language plpgsql
  set search_path = '' as $$ begin new.updated_at = now(); return new; end $$;
create table public.projects (
  id int primary key, user_id uuid not null, title text not null, updated_at timestamptz
);
create index projects_user_id_idx on public.projects (user_id);
alter table public.projects enable row level security;

{STAMPS}
""",
    "002_projects.rollback.sql": f"""
{STAMPS}
drop table public.projects;
drop function public.update_updated_at();
""",
    "verify/002_projects.sql": STAMPS,
}


@pytest.fixture
def stamped(make_folder: Callable[[str], Folder], every_url: str) -> Folder:
    folder = make_folder(every_url)
    folder.write(FILES)
    paths = [folder.path / name for name in FILES if not name.startswith("001")]
    outcomes = stamp_files(paths, Templates())
    assert [outcome.status for outcome in outcomes] == ["written"] * 12
    return folder


def test_a_stamped_migration_is_kept_and_verified_and_rolled_back(stamped: Folder) -> None:
    ran = stamped("migrate")
    assert (ran.code, "2 applied" in ran.out) == (0, True)
    assert stamped("verify").code == 0
    assert stamped("rollback").code == 0
    assert stamped.query("select to_regclass('public.projects')") == [(None,)]


@pytest.mark.parametrize(
    ("mutation", "sentence"),
    [
        (
            'alter policy "Users can view own projects" on projects using (true)',
            "exactly the stamped policies",
        ),
        ("drop index projects_user_id_idx", "an index begins with every column"),
        ("drop trigger projects_updated_at on projects", "before every update of a row"),
        ("grant select on projects to anon", "exactly what was granted"),
    ],
)
def test_verify_finds_what_changed_later(stamped: Folder, mutation: str, sentence: str) -> None:
    stamped("migrate")
    stamped.query(mutation)
    ran = stamped("verify")
    assert ran.code == 1
    assert sentence in ran.out + ran.err


def test_a_migration_whose_policy_is_missing_does_not_land(stamped: Folder) -> None:
    path = stamped.path / "002_projects.sql"
    text = path.read_text()
    path.write_text(text.replace("  using (user_id = (select auth.uid()))", "  using (true)"))
    ran = stamped("migrate")
    assert ran.code == 1
    assert "exactly the stamped policies" in ran.out + ran.err
    assert stamped.query("select to_regclass('public.projects')") == [(None,)]


def test_the_program_refuses_nothing_that_stamping_writes(stamped: Folder) -> None:
    again = stamp_files(sorted(Path(stamped.path).rglob("*.sql")), Templates(), check=True)
    assert {outcome.status for outcome in again} == {"fresh"}
    assert stamped("status").code == 0


HEADER = """{#- pgvouch
doc = "a view"
sample = 'numbered(table="things")'
[arguments]
table = { type = "name", doc = "the view" }
-#}
"""
VIEW = "create view {{ table | ident }} as select 1 as number;\n"
DROP = "drop view {{ table | ident }};\n"
CHECK = """-- check: {{ table | visible }} shows its number
select number = 1 from {{ table | ident }};
"""
STAMP = '-- stamp: numbered(table="things")\n'


def test_a_changed_template_is_stamped_again_by_a_new_migration(folder: Folder) -> None:
    """The way of docs/stamping.md, from the refusal to a database built from nothing."""
    templates = folder.root / "templates"
    templates.mkdir()
    (templates / "numbered.sql.j2").write_text(HEADER + VIEW)
    (templates / "numbered.rollback.sql.j2").write_text(DROP)
    (templates / "numbered.verify.sql.j2").write_text(CHECK)
    old = ["001_a.sql", "001_a.rollback.sql", "verify/001_a.sql"]
    folder.write(dict.fromkeys(old, STAMP))

    def stamp(check: bool = False) -> list[str]:
        ids = {str(row[0]) for row in folder.query("select migration_id from pgvouch.migration")}
        paths = sorted(folder.path.rglob("*.sql"))
        outcomes = stamp_files(
            paths,
            Templates(templates),
            check=check,
            applied=lambda path: path.name.split(".")[0] in ids,
        )
        return [o.status if o.error else f"{o.status} ok" for o in outcomes]

    stamp_files([folder.path / name for name in old], Templates(templates))
    assert folder("migrate").code == 0

    (templates / "numbered.sql.j2").write_text(HEADER + VIEW.replace("1", "2"))
    (templates / "numbered.verify.sql.j2").write_text(CHECK.replace("1", "2"))
    assert stamp() == ["fresh ok", "applied", "applied"]

    new = [name.replace("001_a", "002_restamp_things") for name in old]
    folder.write(
        {
            new[0]: f"drop view things;\n{STAMP}",
            new[1]: f"{STAMP}create view things as select 1 as number;\n",
            new[2]: STAMP,
        }
    )
    path = folder.path / old[2]
    sentence = "-- check: things shows its number\n"
    path.write_text(path.read_text().replace(sentence, f"{sentence}-- until: 002_restamp_things\n"))
    done = ["fresh ok", "stale ok", "written ok", "written ok", "stale ok", "written ok"]
    assert sorted(stamp()) == sorted(done)
    assert all(status.endswith(" ok") for status in stamp(check=True))
    assert folder("migrate").code == 0
    assert folder.query("select number from things") == [(2,)]
    assert folder("verify").code == 0
    assert folder("rollback").code == 0
    assert folder.query("select number from things") == [(1,)]
    assert folder("rollback").code == 0
    assert folder("migrate").code == 0
    assert folder.query("select number from things") == [(2,)]
