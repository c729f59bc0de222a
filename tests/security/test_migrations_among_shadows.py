"""Whoever could create something in public before a system came gets nothing run by its migrations either."""

from pathlib import Path

import pytest

from conftest import ROOT, query
from pgvouch.cli import main
from pgvouch.config.project import database_names, find_project

SHADOWS = (Path(__file__).parent / "shadows.sql").read_text()


@pytest.mark.parametrize("system", database_names(find_project(ROOT / "pyproject.toml")))
def test_a_migration_binds_and_runs_nothing_of_them(
    every_url: str, system: str, capsys: pytest.CaptureFixture[str]
) -> None:
    query(every_url, SHADOWS)
    arguments = ["--config", str(ROOT / "pyproject.toml"), "--url", every_url]
    # What always holds has its say with the last migration.
    assert main.run(["migrate", system, *arguments], {}) == 1
    told = capsys.readouterr().err
    assert "verify/always.sql" in told, told
    assert "of public was run" not in told, told
    assert query(every_url, "select pg_catalog.nextval('public.ran')") == [(1,)]
    # What is bound into a table would be run later, by whoever writes a row.
    assert (
        query(
            every_url,
            "select pg_describe_object(d.classid, d.objid, d.objsubid) from pg_depend as d"
            " where d.refobjid in (select oid from pg_operator where oprnamespace = 'public'::regnamespace"
            " union all select oid from pg_proc where starts_with(proname::text, 'shadow'))"
            " and d.classid not in ('pg_operator'::regclass, 'pg_cast'::regclass, 'pg_type'::regclass)"
            " and d.deptype = 'n'",
        )
        == []
    )
