"""Stamping: templates expanded at authoring time into marked blocks of the author's files.

`call` reads a stamp line, `blocks` finds stamps and their expansions in a text, `templates` and
`declaration` find what a template takes, `render` gives the SQL, `verdict`
judges what stands in a file, `rewrite` brings files up to date.
Importing this package imports neither Jinja nor the SQL parser.
"""

from pgvouch.stamp.rewrite import part_of, stamp_files
from pgvouch.stamp.templates import (
    ArgumentInfo,
    Part,
    TemplateInfo,
    Templates,
    list_templates,
    stock_folder,
)
from pgvouch.stamp.verdict import Outcome, Status

__all__ = [
    "ArgumentInfo",
    "Outcome",
    "Part",
    "Status",
    "TemplateInfo",
    "Templates",
    "list_templates",
    "part_of",
    "stamp_files",
    "stock_folder",
]
