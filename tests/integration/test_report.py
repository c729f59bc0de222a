"""`report`: what is in a database, on one page."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, Folder, query
from pgvouch import NoDatabaseError, Report, Vouch

FILES = {
    "actors.toml": '[owner]\nrole = "postgres"\nbypasses_rls = true\n',
    "001_plans.sql": "create table public.plans (id bigint primary key, at timestamptz);\n"
    "comment on table public.plans is 'What is meant to be done.';\n",
    "001_plans.rollback.sql": "drop table public.plans;\n",
    "verify/001_plans.sql": "-- check as owner: plans are there\nselect to_regclass('public.plans') is not null;\n"
    "-- check error 23502: <b>a plan</b> without an id\ninsert into public.plans default values;\n"
    "-- check: it has no steps\n-- until: 002_steps\nselect to_regclass('public.steps') is null;\n",
    "002_steps.sql": "create table public.steps (\n"
    "  plan_id bigint references public.plans (id), number int, parent int, primary key (plan_id, number),\n"
    "  foreign key (plan_id, parent) references public.steps (plan_id, number)\n);\n"
    "create table public.parts (n int) partition by range (n);\n"
    "create table public.parts_1 partition of public.parts for values from (0) to (9);\n"
    "create schema other;\ncreate table other.far (plan_id bigint references public.plans (id));\n",
    "002_steps.rollback.sql": "drop schema other cascade;\ndrop table public.parts, public.steps;\n",
    "verify/002_steps.sql": "-- same: plans\n-- before:\nselect * from public.plans;\n-- after:\nselect * from public.plans;\n",
    "verify/always.sql": "-- check none: a table without a comment, but for those that need none\nselect 1 where false;\n",
    "003_later.sql": "-- irreversible: it is the end\nselect 1;\n",
}


@pytest.fixture
def plans(make_folder: object, every_url: str) -> Folder:
    folder: Folder = make_folder(every_url)  # type: ignore[operator]
    folder.write(FILES)
    return folder


def _report(folder: Folder, **given: bool) -> Report:
    with Vouch(folder.url, migrations=folder.path) as vouch:
        return vouch.report(**given)


def test_what_it_says(plans: Folder) -> None:
    assert plans("accept-delta").code == 0
    assert plans("migrate", "--to", "2").code == 0
    report = _report(plans)
    first, second, third = report.entries
    assert (first.id, first.state, first.checks, first.has_rollback) == (
        *("001_plans", "applied", 3, True),
    )
    assert first.applied_by == "postgres"
    assert first.applied_at is not None
    assert first.delta is not None
    assert "+ table public.plans (id, at)" in first.delta
    assert [
        (p.kind, p.sentence, p.actors, p.place, p.until, p.verdict) for p in first.promises
    ] == [
        ("check", "plans are there", ("owner",), "verify/001_plans.sql:1", None, None),
        (
            "check error 23502",
            "<b>a plan</b> without an id",
            (),
            "verify/001_plans.sql:3",
            None,
            None,
        ),
        ("check", "it has no steps", (), "verify/001_plans.sql:5", "002_steps", None),
    ]
    assert [p.kind for p in second.promises] == ["same"]
    assert [p.lead for p in report.promises] == ["", "refused", "", "unchanged", "none"]
    assert (third.state, third.irreversible, third.applied_at) == ("pending", "it is the end", None)
    assert len(report.always) == 1
    assert [(h.what, h.id) for h in report.history] == [
        ("applied", "002_steps"),
        ("applied", "001_plans"),
    ]
    assert [(t.schema, t.name, [c.name for c in t.columns]) for t in report.tables] == [
        ("other", "far", ["plan_id"]),
        ("public", "parts", ["n"]),
        ("public", "plans", ["id", "at"]),
        ("public", "steps", ["plan_id", "number", "parent"]),
    ]
    steps = report.tables[3]
    assert {(k.columns, k.table, k.target_columns) for k in steps.foreign_keys} == {
        (("plan_id",), "plans", ("id",)),
        (("plan_id", "parent"), "steps", ("plan_id", "number")),
    }
    assert report.tables[2].comment == "What is meant to be done."
    assert [c.is_key for c in steps.columns] == [True, True, False]
    assert [d.schema for d in report.diagrams] == ["other", "public"]
    assert not report.is_verified


def test_with_verify_each_promise_has_its_verdict(
    plans: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plans.root)
    plans("accept-delta")
    plans("migrate")
    ran = plans("report", "--verify", "--html", "r.html")
    assert (ran.code, ran.out) == (0, "written   r.html\n")
    report = _report(plans, verify=True)
    assert [p.verdict for p in report.promises] == ["holds", "holds", None, None, "holds"]
    passed = sum(v.passed for v in Vouch(plans.url, migrations=plans.path).verify())
    assert report.verdicts("holds") == passed
    query(
        plans.url,
        "alter table public.plans drop constraint plans_pkey cascade, alter id drop not null",
    )
    report = _report(plans, verify=True)
    (broken,) = [p for p in report.promises if p.verdict == "broken"]
    assert (broken.sentence, broken.found) == ("<b>a plan</b> without an id", "no error")
    assert report.standing == ("bad", "1 broken")
    assert report.comparison is not None
    assert len(report.comparison.differing) == 4
    page = plans.root / "broken.html"
    ran = plans("report", "--verify", "--html", str(page))
    assert ran.code == 1
    assert "found: no error" in page.read_text()
    assert "<b>refused:</b> &lt;b&gt;a plan&lt;/b&gt; without" in page.read_text()


def test_drift_alone_ends_with_its_own_code(plans: Folder) -> None:
    plans("accept-delta")
    plans("migrate")
    query(plans.url, "alter table public.parts add note text")
    assert plans("report", "--verify", "--html", str(plans.root / "r.html")).code == 4
    assert plans("report", "--html", str(plans.root / "r.html")).code == 0
    assert _report(plans).standing == ("good", "up to date")
    assert _report(plans, verify=True).standing == ("bad", "2 not as made")


def test_the_history_has_ways_back_and_what_was_accepted(plans: Folder) -> None:
    plans("migrate", "--to", "2")
    plans("rollback")
    plans.write({"001_plans.sql": FILES["001_plans.sql"] + "-- more\n"})
    assert [e.state for e in _report(plans).entries] == ["changed", "pending", "pending"]
    assert _report(plans).standing == ("bad", "1 to look at")
    plans("accept", "1", "--why", "a comment")
    happened = [(h.what, h.id, h.why) for h in _report(plans).history]
    assert happened == [
        ("accepted", "001_plans", "a comment"),
        ("rolled back", "002_steps", None),
        ("applied", "002_steps", None),
        ("applied", "001_plans", None),
    ]
    assert all("@" in h.who for h in _report(plans).history[1:])


def test_names_of_tables_and_columns_may_hold_anything(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": 'create schema "Odd. One";\n'
            'create table "Odd. One"."T ""x" ("i\nd" int primary key);\n'
            'create table "Odd. One"."points ""there" ("a\n""b" int references "Odd. One"."T ""x");\n',
            "001_a.rollback.sql": 'drop schema "Odd. One" cascade;\n',
        }
    )
    assert folder("accept-delta").code == 0
    assert folder("migrate").code == 0
    query(folder.url, "create table public.of_another (n int)")
    report = _report(folder)
    assert [(t.schema, t.name) for t in report.tables] == [
        ("Odd. One", 'T "x'),
        ("Odd. One", 'points "there'),
    ]
    (key,) = report.tables[1].foreign_keys
    assert (key.columns, key.target_columns) == (('a\n"b',), ("i\nd",))
    assert [drawn.told for drawn in report.diagrams] == ["2 tables, 1 foreign key"]


def test_what_belongs_to_the_platform_is_left_out(folder: Folder) -> None:
    folder.write({
        "_platform/001_auth.sql": "create schema auth;\ncreate table auth.users (id int primary key);\n"
        "create table public.theirs ();\n",
        "notes/001_notes.sql": "create table public.notes (owner int references auth.users (id));\n",
    })  # fmt: skip
    toml = folder.root / "pgvouch.toml"
    toml.write_text('[databases.notes]\nrequires = ["_platform"]\n')
    Vouch(folder.url, project=toml).accept_delta()
    with Vouch(folder.url, project=toml) as vouch:
        vouch.migrate()
        query(
            folder.url,
            "create schema storage; create table storage.objects (); create table by_hand ()",
        )
        report = vouch.report()
    assert [(e.id, e.is_of_platform) for e in report.entries] == [
        ("_platform/001_auth", True),
        ("001_notes", False),
    ]
    assert [f"{t.schema}.{t.name}" for t in report.tables] == ["public.by_hand", "public.notes"]
    (drawn,) = report.diagrams
    assert [(one.title, one.is_faint) for one in drawn.tables if one.is_faint] == [
        ("auth.users", True)
    ]


def test_a_database_that_is_not_there_or_has_no_ledger(plans: Folder) -> None:
    with Vouch(plans.url.replace("t_", "absent_"), migrations=plans.path) as vouch:
        report = vouch.report()
        assert (report.server, report.tables, report.count("pending")) == (None, (), 3)
        with pytest.raises(NoDatabaseError):
            vouch.report(verify=True)
    query(plans.url, "create table public.was_there (id int)")
    report = _report(plans)
    assert [t.name for t in report.tables] == ["was_there"]
    assert report.server is not None
    assert report.history == ()


def test_two_pages_of_one_state_differ_in_the_time_alone(plans: Folder) -> None:
    plans("migrate")
    pages = []
    for name in ("a.html", "b.html"):
        assert plans("report", "--html", str(plans.root / name)).code == 0
        text = (plans.root / name).read_text()
        pages.append(re.sub(r"Made by pgvouch .*? UTC\.", "", text))
    assert pages[0] == pages[1]


def test_a_document_instead_of_a_page_or_beside_it(plans: Folder) -> None:
    plans("migrate")
    (document,) = json.loads(plans("report", "--json").out)["databases"]
    assert [entry["state"] for entry in document["entries"]] == ["applied"] * 3
    assert document["entries"][0]["applied_at"].endswith("+00:00")
    both = plans("report", "--json", "--html", str(plans.root / "r.html"))
    assert json.loads(both.out)["databases"] == [document]
    assert (plans.root / "r.html").exists()


def test_the_steps_of_the_page_about_ci(plans: Folder) -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    steps = [step["run"] for step in yaml.safe_load(shown)["steps"] if "run" in step]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": plans.url,
    }
    for step in steps:
        subprocess.run(["bash", "-ec", step], cwd=plans.root, env=environment, check=True)
    assert (plans.root / "report.html").read_text().startswith("<!doctype html>")


def test_mistakes(plans: Folder, tmp_path: Path) -> None:
    ran = plans("report")
    assert (ran.code, "say where the page is to be written" in ran.err) == (2, True)
    ran = plans("report", "--html", str(tmp_path / "nowhere" / "r.html"))
    assert (ran.code, "cannot be written: No such file or directory" in ran.err) == (2, True)


def test_it_writes_nothing_into_the_database(plans: Folder) -> None:
    plans("report", "--html", str(plans.root / "r.html"))
    assert query(plans.url, "select to_regnamespace('pgvouch')") == [(None,)]


def test_a_value_of_a_variable_is_not_on_it(folder: Folder) -> None:
    secret = "Tr0ub4dor-and-3"
    folder.write({
        "001_a.sql": "-- var: word\ncreate table public.a (word text default :'word');\n",
    })  # fmt: skip
    assert folder("migrate", "--var", f"word={secret}").code == 0
    with Vouch(folder.url, migrations=folder.path, variables={"word": secret}) as vouch:
        report = vouch.report(verify=True)
    assert report.comparison is not None
    assert [line for line in report.comparison.unpromised if "***" in line]
    assert secret not in Report.page([report], datetime.now(UTC))
