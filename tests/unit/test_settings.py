"""Every setting is one in the configuration, one option of the commands and one field of Options."""

from dataclasses import fields

import click
import pytest

from pgvouch.cli.migrate import migrate
from pgvouch.config.options import SETTINGS, Options, Setting
from pgvouch.errors import UsageError


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_a_setting_is_an_option_of_the_commands(setting: Setting) -> None:
    assert setting.field in {field.name for field in fields(Options)}
    [option] = [item for item in migrate.params if setting.option in item.opts]
    assert isinstance(option, click.Option)
    assert option.name == setting.name
    assert option.help == setting.doc


def test_options_are_read_from_settings() -> None:
    said = {"lock_timeout": "2s", "statement_timeout": "0", "retries": "3", "lock_wait": "5"}
    assert Options.of({**said, "retry_budget": "1min"}, strict=True) == Options(
        lock_timeout="2s",
        statement_timeout="0",
        retries=3,
        lock_wait_s=5,
        retry_budget_s=60,
        strict=True,
    )
    assert Options.of({}) == Options()


@pytest.mark.parametrize(
    ("name", "text", "message", "hint"),
    [
        ("lock_timeout", "5", "lock_timeout is 5 without a unit", "--lock-timeout 5s"),
        ("statement_timeout", "90", "statement_timeout is 90 without a unit", "timeout 5s"),
        ("lock_timeout", "soon", "lock_timeout is a time, not 'soon'", "--lock-timeout 5s"),
        ("lock_wait", "30d", "lock_wait is a time, not '30d'", "--lock-wait 5s"),
        ("retries", "-1", "retries is a number, not '-1'", "--retries 5"),
    ],
)
def test_what_cannot_be_is_refused(name: str, text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Options.of({name: text})
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_every_timeout_of_postgresql_wants_a_unit() -> None:
    handed_on = {name for name, setting in SETTINGS.items() if setting.measure == "timeout"}
    assert handed_on == {"lock_timeout", "statement_timeout"}
