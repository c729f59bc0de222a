"""The program's own context, for tests that ask a command instead of running it."""

import click

from pgvouch.cli.main import cli

PROGRAM = click.Context(cli, info_name="pgvouch", **cli.context_settings)
"""Parent of every context that a test makes: a command keeps the names of its help option from the
first one it is in, so that one without this parent would take `-h` from all tests that follow."""
