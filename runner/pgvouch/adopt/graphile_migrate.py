"""graphile-migrate: committed files, chained by their hashes.

https://github.com/graphile/migrate: src/migration.ts, src/hash.ts
"""

import re
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

from pgvouch.adopt.folders import numbered, sql_files, with_mark
from pgvouch.adopt.history import Foreign, ForeignLedger, History, NotCarried, Recorded
from pgvouch.adopt.placeholders import Places, as_variables
from pgvouch.adopt.tool import Asks, Tool, only
from pgvouch.errors import FileError, Place
from pgvouch.files.folder import read_text
from pgvouch.sqltext.scan import is_blank

_MARK = re.compile(r"\A--! Previous:")
_HEADER = re.compile(r"(?:--! ?(?P<word>\w+)(?::[ \t]*(?P<value>[^\n]*))?\n)")
_NO_TRANSACTION = re.compile(r"\A--! no-transaction\b[^\n]*\n?")
_INCLUDED = re.compile(r"^--! (?:Included|EndIncluded)\b[^\n]*\n?", re.MULTILINE)
_OWN = ("DATABASE_NAME", "DATABASE_OWNER")
_LOCK = 4727445306447283


def _find(project: Path) -> Path | None:
    return with_mark(project, ("migrations/committed", "committed", "."), _MARK)


def _read(folder: Path) -> History:
    found: list[Foreign] = []
    notes: list[NotCarried] = []
    names = _placeholders(folder)
    for path in sql_files(folder):
        number, words = numbered(path.stem)
        found.append(_foreign(path, number, words, names, notes))
    found.sort(key=lambda one: (int(one.number), one.path.name))
    return History(folder, tuple(found), (*notes, *_current(folder.parent)))


def _foreign(
    path: Path, number: str, words: str, names: re.Pattern[str], notes: list[NotCarried]
) -> Foreign:
    text = read_text(path).replace("\r\n", "\n")
    header, end = {}, 0
    while match := _HEADER.match(text, end):
        header[match["word"]] = match["value"] or ""
        end = match.end()
    if not number or not {"Previous", "Hash"} <= header.keys() or text[end : end + 1] != "\n":
        raise FileError(
            f"{path.name} is no committed migration: it has no number, or not the header "
            "`--! Previous:`, `--! Hash:` and an empty line",
            Place(path, 1),
            hint="bring back the file that was committed",
        )
    body = text[end + 1 :]
    previous = "" if header["Previous"] == "-" else header["Previous"]
    hashed = f"{previous}\n{body.strip()}".strip().encode() + b"\n"
    made = "sha1:" + sha1(hashed, usedforsecurity=False).hexdigest()
    allowed = {header["Hash"]} if "AllowInvalidHash" in header else set()
    # It is blanked and not cut, so that places stay those of the file.
    lines = "\n" * text.count("\n", 0, end + 1)
    is_alone = _NO_TRANSACTION.match(body.lstrip("\n"))
    sql = _INCLUDED.sub("\n", _NO_TRANSACTION.sub("\n", body.lstrip("\n")))
    lines += "\n" * (len(body) - len(body.lstrip("\n")))
    places = as_variables(lines + sql, names, {})
    notes += _told(path, places)
    return Foreign(
        key=f"{number}.sql",
        path=path,
        number=number,
        words=words or header.get("Message", ""),
        up=places.sql,
        is_transactional=is_alone is None,
        variables=tuple(places.variables.values()),
        checksums=frozenset({made, *allowed}),
    )


def _placeholders(folder: Path) -> re.Pattern[str]:
    """Return what fits a placeholder: a name of its own, or one that .gmrc gives."""
    names = list(_OWN)
    for parent in folder.absolute().parents[:3]:
        if (path := parent / ".gmrc").is_file():
            names += re.findall(r"[\"']:([A-Z][A-Z0-9_]+)[\"'][ \t]*:", read_text(path))
    return re.compile(rf"(?<!:):(?P<name>{'|'.join(dict.fromkeys(names))})\b")


def _told(path: Path, places: Places) -> Iterator[NotCarried]:
    for variable in places.variables.values():
        said = (
            f":{variable} is a psql variable now: give it with --var {variable}=… or in the "
            "environment"
        )
        yield NotCarried(Place(path), said)
    for line, name in places.left:
        said = (
            f":{name} is a part of a longer text, where psql fills nothing in: write its value, "
            "or a string of its own"
        )
        yield NotCarried(Place(path, line), said, is_needed=True)


def _current(root: Path) -> Iterator[NotCarried]:
    for path in (root / "current.sql", *sql_files(root / "current")):
        if path.is_file() and not is_blank(read_text(path)):
            said = "it is not committed, and left out: commit it first, or write it as a migration"
            yield NotCarried(Place(path), said)


def _ledger(asks: Asks, _history: History | None) -> ForeignLedger | None:
    needed = ["hash", "previous_hash", "filename", "date"]
    table = only(TOOL, asks.tables("migrations", needed, "graphile_migrate"))
    if table is None:
        return None
    query = "select filename::text, hash::text, date::text from {table} order by filename"
    rows = asks.rows(query, table)
    return ForeignLedger(table, tuple(Recorded(str(key), at, stored) for key, stored, at in rows))


TOOL = Tool(
    "graphile-migrate",
    "graphile-migrate",
    _find,
    _read,
    _ledger,
    lock=lambda _table, _database: _LOCK,
    marks=(".gmrc", ".gmrc.js", ".gmrc.cjs"),
)
