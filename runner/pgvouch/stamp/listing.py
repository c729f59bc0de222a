"""What there is to stamp: every template with its arguments and a sample of its expansion."""

from dataclasses import dataclass
from pathlib import Path

from pgvouch.stamp.call import Value
from pgvouch.stamp.render import expand
from pgvouch.stamp.templates import Templates


@dataclass(frozen=True, slots=True)
class ArgumentInfo:
    """One argument as `stamp --list` shows it."""

    name: str
    type: str
    required: bool
    default: Value
    doc: str


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """One family as `stamp --list` shows it."""

    name: str
    origin: str
    path: Path
    doc: str
    arguments: tuple[ArgumentInfo, ...]
    sample: str
    """A stamp line without its dashes."""
    expansion: str
    """What that line gives in a migration, or in a verify file where the family has only checks."""


def list_templates(templates: Templates) -> list[TemplateInfo]:
    """Return every template with its arguments and a sample expansion.

    Raises:
        StampError: a declaration or a template is wrong.
    """
    found = []
    for name in templates.names():
        family = templates.family(name)
        declaration = family.declaration
        values = declaration.bind(declaration.sample)
        expansion = expand(family, family.main, values, declaration.sample.place)
        arguments = tuple(
            ArgumentInfo(p.name, p.type, p.required, p.default, p.doc)
            for p in declaration.parameters
        )
        found.append(
            TemplateInfo(
                name,
                family.origin,
                family.path(family.main),
                declaration.doc,
                arguments,
                declaration.sample_text,
                expansion,
            )
        )
    return found
