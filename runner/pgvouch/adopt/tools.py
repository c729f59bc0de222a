"""The tools that are known, and which one a project is of."""

from importlib import import_module
from pathlib import Path

from pgvouch.adopt.tool import Tool
from pgvouch.errors import Place, UsageError
from pgvouch.sqltext.near import nearest

NAMES = (
    "dbmate", "goose", "sql-migrate", "golang-migrate", "node-pg-migrate", "tern", "alembic",
    "yoyo", "sqlx", "diesel", "atlas", "flyway", "supabase", "prisma", "drizzle",
    "graphile-migrate", "sqitch",
)  # fmt: skip
"""As given to --from; each is a module here. Where two recognise a project, the first is asked for
its marks first."""


def tool_of(name: str) -> Tool:
    """Return a tool by its name.

    Raises:
        UsageError: it is not known.
    """
    if name not in NAMES:
        near = nearest(name, NAMES)
        raise UsageError(
            f"{name} is no tool that can be adopted from",
            hint=f"did you mean {near}?" if near else f"one of: {', '.join(NAMES)}",
        )
    tool = import_module(f"pgvouch.adopt.{name.replace('-', '_')}").TOOL
    assert isinstance(tool, Tool)
    return tool


def recognised(project: Path, name: str | None) -> tuple[Tool, Path]:
    """Return the tool that a project is of, and the folder of its migrations.

    Args:
        project: its folder, or that of the migrations.
        name: what the user says it is; None finds out.

    Raises:
        UsageError: it is of none that is known, or of several.
    """
    wanted = [tool_of(name)] if name else [tool_of(one) for one in NAMES]
    found = [(tool, folder) for tool in wanted if (folder := tool.find(project)) is not None]
    if len(found) > 1:
        sure = [one for one in found if any((project / mark).exists() for mark in one[0].marks)]
        found = sure if len(sure) == 1 else found
    if not found:
        raise UsageError(
            f"{project.name or project} holds no migrations of {wanted[0].title}"
            if name
            else f"{project.name or project} holds no migrations of a tool that is known",
            Place(project),
            hint="give the folder of the project, or that of its migrations; or say the tool: "
            f"--from {'|'.join(NAMES)}; where there are no files, `pgvouch baseline` or "
            "`pgvouch init --from-database` goes by the database",
        )
    if len(found) > 1:
        names = " or ".join(tool.name for tool, _ in found)
        raise UsageError(
            f"{project.name or project} may be a project of {names}",
            Place(project),
            hint=f"say which: --from {found[0][0].name}",
        )
    return found[0]


def refuse_known(project: Path) -> None:
    """Refuse the folder of a project that has migrations of another tool.

    Raises:
        UsageError: naming the tool, and the way to take its project over.
    """
    for tool in map(tool_of, NAMES):
        if (folder := tool.find(project)) is not None:
            raise UsageError(
                f"this project has migrations of {tool.title} already",
                Place(folder),
                state="Nothing was written.",
                hint=f"pgvouch adopt {project} --from {tool.name} --dry-run shows what taking it "
                "over would do; to begin anew beside it: pgvouch init --migrations DIR",
            )
