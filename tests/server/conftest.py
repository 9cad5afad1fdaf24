"""A real Jupyter Server to ask, for the tests that name `ask` or `refused`."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import HTTPClientError


@pytest.fixture
def jp_server_config(jp_server_config, store_path, plain_surroundings):
    # S1: whatever has no `@web.authenticated` is refused before it is asked.
    asked = {"allow_unauthenticated_access": False}
    return {"ServerApp": {"jpserver_extensions": {"nbtrack.server": True}, **asked}}


@pytest.fixture(autouse=True)
def _sessions_closed(request):
    """Jupyter Server leaves its table of sessions open; Python 3.13 warns of it."""
    asks = "jp_serverapp" in request.fixturenames
    server = request.getfixturevalue("jp_serverapp") if asks else None
    yield
    if server is None:
        return
    sessions = server.session_manager
    sessions.close()
    sessions.connection.close()


@pytest.fixture
def ask(jp_fetch):
    """Ask with the token; the JSON of the answer."""

    async def ask(*path, **how):
        response = await jp_fetch("nbtrack", *path, **how)
        return json.loads(response.body)

    return ask


@pytest.fixture
def refused(jp_fetch):
    """Ask for what must be refused; the status and the JSON of the error."""

    async def refused(*path, **how):
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch("nbtrack", *path, **how)
        response = caught.value.response
        is_json = response.body and "json" in response.headers["Content-Type"]
        return response.code, json.loads(response.body) if is_json else {}

    return refused
