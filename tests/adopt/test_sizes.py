"""Three hundred migrations and a ledger that has them all."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Folder

MANY = 300
TEXT = "create table made_{n} (id bigint primary key, name text not null);\n"
STAMPS = [20240101000000 + n for n in range(1, MANY + 1)]
SEQUENCE = "from generate_series(1, 300) as n"
ENV = """\
from alembic import context
context.configure(dialect_name="postgresql", literal_binds=True)
with context.begin_transaction():
    context.run_migrations()
"""
REVISION = """\
from alembic import op
import sqlalchemy as sa
revision = "{name}"
down_revision = {before}
def upgrade():
    op.create_table("made_{name}", sa.Column("id", sa.BigInteger, primary_key=True))
def downgrade():
    op.drop_table("made_{name}")
"""


def _written(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def dbmate(root: Path) -> str:
    text = f"-- migrate:up\n{TEXT}\n-- migrate:down\ndrop table made_{{n}};\n"
    _written(root / "db/migrations", {f"{n}_make.sql": text.format(n=n) for n in STAMPS})
    return (
        "create table schema_migrations (version varchar(128) primary key);"
        f"insert into schema_migrations select 20240101000000 + n {SEQUENCE}"
    )


def golang_migrate(root: Path) -> str:
    files = {f"{n:06}_make.up.sql": TEXT.format(n=n) for n in range(1, MANY + 1)}
    files |= {f"{n:06}_make.down.sql": f"drop table made_{n};" for n in range(1, MANY + 1)}
    _written(root / "migrations", files)
    (root / "go.mod").write_text("module example.org/shop\n")
    return (
        "create table schema_migrations (version bigint primary key, dirty boolean not null);"
        f"insert into schema_migrations values ({MANY}, false)"
    )


def sqlx(root: Path) -> str:
    files = {f"{n}_make.sql": TEXT.format(n=n) for n in STAMPS}
    _written(root / "migrations", files)
    (root / "Cargo.toml").write_text('[package]\nname = "shop"\n')
    rows = ", ".join(
        f"({n}, 'make', true, '\\x{hashlib.sha384(TEXT.format(n=n).encode()).hexdigest()}', 1)"
        for n in STAMPS
    )
    return (
        "create table _sqlx_migrations (version bigint primary key, description text not null, "
        "installed_on timestamptz not null default now(), success boolean not null, "
        "checksum bytea not null, execution_time bigint not null);"
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) "
        f"values {rows}"
    )


def alembic(root: Path) -> str:
    names = [f"{n:012x}" for n in range(1, MANY + 1)]
    before = ["None", *(f'"{name}"' for name in names)]
    texts = [
        REVISION.format(name=name, before=one) for name, one in zip(names, before, strict=False)
    ]
    _written(
        root / "alembic/versions",
        {f"{name}_make.py": text for name, text in zip(names, texts, strict=True)},
    )
    (root / "alembic/env.py").write_text(ENV)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\n")
    return (
        "create table alembic_version (version_num varchar(32) primary key);"
        f"insert into alembic_version values ('{names[-1]}')"
    )


def yoyo(root: Path) -> str:
    _written(root / "migrations", {f"{n}_make.sql": TEXT.format(n=n) for n in STAMPS})
    (root / "yoyo.ini").write_text("[DEFAULT]\nsources = migrations\n")
    return (
        "create table _yoyo_migration (migration_hash varchar(64) primary key, "
        "migration_id varchar(255), applied_at_utc timestamp);"
        "create table _yoyo_version (version int primary key, installed_at_utc timestamp);"
        "create table yoyo_lock (locked int primary key, ctime timestamp, pid int not null);"
        "create table _yoyo_log (id varchar(36) primary key, migration_hash varchar(64), "
        "migration_id varchar(255), operation varchar(10), username varchar(255), "
        "hostname varchar(255), comment varchar(255), created_at_utc timestamp);"
        "insert into _yoyo_version values (2, now());"
        "insert into _yoyo_migration select encode(sha256(convert_to(i, 'UTF8')), 'hex'), i, now() "
        f"from (select (20240101000000 + n) || '_make' as i {SEQUENCE}) as ids"
    )


@pytest.mark.parametrize("make", [dbmate, golang_migrate, sqlx, alembic, yoyo])
def test_all_of_it_in_one_command(folder: Folder, make: Callable[[Path], str]) -> None:
    folder.path.rmdir()
    root = folder.root / "project"
    root.mkdir()
    folder.query(make(root))
    ran = folder("adopt", str(root))
    assert ran.code == 0, ran.err
    assert f"{MANY} are recorded as applied" in ran.out
    ran = folder("migrate")
    assert f"nothing to do ({MANY} applied)" in ran.out, ran.err
