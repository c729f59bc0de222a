"""What is measured: pgvouch as it is here, other versions of it, a floor, and other tools."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Actions = Mapping[str, Callable[[str, Path], list[str]]]
"""A command line for each action, of a URL and the folder of migrations. Actions: apply, nothing (to do), status,
rollback (of everything)."""


@dataclass(frozen=True)
class Subject:
    """A program that migrates."""

    name: str
    actions: Actions
    convert: Callable[[Path], Path] = lambda folder: folder
    """Write the migrations as it wants them, and return where."""
    environment: dict[str, str] = field(default_factory=dict)


def floor() -> Subject:
    program = str(Path(__file__).with_name("floor.py"))

    def action(name: str) -> Callable[[str, Path], list[str]]:
        return lambda url, folder: [sys.executable, program, name, url, str(folder)]

    return Subject(
        "floor", {name: action(name) for name in ("apply", "nothing", "status", "rollback")}
    )


def pgvouch(name: str, package: Path) -> Subject:
    """A version of pgvouch, of which a checkout is there."""

    def action(*words: str) -> Callable[[str, Path], list[str]]:
        return lambda url, folder: [
            sys.executable,
            "-m",
            "pgvouch",
            *words,
            "--url",
            url,
            "--migrations",
            str(folder),
        ]

    actions = {"apply": action("migrate"), "nothing": action("migrate"), "status": action("status")}
    actions["rollback"] = action("rollback", "--all")
    # What is installed has its bytecode, as the packages of the others have.
    environment = {"PYTHONPATH": str(package / "runner"), "PYTHONDONTWRITEBYTECODE": ""}
    return Subject(name, actions, environment=environment)


def psql() -> Subject | None:
    """psql with one script: begin, a file, its row, commit; and so on."""
    program = shutil.which("psql")
    if program is None:
        return None

    def script(folder: Path) -> Path:
        up = ["create table ledger (id text primary key);"]
        down = []
        for path in _forward(folder):
            up.append(f"begin;\n\\i {path}\ninsert into ledger values ('{path.stem}');\ncommit;")
            back = path.with_suffix(".rollback.sql")
            down.append(
                f"begin;\n\\i {back}\ndelete from ledger where id = '{path.stem}';\ncommit;"
            )
        (folder.parent / "up.psql").write_text("\n".join(up))
        (folder.parent / "down.psql").write_text("\n".join(reversed(down)))
        return folder.parent

    def action(name: str) -> Callable[[str, Path], list[str]]:
        return lambda url, at: [
            program,
            url,
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            str(at / name),
        ]

    return Subject("psql", {"apply": action("up.psql"), "rollback": action("down.psql")}, script)


def yoyo() -> Subject | None:
    program = shutil.which("yoyo", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        return None

    def action(name: str) -> Callable[[str, Path], list[str]]:
        def command(url: str, folder: Path) -> list[str]:
            scheme = url.replace("postgresql://", "postgresql+psycopg://")
            return [program, name, "--batch", "--no-config-file", "--database", scheme, str(folder)]

        return command

    return Subject(
        "yoyo",
        {
            "apply": action("apply"),
            "nothing": action("apply"),
            "status": action("list"),
            "rollback": action("rollback"),
        },
    )


def dbmate() -> Subject | None:
    program = shutil.which("dbmate")
    if program is None:
        return None

    def convert(folder: Path) -> Path:
        made = _emptied(folder.with_name("dbmate"))
        for path in _forward(folder):
            back = path.with_suffix(".rollback.sql").read_text()
            (made / path.name).write_text(
                f"-- migrate:up\n{path.read_text()}\n-- migrate:down\n{back}"
            )
        return made

    def action(name: str) -> Callable[[str, Path], list[str]]:
        return lambda url, at: [
            program,
            "--url",
            url,
            "-d",
            str(at),
            "--no-dump-schema",
            name,
        ]

    # It rolls back one migration a call.
    return Subject(
        "dbmate",
        {"apply": action("migrate"), "nothing": action("migrate"), "status": action("status")},
        convert,
    )


def node_pg_migrate() -> Subject | None:
    program = shutil.which("node-pg-migrate")
    if program is None:
        return None

    def convert(folder: Path) -> Path:
        made = _emptied(folder.with_name("node"))
        for path in _forward(folder):
            back = path.with_suffix(".rollback.sql").read_text()
            name = path.name.replace("_", "-", 1)
            (made / f"1{name}").write_text(
                f"-- Up Migration\n{path.read_text()}\n-- Down Migration\n{back}"
            )
        return made

    def action(*words: str) -> Callable[[str, Path], list[str]]:
        def command(url: str, at: Path) -> list[str]:
            count = [str(sum(1 for _ in at.iterdir()))] if words[0] == "down" else []
            each = "--no-single-transaction"  # a transaction a file, as the others do
            return ["env", f"DATABASE_URL={url}", program, *words, *count, each, "-m", str(at)]

        return command

    return Subject(
        "node-pg-migrate",
        {"apply": action("up"), "nothing": action("up"), "rollback": action("down")},
        convert,
    )


_ALEMBIC = """\
from alembic import op
revision, down_revision = "{name}", {before}
def upgrade(): op.get_bind().exec_driver_sql({up!r})
def downgrade(): op.get_bind().exec_driver_sql({down!r})
"""
_ALEMBIC_ENV = """\
import os
from alembic import context
from sqlalchemy import create_engine, pool
with create_engine(os.environ["URL"], poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""


def alembic() -> Subject | None:
    program = shutil.which("alembic")
    if program is None:
        return None

    def convert(folder: Path) -> Path:
        made = _emptied(folder.with_name("alembic"))
        (made / "versions").mkdir()
        (made / "env.py").write_text(_ALEMBIC_ENV)
        (made / "alembic.ini").write_text(f"[alembic]\nscript_location = {made}\n")
        before = None
        for path in _forward(folder):
            down = path.with_suffix(".rollback.sql").read_text()
            text = _ALEMBIC.format(
                name=path.stem, before=repr(before), up=path.read_text(), down=down
            )
            (made / "versions" / f"m{path.stem}.py").write_text(text)
            before = path.stem
        return made

    def action(*words: str) -> Callable[[str, Path], list[str]]:
        def command(url: str, at: Path) -> list[str]:
            scheme = url.replace("postgresql://", "postgresql+psycopg://")
            return ["env", f"URL={scheme}", program, "-c", str(at / "alembic.ini"), *words]

        return command

    return Subject(
        "alembic",
        {
            "apply": action("upgrade", "head"),
            "nothing": action("upgrade", "head"),
            "status": action("current"),
            "rollback": action("downgrade", "base"),
        },
        convert,
    )


def others() -> list[Subject]:
    """The tools that are installed."""
    return [
        tool
        for tool in (psql(), yoyo(), dbmate(), node_pg_migrate(), alembic())
        if tool is not None
    ]


def _forward(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.sql") if not path.name.endswith(".rollback.sql"))


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
