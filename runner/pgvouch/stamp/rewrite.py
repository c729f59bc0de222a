"""Stamps files: compares every expansion with what its stamp gives now, and writes the stale ones.

A file is read whole, judged whole, and replaced in one rename or not at all.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgvouch.errors import FileError, Place, StampError
from pgvouch.files.migration import decode
from pgvouch.files.version import ROLLBACK, Version
from pgvouch.stamp.blocks import Block, find, wrap
from pgvouch.stamp.render import expand
from pgvouch.stamp.templates import Target, Templates
from pgvouch.stamp.verdict import Freshness, Item, Stamped

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    raw: bytes
    text: str
    target: Target
    items: tuple[Item, ...]


def stamp_files(
    files: Sequence[Path],
    templates: Templates,
    *,
    check: bool = False,
    force: bool = False,
    applied: Callable[[Path], bool] | None = None,
) -> list[Stamped]:
    """Bring the expansions of files up to date, or (with `check`) only say which are not.

    Args:
        files: migrations, rollbacks and verify files. Give a folder's files together: a stale stamp
            that a later migration repeats is then known to be history.
        templates: where templates are.
        check: write nothing.
        force: overwrite expansions that were edited by hand; not with `check`.
        applied: says whether the migration of a file is applied; None when that is unknown.

    Returns:
        One outcome per stamp, in order. Those that are not `ok` carry the error to show. A file
        with a refused stamp is left as it is; the others are written.

    Raises:
        StampError: a stamp is malformed, names no template, or its arguments or template are wrong;
            nothing has been written then.
        FileError: a file cannot be read or written.
    """
    read = [found for path in files if (found := _read(path, templates)) is not None]
    force = force and not check
    outcomes: list[Stamped] = []
    for file in read:
        outcomes += _stamp_file(file, read, check=check, force=force, applied=applied)
    return outcomes


def target_of(path: Path) -> Target:
    """Say which template of a family belongs in a file.

    Raises:
        StampError: into none; checks of a rollback are written by hand.
    """
    rollback = path.name.endswith(ROLLBACK)
    if path.parent.name != "verify":
        return Target.ROLLBACK if rollback else Target.MIGRATION
    if rollback:
        raise StampError(
            "no template is stamped into the checks of a rollback",
            Place(path),
            hint="remove the stamp line and write the checks by hand",
        )
    return Target.VERIFY


def _read(path: Path, templates: Templates) -> _File | None:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise FileError.unreadable(path, exc) from exc
    if b"stamp" not in raw.lower():
        return None
    text = decode(raw, path)
    blocks = find(text, path)
    if not blocks:
        return None
    target = target_of(path)
    lines = text.split("\n")
    items = tuple(_item(block, path, target, lines, templates) for block in blocks)
    return _File(path, raw, text, target, items)


def _item(block: Block, path: Path, target: Target, lines: list[str], templates: Templates) -> Item:
    call = block.call
    family = templates.family(call.template, call.place)
    values = family.declaration.bind(call)
    source = "\n".join(line.rstrip("\r") for line in lines[block.line - 1 : call.last_line])
    body = expand(family, target, values, call.place)
    return Item(path, block, source, values, body, only_checks=family.main is Target.VERIFY)


def _stamp_file(
    file: _File,
    read: Sequence[_File],
    *,
    check: bool,
    force: bool,
    applied: Callable[[Path], bool] | None,
) -> list[Stamped]:
    stale = [item for item in file.items if item.state != "fresh"]
    twins = {} if force else {id(item): _later_twin(file, item, read) for item in stale}
    due = [item for item in stale if twins.get(id(item)) is None]
    is_applied = bool(due) and applied is not None and applied(file.path)
    refusals = [item.refusal(is_applied=is_applied, force=force) for item in due]
    stays = "first settle the refused stamps of this file" if any(refusals) else ""
    if check:
        stays = stays or "pgvouch stamp"
    if due and not stays:
        _write(file, due)
    judged: dict[int, tuple[Freshness, StampError | None]] = {
        id(item): refusal or ((item.state, item.stale(stays)) if stays else ("written", None))
        for item, refusal in zip(due, refusals, strict=True)
    }
    outcomes = []
    for item in file.items:
        status, error = judged.get(id(item), (item.state, None))
        twin = twins.get(id(item))
        line = item.block.line
        outcomes.append(Stamped(file.path, line, item.template, status, error, superseded_by=twin))
    return outcomes


def _later_twin(file: _File, item: Item, read: Sequence[_File]) -> Path | None:
    """Return the later migration that holds the same stamp, if any.

    A template that changes leaves the applied stamps of its family stale for good; the migration
    that stamps the same call again is what replaces them.
    """
    version = Version.of(file.path.name)
    for other in reversed(read):
        if other.path.parent != file.path.parent or other.target is not file.target:
            continue
        other_version = Version.of(other.path.name)
        if version is None or other_version is None or not version < other_version:
            continue
        if any(twin.twin_key == item.twin_key for twin in other.items):
            return other.path
    return None


def _write(file: _File, items: Sequence[Item]) -> None:
    text, done = [], 0
    for item in items:
        block = item.block
        start = end = block.insert_at
        if block.expansion is not None:
            start, end = block.expansion.start, block.expansion.end
        text.append(file.text[done:start])
        if start and not file.text[:start].endswith("\n"):
            text.append(block.newline)
        text.append(wrap(item.template, item.new_body or item.body, block.newline))
        done = end
    text.append(file.text[done:])
    bom = _BOM if file.raw.startswith(_BOM) else b""
    try:
        _replace(file.path.resolve(), bom + "".join(text).encode())
    except OSError as exc:
        raise FileError(
            f"{file.path.name} cannot be written: {exc.strerror or exc}", Place(file.path)
        ) from exc


def _replace(path: Path, raw: bytes) -> None:
    """Put a file in place of another of the same mode and owner: whole, or not at all."""
    before = path.stat()
    # The dot keeps a half-written file out of the listing of migrations.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        if os.geteuid() == 0:
            os.chown(temporary, before.st_uid, before.st_gid)
        temporary.chmod(stat.S_IMODE(before.st_mode))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
