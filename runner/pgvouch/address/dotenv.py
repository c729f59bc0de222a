"""The file `.env` beside the configuration: what the environment does not say.

It is read when something is looked up that the environment does not have, and not before. Nothing
of it gets into the environment of this process, or of one that it starts. No value is ever shown.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from io import StringIO
from pathlib import Path

from pgvouch.errors import Place, UsageError
from pgvouch.files.regular import is_of_another, open_regular

_MOST = 100_000
"""The bytes that are read: the parser's time grows faster than the file."""
_WITHOUT = "pgvouch does without it with --no-dotenv"


class DotEnv(Mapping[str, str]):
    """What a file `.env` says. Values are as they are written: a `$` in a password is a `$`."""

    def __init__(self, path: Path | None) -> None:
        """Say which file; None, or one that is not there, says nothing."""
        self.path = path

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @cached_property
    def _values(self) -> dict[str, str]:
        """What the file says.

        Raises:
            UsageError: it cannot be read, it belongs to another user, or a line of it is not
                NAME=VALUE.
        """
        if self.path is None:
            return {}
        try:
            if is_of_another(self.path):
                raise _of_another(self.path)
            with open(open_regular(self.path)[0], "rb") as file:  # noqa: PTH123 - a descriptor
                raw = file.read(_MOST + 1)
            text = raw.decode("utf-8-sig")
        except FileNotFoundError:
            return {}
        except UnicodeDecodeError as exc:
            place = Place(self.path)
            said = f".env is not UTF-8 (byte {exc.start + 1})"
            raise UsageError(said, place, hint=f"save it as UTF-8; {_WITHOUT}") from None
        except OSError as exc:
            raise UsageError.unreadable(self.path, exc).explain(hint=_WITHOUT) from None
        if len(raw) > _MOST or "\0" in text:
            said = f"has more than {_MOST:,} bytes" if len(raw) > _MOST else "holds a NUL byte"
            raise UsageError(f".env {said}: it is no such file", Place(self.path), hint=_WITHOUT)
        return _read(text, self.path)


def _of_another(path: Path) -> UsageError:
    return UsageError(
        ".env belongs to another user, who may have put it there",
        Place(path),
        hint=f"where it is meant to be there: chown it; {_WITHOUT}",
    )


def _read(text: str, path: Path) -> dict[str, str]:
    from dotenv.parser import parse_stream

    found = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            written = binding.original.string
            blank = written[: len(written) - len(written.lstrip())]
            raise UsageError(
                "a line of .env is not NAME=VALUE, or a quote in it is not closed",
                Place(path, binding.original.line + blank.count("\n")),
                hint=f"correct it; {_WITHOUT}",
            )
        if binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found
