"""Connection strings of other programs: a password in them is not taken for something to print."""

import pytest

from pgvouch.address import parts_of
from pgvouch.errors import UsageError


@pytest.mark.parametrize("text", ["host=127.0.0.1;password=S3cr3t", "host=h;Pass_Word=S3cr3t"])
def test_settings_between_semicolons_are_not_a_host(text: str) -> None:
    """Other drivers write them so; libpq takes all of it for the host's name."""
    with pytest.raises(UsageError) as caught:
        parts_of(text)
    assert "S3cr3t" not in repr(vars(caught.value))
