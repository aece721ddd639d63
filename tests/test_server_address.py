"""What is said of a Prefect server that cannot be used, before anything runs.

Of a wrong password to a real server, see tests/test_services.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import prefect
import pytest
from answering import set_as_server
from prefect.settings import PREFECT_API_URL, temporary_settings
from services import free_ports

from flows.server import check_server
from pools.errors import CampaignError, UsageError


class Saying(BaseHTTPRequestHandler):
    """Answers every question with one text."""

    text = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.text.encode())


@contextmanager
def server_that_says(text: str) -> Iterator[None]:
    """Make a server that answers so the one that is set."""
    with set_as_server(Saying, text=text):
        yield


def test_a_server_of_this_version_is_taken() -> None:
    with server_that_says(f'"{prefect.__version__}"'):
        check_server()


@pytest.mark.parametrize("version", ["2.20.1", "4.0.0"])
def test_a_server_of_another_major_version_is_refused_with_both_versions(version: str) -> None:
    words = f"is Prefect {version}, but here is Prefect {prefect.__version__}; install the same"
    with server_that_says(f'"{version}"'), pytest.raises(UsageError, match=words):
        check_server()


def test_what_is_no_server_of_prefect_is_told_the_address_that_is_meant() -> None:
    with server_that_says("<html>"), pytest.raises(UsageError, match="it ends with /api"):
        check_server()


def test_a_server_that_is_away_is_named_with_the_ways_out() -> None:
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}/api"
    with (
        temporary_settings({PREFECT_API_URL: address}),
        pytest.raises(CampaignError, match=f"{address} does not answer .*is it running"),
    ):
        check_server()


def test_without_a_server_nothing_is_asked() -> None:
    with temporary_settings({PREFECT_API_URL: None}):
        check_server()
