"""What a migration promises: the sentences and queries of a file in verify/. No I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from pgvouch.errors import FileError, Place
from pgvouch.files.actors import NAME, Actor, Actors
from pgvouch.files.folder import read_text
from pgvouch.files.refusals import refuse_in_checks, refuse_unfilled
from pgvouch.files.variables import Rendered, Value, fill, without_variables
from pgvouch.sqltext.near import nearest
from pgvouch.sqltext.place import line_and_column
from pgvouch.sqltext.scan import is_blank, tokens
from pgvouch.sqltext.statements import expression_of

_DIRECTIVE = re.compile(
    r"--[ \t]*(?:(?P<word>check(?:[ \t]+none|[ \t]+error(?:[ \t]+[^\s:]+)?)?)"
    r"(?:[ \t]+as[ \t]+(?P<actor>[^\s:]+))?|(?P<other>same|before|after|until|let|as))"
    r"[ \t]*:(?!:)[ \t]*(?P<value>.*)",
    re.DOTALL,
)
_COMMENT_WORD = re.compile(r"--[ \t]*(?P<word>[A-Za-z][\w \t-]*?)[ \t]*:(?!:)")
_SQLSTATE = re.compile(r"[0-9A-Z]{5}\Z")
_WORDS = ("check", "check none", "check error", "same", "before", "after", "until", "let", "as")
_NEARLY_A_CHECK = re.compile(r"check(?: \S+){0,2}|check (?:none|error [0-9a-z]{5})(?: \S+){1,2}")
_LET = re.compile(r"(?P<name>[^\s=]+)[ \t]*=[ \t]*(?P<literal>.*)", re.DOTALL)


class Kind(Enum):
    """How a check passes."""

    TRUE = "check"
    """At least one row, and the first column is true in every row."""
    NONE = "check none"
    """No row."""
    ERROR = "check error"
    """Exactly this SQLSTATE."""
    SAME = "same"
    """The whole result of `after` equals that of `before`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """SQL from a verify file, with the offset in characters where it begins there."""

    filled: Rendered
    """With the values of its names."""
    offset: int

    @property
    def sql(self) -> str:
        """What is sent."""
        return self.filled.text


@dataclass(frozen=True, slots=True)
class Turn:
    """The part of a check that is done in one actor's place."""

    actor: Actor | None
    """None at the beginning of a check: the role that migrates."""
    query: Piece


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a sentence, and the SQL that shows whether it holds."""

    kind: Kind
    sentence: str
    place: Place
    turns: tuple[Turn, ...]
    """The SQL; the last statement of the last turn is the query."""
    before: Piece | None = None
    sqlstate: str | None = None
    until: str | None = None
    """The later migration that retires it."""


@dataclass(frozen=True, slots=True)
class Promises:
    """A whole verify file."""

    path: Path
    text: str
    setup: Piece | None
    checks: tuple[Check, ...]

    def in_force(self, applied: frozenset[str]) -> "Promises":
        """Leave out the checks that a migration in `applied` has retired."""
        return replace(self, checks=tuple(c for c in self.checks if c.until not in applied))

    def lasting(self, applied: frozenset[str]) -> "Promises":
        """Leave out what can only be checked in the migration's own transaction.

        A `same` pair compares with the moment before the migration, which is long gone.
        """
        there = self.in_force(applied)
        return replace(there, checks=tuple(c for c in there.checks if c.kind is not Kind.SAME))

    def of_kind(self, *kinds: Kind) -> tuple[Check, ...]:
        """Return the checks of these kinds, in order."""
        return tuple(check for check in self.checks if check.kind in kinds)


@dataclass(frozen=True, slots=True)
class _Mark:
    word: str
    value: str
    start: int
    end: int
    place: Place
    actor: str | None = None


def parse(text: str, path: Path, actors: Actors | None = None) -> Promises:
    """Read a verify file.

    Args:
        text: what is in it.
        path: where it is.
        actors: who may act in its checks.

    Raises:
        FileError: no check in it, a check without a query, a near miss of a directive, an unknown
            actor, a transaction statement, or text that PostgreSQL's scanner cannot read.
    """
    return _File(text, path, actors or Actors()).read()


@dataclass
class _File:
    """A verify file that is being read."""

    text: str
    path: Path
    actors: Actors
    values: dict[str, Value] = field(default_factory=dict)

    def read(self) -> Promises:
        refuse_unfilled(self.text, self.path)
        marks = self._marks()
        self.values = self.actors.values
        lets = [mark for mark in marks if mark.word == "let"]
        marks = [mark for mark in marks if mark.word != "let"]
        for let in lets:
            self._name(let, marks[0].start if marks else len(self.text))
        refuse_in_checks(without_variables(self.text, tuple(self.values)), Place(self.path))
        checks = tuple(self._checks(marks))
        if not checks:
            raise FileError(
                f"verify/{self.path.name} names no check, so it promises nothing",
                Place(self.path),
                hint="write `-- check: a sentence` above a query, or say `-- unverified: why` in "
                "the migration and remove this file",
            )
        setup = self._piece(0, marks[0].start)
        return Promises(self.path, self.text, None if is_blank(setup.sql) else setup, checks)

    def _piece(self, start: int, end: int) -> Piece:
        return Piece(fill(self.text[start:end], self.values), start)

    def _marks(self) -> list[_Mark]:
        text = self.text
        try:
            comments = tokens(text, comments=True)
        except SyntaxError as exc:
            line, column = line_and_column(text, max((exc.offset or 1) - 1, 0))
            raise FileError(str(exc.msg), Place(self.path, line, column)) from None
        marks = []
        for token in comments:
            comment = text[token.start : token.end]
            place = Place(self.path, line_and_column(text, token.start)[0])
            if match := _DIRECTIVE.match(comment):
                word = " ".join((match["word"] or match["other"]).split())
                value = match["value"].strip()
                marks.append(_Mark(word, value, token.start, token.end, place, match["actor"]))
            elif match := _COMMENT_WORD.match(comment):
                _refuse_near_miss(match["word"], place, self.actors)
        return marks

    def _name(self, let: _Mark, first_check: int) -> None:
        if let.start > first_check:
            raise FileError(
                "`-- let:` stands behind a check, and names a value for the whole file",
                let.place,
                hint="move it up, above the first check",
            )
        match = _LET.fullmatch(let.value)
        if match is None or not NAME.match(match["name"]):
            raise FileError(
                f"`-- let: {let.value}` names no value",
                let.place,
                hint="write `-- let: name = 'a literal'`",
            )
        name = match["name"]
        if name in self.values:
            other = next((actor for actor in self.actors.all if actor.name == name), None)
            raise FileError(
                f"{name} is the name of an actor" if other else f"{name} has a value already",
                let.place,
                notes=[f"the actor stands in {other.place}"] if other else [],
            )
        self.values[name] = _literal(name, match["literal"], let.place)

    def _checks(self, marks: list[_Mark]) -> list[Check]:
        groups: list[list[_Mark]] = []
        for mark in marks:
            if mark.word in {"before", "after", "until", "as"}:
                if not groups:
                    raise FileError(f"`-- {mark.word}:` belongs to no check", mark.place)
                groups[-1].append(mark)
            else:
                groups.append([mark])
        ends = [group[0].start for group in groups[1:]] + [len(self.text)] * bool(groups)
        return [self._check(group, end) for group, end in zip(groups, ends, strict=True)]

    def _check(self, group: list[_Mark], end: int) -> Check:
        head = group[0]
        self._refuse_blank(head, end)
        turns = self._turns(group, end)
        group = [mark for mark in group if mark.word != "as"]
        ends = [mark.start for mark in group[1:]] + [end]
        pieces = {
            mark.word: self._piece(mark.end, stop) for mark, stop in zip(group, ends, strict=True)
        }
        until = next((mark.value for mark in group if mark.word == "until"), None)
        if until is not None and not re.fullmatch(r"[^\s;]+", until):
            raise FileError("`-- until:` names one migration", head.place)
        if head.word == "same":
            if len(turns) > 1:
                raise FileError("`-- as:` belongs to a check, and `-- same:` is none", head.place)
            before, after = _pair(turns[0].query, pieces, head.place)
            after_it = (Turn(None, after),)
            return Check(Kind.SAME, head.value, head.place, after_it, before=before, until=until)
        if {"before", "after"} & pieces.keys():
            raise FileError("`-- before:` and `-- after:` belong to `-- same:`", head.place)
        if is_blank(turns[-1].query.sql):
            raise FileError(f"the check “{head.value}” has no query", head.place)
        kind, sqlstate = _kind(head.word, head.place)
        return Check(kind, head.value, head.place, turns, sqlstate=sqlstate, until=until)

    def _turns(self, group: list[_Mark], end: int) -> tuple[Turn, ...]:
        """Divide a check where another actor takes over; `-- until:` is a comment in it."""
        taken = [mark for mark in group if mark is group[0] or mark.word == "as"]
        ends = [mark.start for mark in taken[1:]] + [end]
        turns = []
        for mark, stop in zip(taken, ends, strict=True):
            name = mark.value if mark.word == "as" else mark.actor
            actor = None if name is None else self.actors.find(name, mark.place)
            piece = self._piece(mark.end, stop)
            if len(taken) > 1 and is_blank(piece.sql):
                raise FileError(
                    f"nothing is done above `-- as: {taken[1].value}`"
                    if mark is taken[0]
                    else f"nothing is done as {name}",
                    mark.place,
                    hint="an actor for the whole check stands in its first line: "
                    f"`-- check as {taken[1].value}: …`",
                )
            turns.append(Turn(actor, piece))
        return tuple(turns)

    def _refuse_blank(self, head: _Mark, end: int) -> None:
        if head.value:
            return
        if is_blank(self.text[head.end : end]):
            raise FileError(
                f"verify/{self.path.name} is not filled in yet: a `-- {head.word}:` has neither a "
                "sentence nor a query",
                head.place,
                hint="write what holds afterwards, and a query below it that shows it: `-- check: "
                "the table is there`, `select to_regclass('public.notes') is not null;`; or remove "
                "it",
            )
        raise FileError(
            f"`-- {head.word}:` has no sentence", head.place, hint="say what it promises"
        )


def _refuse_near_miss(word: str, place: Place, actors: Actors) -> None:
    spelled = " ".join(word.lower().replace("-", " ").replace("_", " ").split())
    near = nearest(spelled, _WORDS, likeness=0.8)
    if _NEARLY_A_CHECK.fullmatch(spelled):
        near = near or "check"
    if spelled.startswith("same as ") and len(spelled.split()) == 3:
        near = "same"
    if spelled.startswith("as ") and any(spelled == f"as {a.name.lower()}" for a in actors.all):
        near = "as"
    if near:
        raise FileError(
            f"`-- {word}:` looks like the directive `-- {near}:` and would check nothing",
            place,
            hint=f"write `-- {near}:`, or reword the comment"
            + ("; an actor stands behind `as`: `-- check as ann:`" * near.startswith("check")),
        )


def _literal(name: str, written: str, place: Place) -> Value:
    """Read what `-- let:` gives a name: a string, number or boolean, with a cast if need be.

    Raises:
        FileError: it is something else, such as an expression.
    """
    wrong = FileError(
        f"`-- let: {name}` has no literal: {written or 'nothing'}",
        place,
        hint="write a string or a number: `'5afe…'`, `'5afe…'::uuid`, `42`; what has to be asked "
        "of the server belongs in the setup",
    )
    if (tree := expression_of(written)) is None:
        raise wrong
    text = written[: tokens(written)[-1].end]  # a comment behind it would hide what follows a use
    node = tree.type_cast.arg if tree.HasField("type_cast") else tree
    kind = node.a_const.WhichOneof("val")
    if kind not in {"sval", "ival", "fval", "boolval"}:
        raise wrong
    value = getattr(getattr(node.a_const, kind), kind)
    value = str(value).lower() if kind == "boolval" else str(value)
    return Value(value, f"({text})" if text.startswith("-") else text)


def _pair(query: Piece, pieces: dict[str, Piece], place: Place) -> tuple[Piece, Piece]:
    if not {"before", "after"} & pieces.keys():
        if is_blank(query.sql):
            raise FileError(
                "`-- same:` needs a query",
                place,
                hint="write the one that gives the same before and after the migration; or two, "
                "under `-- before:` and `-- after:`",
            )
        return query, query
    if not is_blank(pieces["same"].sql):
        raise FileError("`-- same:` has a query above `-- before:`", place)
    for word in ("before", "after"):
        if word not in pieces or is_blank(pieces[word].sql):
            raise FileError(f"`-- same:` needs a query under `-- {word}:`", place)
    return pieces["before"], pieces["after"]


def _kind(word: str, place: Place) -> tuple[Kind, str | None]:
    if not word.startswith("check error"):
        return Kind(word), None
    sqlstate = word.removeprefix("check error").strip()
    if not _SQLSTATE.match(sqlstate):
        raise FileError(
            f"`-- {word}:` needs a SQLSTATE of five digits and capitals",
            place,
            hint="for example `-- check error 42501: …` (insufficient privilege)",
        )
    return Kind.ERROR, sqlstate


def read_promises(path: Path | None, actors: Actors) -> Promises | None:
    """Return the promises in a verify file, if there is one.

    Raises:
        FileError: it is not a verify file.
    """
    return parse(read_text(path), path, actors) if path else None


def read_always(files: Mapping[Path, Actors]) -> tuple[Promises, ...]:
    """Return what is promised whatever is applied.

    Args:
        files: each with those who may act in it.

    Raises:
        FileError: one of them is not a verify file, or has a check of one migration's.
    """
    found = tuple(parse(read_text(path), path, actors) for path, actors in files.items())
    for check in (check for promises in found for check in promises.checks):
        word = "same" if check.kind is Kind.SAME else "until" if check.until else None
        if word is not None:
            raise FileError(
                f"`-- {word}:` is about one migration, and this file holds whatever is applied",
                check.place,
                hint="put the check into the verify file of a migration",
            )
    return found
