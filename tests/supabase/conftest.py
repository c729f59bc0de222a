"""Servers on which a Supabase project is imitated; its roles would change what other tests find."""

from collections.abc import Iterator

import pytest

from conftest import SERVERS, Server, _project, start
from pgvouch import embedded as servers

from .project import Live, project


@pytest.fixture(scope="session", params=SERVERS)
def platform(request: pytest.FixtureRequest) -> Iterator[Server]:
    folder = f"platform-{request.param}"
    yield start(request.param, folder)
    servers.stop(_project(request.param, folder))


@pytest.fixture
def live(platform: Server) -> Iterator[Live]:
    with project(platform) as found:
        yield found
