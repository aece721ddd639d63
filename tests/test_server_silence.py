"""What is said while the server of a run does not answer."""

import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from answering import set_as_server
from prefect.client.orchestration import get_client

from flows.server_silence import silence_told


class Busy(BaseHTTPRequestHandler):
    """Has no answer at first, and then one."""

    refusals = 3

    def do_GET(self) -> None:
        type(self).refusals -= 1
        self.send_response(503 if self.refusals >= 0 else 200)
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(b'"3.0.0"')


@pytest.fixture
def busy() -> Iterator[str]:
    """Run a server that refuses three times, and return its address."""
    with set_as_server(Busy) as address:
        yield address


def ask() -> str:
    with get_client(sync_client=True) as client:
        return str(client.request("GET", "/admin/version").json())


def test_it_is_said_once_with_the_reason_and_the_way_on(
    busy: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "solverloop"), silence_told():
        assert ask() == "3.0.0"
    [said] = [record.getMessage() for record in caplog.records if record.name == "solverloop"]
    assert said.startswith(f"the Prefect server {busy} answers with the error 503; it is asked")
    assert "where it was when it is begun again" in said


def test_what_the_client_says_to_its_developers_stays_with_them(
    busy: str, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("prefect.client")
    before = (logger.level, list(logger.filters))
    with silence_told():
        ask()
    assert (logger.level, list(logger.filters)) == before
    assert busy
    assert not [record for record in caplog.records if record.levelno == logging.DEBUG]
