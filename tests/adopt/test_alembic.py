"""Alembic: a graph of revisions, which the tool itself renders."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Folder
from pgvouch.adopt.alembic import TOOL

REVISION = """\
revision = "{name}"
down_revision = {down}
depends_on = {depends}
from alembic import op
def upgrade():
    {up}
def downgrade():
    {down_sql}
"""
ENV = """\
from alembic import context
if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True)
else:
    from sqlalchemy import create_engine, text
    connection = create_engine(context.get_x_argument(as_dictionary=True)["url"]).connect()
    context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
"""


def write(root: Path, revisions: dict[str, tuple[str, str, str]]) -> Path:
    """Write a project; of each revision what it comes after, what it depends on, and its Python."""
    versions = root / "alembic" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\n")
    (root / "alembic" / "env.py").write_text(ENV)
    for name, (down, depends, up) in revisions.items():
        text = REVISION.format(
            name=name,
            down=down,
            depends=depends,
            up=up,
            down_sql=f"op.execute('drop table {name}')",
        )
        (versions / f"{name}_make_{name}.py").write_text(text)
    return root


def table(name: str) -> str:
    return f"op.execute('create table {name} ()')"


BRANCHES = {
    "a": ("None", "None", table("a")),
    "b": ("'a'", "None", table("b")),
    "c": ("'a'", "None", table("c")),
    "m": ("('b', 'c')", "None", "pass"),
    "z": ("'m'", "None", "op.execute('vacuum')"),
}


@pytest.fixture
def project(folder: Folder, tmp_path: Path) -> Path:
    folder.path.rmdir()
    return write(tmp_path / "project", BRANCHES)


def test_a_merge_comes_behind_its_parents(project: Path) -> None:
    history = TOOL.read(project / "alembic" / "versions")
    assert [one.key for one in history.migrations] == ["a", "b", "c", "m", "z"]
    by_key = history.by_key
    assert "create table b" in by_key["b"].up
    assert by_key["m"].up == ""
    assert "alembic_version" not in "".join(one.up + (one.down or "") for one in history.migrations)


def test_two_heads_are_two_rows_with_all_that_is_below(folder: Folder, project: Path) -> None:
    folder.query("create table alembic_version (version_num varchar(32) primary key)")
    folder.query("insert into alembic_version values ('b'), ('c')")
    folder.query("create table a (); create table b (); create table c ()")
    ran = folder("adopt", str(project))
    assert ran.code == 0, ran.err
    found = folder.query("select migration_id from pgvouch.migration order by applied_order")
    assert [name for (name,) in found] == ["001_make_a", "002_make_b", "003_make_c"]


def test_what_is_run_outside_of_its_transaction_is_marked(folder: Folder, tmp_path: Path) -> None:
    folder.path.rmdir()
    block = "with op.get_context().autocommit_block(): op.execute('create index concurrently i on a (x)')"
    write(
        tmp_path / "project",
        {
            "a": ("None", "None", "op.execute('create table a (x int)')"),
            "b": ("'a'", "None", block),
        },
    )
    assert folder("adopt", str(tmp_path / "project")).code == 0
    text = (folder.path / "002_make_b.sql").read_text()
    assert text == "-- transactional: false\n\ncreate index concurrently i on a (x);\n"
    assert folder("migrate").code == 0


def test_a_revision_that_reads_data_is_refused_with_what_it_said(
    folder: Folder, tmp_path: Path
) -> None:
    folder.path.rmdir()
    reads = "assert op.get_bind().execute('select 1').scalar() == 1"
    write(tmp_path / "project", {"a": ("None", "None", reads)})
    ran = folder("adopt", str(tmp_path / "project"))
    assert ran.code == 2
    assert "alembic upgrade heads --sql has failed" in ran.err
    assert "pgvouch init --from-database" in ran.err
    assert not folder.path.exists()


def test_the_real_one_leaves_a_ledger_that_is_adopted(folder: Folder, tmp_path: Path) -> None:
    folder.path.rmdir()
    write(tmp_path / "project", {name: said for name, said in BRANCHES.items() if name != "z"})
    address = folder.url.replace("postgresql://", "postgresql+psycopg://")
    subprocess.run(
        [sys.executable, "-m", "alembic", "-x", f"url={address}", "upgrade", "heads"],
        cwd=tmp_path / "project",
        check=True,
        capture_output=True,
    )
    ran = folder("adopt", str(tmp_path / "project"))
    assert ran.code == 0, ran.err
    assert "4 are recorded as applied" in ran.out
    assert "nothing to do (4 applied)" in folder("migrate").out
