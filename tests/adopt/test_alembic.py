"""Alembic: a graph of revisions, which the tool itself renders."""

import os
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
    "m": ("('b', 'c')", "None", table("m")),
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
    assert by_key["m"].up.strip() == "create table m ();"
    assert by_key["c"].up.strip() == "create table c ();"
    assert [by_key[name].down for name in "mc"] == ["drop table m;\n\n", "drop table c;\n\n"]
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


def test_a_percent_sign_that_sqlalchemy_has_doubled_is_no_row_of_ours(
    folder: Folder, tmp_path: Path
) -> None:
    """As Flask-Migrate's env.py does it, whose drivers have % parameters."""
    folder.path.rmdir()
    insert = """op.bulk_insert(sa.table('a', sa.column('x', sa.Text)), [{'x': '50% of it'}])"""
    revision = f"import sqlalchemy as sa; {table('a')}; op.execute('alter table a add x text'); "
    root = write(tmp_path / "project", {"a": ("None", "None", revision + insert)})
    env = root / "alembic" / "env.py"
    env.write_text(ENV.replace('dialect_name="postgresql"', 'url="postgresql+psycopg://"'))
    ran = folder("adopt", str(root))
    assert ran.code == 2
    assert "every % is rendered as %%" in ran.err
    assert 'add dialect_opts={"paramstyle": "named"}' in ran.err
    said = 'url="postgresql+psycopg://", dialect_opts={"paramstyle": "named"}'
    env.write_text(ENV.replace('dialect_name="postgresql"', said))
    assert folder("adopt", str(root)).code == 0
    assert folder("migrate").code == 0
    assert folder.query("select x from a") == [("50% of it",)]


def test_a_revision_in_another_folder_is_not_lost(folder: Folder, project: Path) -> None:
    folder.path.mkdir()
    elsewhere = project / "more"
    elsewhere.mkdir()
    (project / "alembic" / "versions" / "z_make_z.py").rename(elsewhere / "z_make_z.py")
    here = "%(here)s/alembic/versions %(here)s/more"
    ini = project / "alembic.ini"
    ini.write_text(f"{ini.read_text()}version_locations = {here}\npath_separator = space\n")
    ran = folder("adopt", str(project))
    assert ran.code == 2
    assert "z is a revision to Alembic, and not in versions/" in ran.err
    assert folder.query("select to_regnamespace('pgvouch') is null") == [(True,)]


def test_a_ledger_of_another_name_is_told_and_left_out_of_the_files(
    folder: Folder, project: Path
) -> None:
    env = project / "alembic" / "env.py"
    env.write_text(ENV.replace("literal_binds=True", "literal_binds=True, version_table='done'"))
    folder.query("create table done (version_num varchar(32) primary key)")
    folder.query("insert into done values ('a'); create table a ()")
    ran = folder("adopt", str(project))
    assert ran.code == 0, ran.err
    assert "give --ledger done" in ran.out
    assert not any("done" in path.read_text() for path in folder.path.iterdir())
    ran = folder("adopt", str(project), "--ledger", "done")
    assert ran.code == 0, ran.err
    assert "1 is recorded as applied, as public.done says" in ran.out


def test_several_heads_have_no_way_back_and_that_is_told(folder: Folder, tmp_path: Path) -> None:
    folder.path.rmdir()
    root = write(tmp_path / "project", {name: BRANCHES[name] for name in "abc"})
    ran = folder("adopt", str(root))
    assert ran.code == 0, ran.err
    assert "no rollbacks: Alembic has 2 heads (b, c)" in ran.out
    assert not list(folder.path.glob("*.rollback.sql"))


APP = """\
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["APP_DATABASE"]
db = SQLAlchemy(app)
Migrate(app, db)
class Reader(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.Text, nullable=False)
    mood = db.Column(db.Enum("glad", "sad", name="mood"))
"""
SECOND = """\
    born = db.Column(db.Date, index=True, server_default=db.func.now())
class Loan(db.Model):
    id = db.Column(db.BigInteger, primary_key=True)
    reader = db.Column(db.ForeignKey("reader.id"), nullable=False)
"""
ROWS = """\
import datetime
import sqlalchemy as sa
from alembic import op
revision = "0f00aa11bb22"
down_revision = "{after}"
readers = sa.table("reader", sa.column("name", sa.Text), sa.column("born", sa.Date))
def upgrade():
    op.bulk_insert(readers, [{{"name": "O'Neil: \\\\ {{}}", "born": datetime.date(2020, 1, 2)}}])
def downgrade():
    op.execute("delete from reader")
"""


def test_a_flask_application_is_adopted_with_its_rows(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `flask db init`, `migrate` and `upgrade` leave it, with a revision for rows."""
    pytest.importorskip("flask_migrate", reason="Flask-Migrate is not installed")
    folder.path.rmdir()
    folder.path = tmp_path / "sql"
    address = folder.url.replace("postgresql://", "postgresql+psycopg://")
    monkeypatch.setenv("APP_DATABASE", address)
    # As an activated environment has it.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    def flask(*given: str) -> None:
        command = [sys.executable, "-m", "flask", "db", *given]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "app.py").write_text(APP)
    for given in (["init"], ["migrate", "-m", "readers"], ["upgrade"]):
        flask(*given)
    (tmp_path / "app.py").write_text(APP + SECOND)
    flask("migrate", "-m", "loans")
    flask("upgrade")
    ((after,),) = folder.query("select version_num from alembic_version")
    (tmp_path / "migrations" / "versions" / "rows.py").write_text(ROWS.format(after=after))
    flask("upgrade")

    rows = folder.query("select name, born::text from reader")
    assert rows == [("O'Neil: \\ {}", "2020-01-02")]
    ran = folder("adopt", str(tmp_path))
    assert ran.code == 0, ran.err
    assert "nothing to do (3 applied)" in folder("migrate").out
    ours = "select attrelid::regclass::text, attname from pg_attribute where attnum > 0 and attrelid in ('reader'::regclass, 'loan'::regclass) order by 1, 2"
    theirs = folder.query(ours)
    folder.query("drop schema public cascade")
    folder.query("drop schema pgvouch cascade; create schema public")
    assert folder("migrate").code == 0
    assert folder.query("select name, born::text from reader") == rows
    assert folder.query(ours) == theirs


def test_a_revision_that_is_computed_is_named_with_its_line(folder: Folder, project: Path) -> None:
    path = project / "alembic" / "versions" / "b_make_b.py"
    path.write_text(path.read_text().replace('revision = "b"', 'revision = "b".lower()'))
    ran = folder("adopt", str(project))
    assert ran.code == 2
    assert "have to be plain strings" in ran.err
    assert "b_make_b.py:1" in ran.err


def test_a_location_in_pyproject_is_found(folder: Folder, project: Path) -> None:
    """As `alembic init --template pyproject` writes it."""
    (project / "alembic").rename(project / "steps")
    (project / "alembic.ini").write_text("[alembic]\n")
    said = '[tool.alembic]\nscript_location = "%(here)s/steps"\n'
    (project / "pyproject.toml").write_text(said)
    ran = folder("adopt", str(project))
    assert ran.code == 0, ran.err
    assert "5 migrations of Alembic" in ran.out
