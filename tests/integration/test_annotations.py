"""`--format github` and `sarif`: errors and findings beside the code; no text passes for a command."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Folder, Server
from faults.processes import spawn
from pgvouch import Place
from pgvouch.cli.annotations import Annotation, github

REGISTERED = {"error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher",
              "remove-matcher", "stop-commands", "save-state", "set-output", "set-env", "add-path",
              "echo", "internal-set-repo-path"}  # fmt: skip


def _command_in(line: str) -> str | None:
    """Return the command that the runner of GitHub Actions would find in a line, as it looks."""
    if (found := re.match(r"\s*::([^ :]+)(?: [^:]*(?::(?!:)[^:]*)*)?::", line)) and (
        found[1] in REGISTERED
    ):
        return found[1]
    if (found := re.search(r"##\[([^ \]]+)[^\]]*\]", line)) and found[1] in REGISTERED:
        return found[1]
    return None


def _commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if _command_in(line)]


def test_what_the_runner_looks_for_is_found_by_this_test() -> None:
    assert _command_in("  ::error file=a,line=1::x") == "error"
    assert _command_in("::add-mask::x") == "add-mask"
    assert _command_in("x ##[stop-commands]y") == "stop-commands"
    assert _command_in("select 1\n::text") is None


def test_values_are_escaped() -> None:
    place = Place(Path("/w/a,b:c%.sql"), 3, 4)
    found = Annotation("error", "no database", ("100%\r::x", "y\x1b[2J"), place)
    assert github(found, {"GITHUB_WORKSPACE": "/w"}) == (
        "::error file=a%2Cb%3Ac%25.sql,line=3,col=4,title=pgvouch%3A no database"
        "::100%25%0D::x%0Ay\\x1b[2J"
    )
    assert github(Annotation("warning", "file", ("x",)), {}) == (
        "::warning title=pgvouch%3A file::x"
    )


def test_a_path_is_told_from_the_workspace_or_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "app" / "m" / "001.sql"
    monkeypatch.chdir(tmp_path / "app" if inside.parent.mkdir(parents=True) is None else tmp_path)
    found = Annotation("error", "file", ("x",), Place(inside))
    assert "file=app/m/001.sql," in github(found, {"GITHUB_WORKSPACE": str(tmp_path)})
    assert "file=m/001.sql," in github(found, {})
    assert f"file={inside}," in github(found, {"GITHUB_WORKSPACE": "/else"}).replace(
        "file=m/001.sql", f"file={inside}"
    )


def test_an_error_is_annotated_at_its_place_beside_the_text(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;\nselec 2;", "002_empty.sql": ""})
    ran = folder("migrate", "--format", "github")
    assert ran.code == 1
    assert "error: 001_a failed" in ran.err
    warning, error = _commands(ran.err)
    assert warning.startswith("::warning file=migrations/002_empty.sql,title=pgvouch%3A file::")
    assert error.startswith(
        "::error file=migrations/001_a.sql,line=2,col=1,title=pgvouch%3A migration::"
        '001_a failed: syntax error at or near "selec"%0A'
    )
    assert _commands(ran.out) == []


def test_each_of_several_errors_is(folder: Folder) -> None:
    folder.write({"001_a.sql": "\\i x", "002_b.sql": "commit;", "003_c.sql": "select 1;"})
    ran = folder("plan", "--format", "github")
    assert ran.code == 2
    assert [line.split(",")[0] for line in _commands(ran.err)] == [
        "::error file=migrations/001_a.sql",
        "::error file=migrations/002_b.sql",
    ]


def test_what_has_no_file_is_annotated_without_one(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    ran = folder("status", "--format", "github", url="postgresql://127.0.0.1:1/x")
    (found,) = _commands(ran.err)
    assert found.startswith("::error title=pgvouch%3A not ready::no connection to")
    assert _commands(folder("status", "--nope", "--format=github").err) == [
        "::error title=pgvouch%3A usage::pgvouch status has no option --nope"
        "%0Apgvouch status --help lists them"
    ]


def test_a_broken_check_and_what_differs(folder: Folder) -> None:
    folder.write(
        {
            "001_a.sql": "create table public.a (id int);",
            "verify/001_a.sql": "\n-- check none: a row\nselect '::add-mask::x' from public.a;\n",
            "verify/001_a.delta": "+ column public.a.id integer\n+ table public.a (id)\n",
        }
    )
    assert folder("migrate").code == 0
    folder.query("insert into public.a values (1); alter table public.a alter id type bigint")
    ran = folder("verify", "--format", "github")
    assert ran.code == 1
    broken, differs, *_ = _commands(ran.err)
    assert broken == (
        "::error file=migrations/verify/001_a.sql,line=2,title=pgvouch%3A check::"
        "001_a: a row%0Aexpected no row%0Afound (::add-mask::x)"
    )
    assert differs.startswith(
        "::error file=migrations/verify/001_a.delta,line=1,title=pgvouch%3A drift::"
    )
    assert folder("drift", "--format", "github").code == 4
    assert len(_commands(folder("drift", "--format", "github").err)) == 1
    assert _commands(ran.out) == []


def test_what_status_finds(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;", "002_b.sql": "select 2;"})
    folder("migrate", "--to", "1")
    folder.write({"001_a.sql": "select 3;"})
    assert _commands(folder("status", "--format", "github").err) == [
        "::error file=migrations/001_a.sql,title=pgvouch%3A drift::"
        "001_a was applied, and its file has changed since"
    ]
    assert _commands(folder("status", "--exit-code", "--format", "github").err)[1] == (
        "::warning file=migrations/002_b.sql,title=pgvouch%3A pending::002_b is pending"
    )


def test_a_stale_stamp(folder: Folder) -> None:
    call = '-- stamp: updated_at_trigger(table="public.a")\n'
    folder.write({"001_a.sql": f"create table public.a (id int, updated_at timestamptz);\n{call}"})
    ran = folder("stamp", "--check", "--format", "github")
    assert ran.code == 1
    (found,) = _commands(ran.err)
    assert found.startswith("::error file=migrations/001_a.sql,line=2,title=pgvouch%3A stamp::")


EVIL = "select 1;\n  ::add-mask::x\n-- x ##[stop-commands]y\nselect ':: no command', '1'\n::text;\n"


@pytest.mark.parametrize("given", [("--format", "github"), ()])
def test_no_text_of_others_is_a_command(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...]
) -> None:
    if not given:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    evil = "do $$begin raise warning E'::add-mask::x\\n::stop-commands::y ##[error]z'; end$$;"
    folder.write({"001_a.sql": evil, "002_b.sql": "select 1;", "002_b.rollback.sql": EVIL})
    ran = folder("migrate", *given)
    assert "add-mask" in ran.err
    assert _commands(ran.out + ran.err) == []
    ran = folder("rollback", "--dry-run", *given)
    assert not [line for line in _commands(ran.out + ran.err) if not line.startswith("::error ")]
    folder.write({"003_c.sql": EVIL})
    ran = folder("migrate", "--dry-run", *given)
    assert ran.code == 0
    assert ": :add-mask::x" in ran.out
    assert _commands(ran.out + ran.err) == []
    document = folder("migrate", "--dry-run", "--json", *given).out
    assert json.loads(document)["databases"][0]["migrations"][0]["sql"] == EVIL
    assert _commands(document) == []
    assert "##[" not in document


@pytest.mark.parametrize("name", ["::error::x", "##[error]x"])
def test_a_coloured_name_is_none_without_its_colour(
    folder: Folder, pg18: Server, name: str
) -> None:
    """Colours are left out where there is no terminal: what stands behind one is ahead then."""
    folder.write({"001_a.sql": "create table a ();", "001_a.rollback.sql": "drop table a;"})
    with pg18.janitor(name):
        where = ("--migrations", str(folder.path), "--url", pg18.url(name))
        for command in ("migrate", "status", "history", "plan", "current", "redo", "verify"):
            process = spawn(command, *where, GITHUB_ACTIONS="true")
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            assert _commands(out + err) == [], command


def test_elsewhere_and_in_a_file_it_stays_as_it_is(folder: Folder, tmp_path: Path) -> None:
    folder.write({"001_a.sql": EVIL})
    assert EVIL.strip() in folder("migrate", "--dry-run").out
    given = ["--migrations", str(folder.path), "--url", folder.url]
    process = spawn("migrate", "--dry-run", *given, GITHUB_ACTIONS="true")
    out, _ = process.communicate(timeout=60)
    assert _commands(out) == []
    with (tmp_path / "out").open("w") as file:
        import subprocess
        import sys

        subprocess.run(
            [sys.executable, "-m", "pgvouch", "migrate", "--dry-run", *given],
            env={"GITHUB_ACTIONS": "true", "PATH": "/usr/bin:/bin"},
            stdout=file,
            check=True,
            timeout=60,
        )
    assert EVIL.strip() in (tmp_path / "out").read_text()


def _well_formed(document: Mapping[str, Any]) -> list[Any]:
    """Check what the schema of SARIF 2.1.0 requires of what is there; return the results."""
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "pgvouch"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for invocation in run["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)
        for notification in invocation.get("toolExecutionNotifications", []):
            assert notification["message"]["text"]
            assert notification["descriptor"]["id"] in ids
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert ids[result["ruleIndex"]] == result["ruleId"]
        for location in result["locations"]:
            physical = location["physicalLocation"]
            uri = physical["artifactLocation"]["uri"]
            assert not re.search(r"[\s%](?![0-9A-F]{2})", uri)
            region = physical.get("region", {"startLine": 1})
            assert region["startLine"] >= 1
            assert region.get("startColumn", 1) >= 1
    return list(run["results"])


def test_sarif_is_one_document_on_stdout(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;\nselec 2;", "002_empty.sql": ""})
    ran = folder("migrate", "--format", "sarif")
    assert ran.code == 1
    assert "error: 001_a failed" in ran.err
    warning, error = _well_formed(json.loads(ran.out))
    assert (warning["level"], warning["ruleId"]) == ("warning", "pgvouch/file")
    assert (error["level"], error["ruleId"]) == ("error", "pgvouch/migration")
    assert error["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {
                    "uri": "migrations/001_a.sql",
                    "uriBaseId": "%SRCROOT%",
                },
                "region": {"startLine": 2, "startColumn": 1},
            }
        }
    ]


@pytest.mark.parametrize(
    "command", [["status"], ["plan"], ["verify"], ["drift"], ["stamp", "--check"], ["migrate"]]
)
def test_sarif_of_every_command_stands_alone(folder: Folder, command: list[str]) -> None:
    folder.write({"001_a.sql": "create table public.a ();"})
    ran = folder(*command, "--format", "sarif")
    assert ran.code == 0
    assert _well_formed(json.loads(ran.out)) == []
    assert ran.err


def test_sarif_of_a_path_that_is_not_utf8(folder: Folder) -> None:
    odd = folder.path / "mi\udcffg"
    odd.mkdir()
    (odd / "001_a.sql").write_text("-- transactonal: no\nselect 1;")
    ran = folder("lint", "--migrations", str(odd), "--format", "sarif")
    (result,) = json.loads(ran.out)["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.endswith("mi%FFg/001_a.sql")


def test_what_has_no_place_is_a_notification(folder: Folder) -> None:
    folder.write({"001_a.sql": "select 1;"})
    ran = folder("status", "--format", "sarif", url="postgresql://127.0.0.1:1/x")
    document = json.loads(ran.out)
    assert _well_formed(document) == []
    (invocation,) = document["runs"][0]["invocations"]
    assert not invocation["executionSuccessful"]
    assert "no connection to" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    wrong = json.loads(folder("status", "--nope", "--format", "sarif").out)
    assert _well_formed(wrong) == []


def test_there_is_one_document_or_the_other(folder: Folder) -> None:
    ran = folder("status", "--json", "--format", "sarif")
    said = json.loads(ran.out)["error"]["message"]
    assert (ran.code, said) == (2, "--json and --format sarif both want stdout")


def test_this_repository_has_nothing_to_annotate() -> None:
    process = spawn("stamp", "--check", "--format", "github", cwd=ROOT, GITHUB_ACTIONS="true")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert _commands(out + err) == []
