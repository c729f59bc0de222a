"""YAML as this project writes it: scalars stay text, for `on` is a key and not true."""

import re
from typing import Any, ClassVar

import yaml


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        "<": [("tag:yaml.org,2002:merge", re.compile(r"^<<$"))]
    }


def load_all(text: str) -> list[Any]:
    """The documents of a text."""
    return list(yaml.load_all(text, Loader=_Loader))


def load(text: str) -> Any:
    """The only document of a text."""
    (document,) = load_all(text)
    return document
