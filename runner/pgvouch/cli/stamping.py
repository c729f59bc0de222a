"""The command that expands templates into files: stamp."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pgvouch.cli import output, render
from pgvouch.cli.main import Context, common
from pgvouch.cli.output import Line
from pgvouch.config.project import Project, database_names
from pgvouch.errors import UsageError, VouchError
from pgvouch.files.folder import ROLLBACK
from pgvouch.stamp import Outcome, TemplateInfo, Templates, list_templates, stamp_files


@click.command()
@click.argument("databases", nargs=-1, metavar="[DB]...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where one is not fresh.")
@click.option("--list", "listing", is_flag=True, help="Show the templates and what they give.")
@click.option("--force", is_flag=True, help="Overwrite expansions that were edited by hand.")
@common
@click.pass_obj
def stamp(
    context: Context, databases: tuple[str, ...], check: bool, listing: bool, force: bool
) -> int:
    """Expand the stamps in migrations, rollbacks and verify files."""
    if check and force:
        raise UsageError("--check writes nothing, so there is nothing to --force")
    templates = Templates(context.project.templates)
    if listing:
        return _list(context, templates)
    failed = 0
    for name, folder in _folders(context.project, databases):
        files = sorted([*folder.glob("*.sql"), *folder.glob("verify/*.sql")])
        outcomes = stamp_files(
            files, templates, check=check, force=force, applied=_applied(context, name)
        )
        failed += sum(not outcome.ok for outcome in outcomes)
        _tell(context, name, outcomes, check=check)
    return (1 if check else 2) if failed else 0


def _folders(project: Project, wanted: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Return the folders to stamp: the databases, and the platform sets beside them."""
    names = database_names(project)
    if unknown := [name for name in wanted if name not in names]:
        raise UsageError(f"there is no database {unknown[0]} in {project.migrations.name}/")
    if names == [""]:
        return [("", project.migrations)]
    if not wanted:
        platforms = project.migrations.glob("_*/")
        names = sorted(path.name for path in platforms) + names
    return [(name, project.migrations / name) for name in names if not wanted or name in wanted]


def _applied(context: Context, name: str) -> Callable[[Path], bool] | None:
    """Return what asks the ledger whether a file is applied, if there is a database to ask.

    An unreachable one is no reason not to write files: migrate would report the drift.
    """
    if name.startswith("_"):
        return None
    found: set[str] | None = None

    def is_applied(path: Path) -> bool:
        nonlocal found
        if found is None:
            found = _applied_ids(context, name)
        return path.name.removesuffix(ROLLBACK).removesuffix(".sql") in found

    return is_applied


def _applied_ids(context: Context, name: str) -> set[str]:
    from pgvouch.embedded import data_folder, find_running
    from pgvouch.engine.commands import read_ledger
    from pgvouch.postgres.reach import connect

    try:
        (database,) = context.databases((name,) if name else ())
        if database.is_embedded and find_running(data_folder(context.project)) is None:
            return set()
        url = context.resolve(database)
        with connect(url, application_name="pgvouch stamp", create=False) as session:
            return {row.id for row in read_ledger(session)}
    except VouchError as exc:
        output.say(f"{name}: applied files are not known: {exc.message}", err=True)
        return set()


def _tell(context: Context, name: str, outcomes: list[Outcome], *, check: bool) -> None:
    counts = {
        status: sum(outcome.status == status for outcome in outcomes)
        for status in ("fresh", "written", "stale", "edited", "applied")
    }
    shown = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    context.tell(
        f"{name or context.project.migrations.name}: {shown or 'no stamps'}",
        document={
            "database": name,
            "check": check,
            "stamps": [_as_dict(outcome) for outcome in outcomes],
        },
    )
    if not context.as_json:
        for outcome in outcomes:
            if outcome.error is not None:
                render.print_error(outcome.error)


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": str(outcome.path),
        "line": outcome.line,
        "template": outcome.template,
        "status": outcome.status,
        "error": outcome.error.as_dict() if outcome.error else None,
    }


def _list(context: Context, templates: Templates) -> int:
    for info in list_templates(templates):
        context.tell(*_described(info), document=_listed(info))
    return 0


def _described(info: TemplateInfo) -> list[Line]:
    lines: list[Line] = [
        (output.Styled(info.name, bold=True), f" ({info.origin}): {info.doc}"),
        "",
    ]
    for argument in info.arguments:
        default = "required" if argument.required else f"default {argument.default!r}"
        lines.append(f"  {argument.name:<10} {argument.type:<28} {default}")
        lines.append(f"             {argument.doc}")
    lines += ["", f"  -- stamp: {info.sample}"]
    lines += [f"  {line}".rstrip() for line in info.expansion.strip().splitlines()]
    return [*lines, ""]


def _listed(info: TemplateInfo) -> dict[str, Any]:
    return {
        "template": info.name,
        "origin": info.origin,
        "doc": info.doc,
        "arguments": [
            {
                "name": a.name,
                "type": a.type,
                "required": a.required,
                "default": a.default,
                "doc": a.doc,
            }
            for a in info.arguments
        ],
        "sample": info.sample,
        "expansion": info.expansion,
    }
