"""What the options of a command come to, and the ways in which it tells its results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgvouch.api.vouch import Vouch
from pgvouch.cli import as_text, output
from pgvouch.cli.output import Line
from pgvouch.config.project import Project, which_database
from pgvouch.errors import Place, UsageError, VouchError
from pgvouch.events import Doubted, Event, Listener

if TYPE_CHECKING:
    from pgvouch.cli.annotations import Annotation


@dataclass
class Context:
    """What the options before and after a command's name say."""

    environment: Mapping[str, str]
    url: str | None = None
    config: Path | None = None
    migrations: Path | None = None
    as_json: bool = False
    as_lines: bool = False
    """Whether JSON comes as lines, and not as one document at the end."""
    shape: str = "text"
    """What `--format` says."""
    log_format: str = "text"
    annotations: list["Annotation"] = field(default_factory=list)
    """For the document of `--format sarif`."""
    create: bool = False
    verbose: bool = False
    no_dotenv: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    """Times and retries from the command line, by their names in the configuration."""
    wait_s: float = 0.0
    """How long to wait for the server to come up."""
    variables: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def project(self) -> Project:
        """The configuration, read once."""
        return self.folder(None).project

    def databases(self, wanted: Sequence[str] = ()) -> list[Vouch]:
        """Return the databases that the command is about."""
        found = Vouch.each(wanted, on_event=self._listener(""), **self._given())
        for vouch in found:
            vouch.on_event = self._listener(vouch.name)
        return found

    def newcomer(self, name: str | None) -> Vouch:
        """Return the database that the command is about, whose files may not be there yet."""
        return Vouch(database=name, on_event=self._listener(name or ""), **self._given())

    def _given(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "project": self.config,
            "migrations": self.migrations,
            "variables": self.variables,
            "environment": self.environment,
            "dotenv": not self.no_dotenv,
            "create_database": self.create,
            "wait_s": self.wait_s,
            "show_all_rows": self.verbose,
            **self.settings,
        }

    def _listener(self, name: str) -> Listener:
        listener: Listener = as_text.Progress(quiet=self.as_json, verbose=self.verbose)
        if self.log_format == "json":
            from pgvouch.cli.json_log import JsonLog

            listener = JsonLog(name, verbose=self.verbose)
        if self.shape == "text":
            return listener

        def listen(event: Event) -> None:
            listener(event)
            if isinstance(event, Doubted):
                self.annotate("warning", "file", event.text, place=event.place)

        return listen

    def report(self, error: VouchError, code: int | None = None) -> None:
        """Print an error: as text, or as lines of the log; and as what `--format` asks for."""
        if self.log_format == "json":
            from pgvouch.cli.json_log import log_error

            log_error(error, code)
        elif not self.as_json:
            as_text.print_error(error)
        self.annotate_error(error)

    def doubt(self, text: str, place: Place | None) -> None:
        """Print a warning about a file, in the same ways."""
        if self.log_format == "json":
            from pgvouch.cli.json_log import JsonLog

            JsonLog("")(Doubted(text, place))
        elif not self.as_json:
            as_text.say_doubt(text, place)
        self.annotate("warning", "file", text, place=place)

    def annotate_error(self, error: VouchError) -> None:
        """Give an error to those who show it beside the code."""
        if self.shape != "text":
            from pgvouch.cli.annotations import of_error

            self._annotate(of_error(error))

    def annotate(self, level: str, kind: str, *lines: str, place: Place | None = None) -> None:
        """Give a finding to those who show it beside the code.

        Args:
            level: `error` or `warning`.
            kind: as the `kind` of an error.
            lines: what it is, and more of it.
            place: where it is.
        """
        if self.shape != "text":
            from pgvouch.cli.annotations import Annotation

            self._annotate([Annotation(level, kind, lines, place)])

    def _annotate(self, found: Sequence["Annotation"]) -> None:
        from pgvouch.cli.annotations import github

        if self.shape == "github":
            for one in found:
                output.say_command(github(one, self.environment))
        self.annotations += found

    def tell_done(self, name: str, sentence: str) -> None:
        """Say on stderr how a run has ended, where stdout is for something else."""
        if self.log_format == "json":
            from pgvouch.cli.json_log import log

            log("done", "info", {"database": name, "text": sentence})
        else:
            output.say(sentence, err=True)

    def finish(self) -> None:
        """Print the document of `--format sarif`."""
        if self.shape == "sarif":
            from pgvouch.cli.annotations import sarif

            output.say_json(sarif(self.annotations, self.environment))

    def database(self, wanted: str | None) -> Vouch:
        """Return the one database that the command is about.

        Raises:
            UsageError: there are several, and none was named.
        """
        chosen = self.databases((wanted,) if wanted else ())
        if len(chosen) > 1:
            raise which_database([vouch.name for vouch in chosen])
        return chosen[0]

    def folder(self, name: str | None) -> Vouch:
        """Return the files of a database; nothing is asked of a server."""
        return Vouch(
            self.url,
            project=self.config,
            migrations=self.migrations,
            database=name,
            environment=self.environment,
            dotenv=not self.no_dotenv,
            on_event=lambda event: output.say(getattr(event, "text", ""), err=True),
        )

    def tell(self, *lines: Line, document: Mapping[str, Any]) -> None:
        """Print a result now as lines of text, or keep it for the JSON document."""
        if self.as_json:
            self.document.setdefault("databases", []).append(document)
            return
        for line in lines:
            output.say(*((line,) if isinstance(line, str) else line))

    def tell_text(self, parts: Sequence[str], *, document: Mapping[str, Any]) -> None:
        """The same for text in which every byte counts, such as SQL."""
        if self.as_json:
            self.tell(document=document)
        else:
            output.say_text("\n".join(parts))


def refuse_several(command: str, wanted: Sequence[str], chosen: Sequence[Vouch]) -> None:
    """Refuse what may lose rows in several databases, unless they are named.

    Raises:
        UsageError: there are several, and none was named.
    """
    if not wanted and len(chosen) > 1:
        raise UsageError(
            "which database? There are several, and a rollback may lose rows in each",
            notes=[f"here are {', '.join(vouch.name for vouch in chosen)}"],
            hint=f"name one or more: pgvouch {command} {chosen[0].name}",
        )
