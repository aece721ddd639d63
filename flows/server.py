"""The Prefect server that a command talks to: whether it can be used, in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import prefect
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_CLIENT_RETRY_EXTRA_CODES,
    temporary_settings,
)

from flows.temporary_server import TemporaryServer
from pools.errors import CampaignError, SolverloopError, UsageError


def check_server() -> None:
    """Look whether the server that is set can be used; without one Prefect starts its own.

    Raises:
        UsageError: it wants another password, is of another version, or is no server of Prefect.
        CampaignError: it does not answer.
    """
    if PREFECT_API_URL.value():
        with get_client(sync_client=True) as client:
            connected(client)


@contextmanager
def usable_server() -> Iterator[None]:
    """Run Prefect's flows on the server that is set, else on a temporary one.

    The one that is set is waited for while it is away: 2 + 4 + ... seconds, half an hour in all,
    unless the user has set something else for it. A temporary one would not come back.

    Raises:
        UsageError, CampaignError: as `check_server`.
    """
    check_server()
    TemporaryServer()
    patience: dict[Any, Any] = {
        PREFECT_CLIENT_MAX_RETRIES: 10,
        PREFECT_CLIENT_RETRY_EXTRA_CODES: "500",
    }
    with temporary_settings(set_defaults=patience if PREFECT_API_URL.value() else {}):
        yield


def set_address() -> str:
    """Return the address of the server that is set.

    Raises:
        UsageError: none is.
    """
    address: str | None = PREFECT_API_URL.value()
    if not address:
        raise UsageError(
            "no Prefect server is set; start one with `prefect server start`, then `prefect "
            "config set PREFECT_API_URL=http://127.0.0.1:4200/api`"
        )
    return address


def connected(client: SyncPrefectClient) -> str:
    """Return the server's address and version once it has answered.

    Raises:
        UsageError: no server is set, it wants another password, is of another version, or is no
            server of Prefect.
        CampaignError: it does not answer.
    """
    address = set_address()
    version = _version(client, address)
    _check_version(version, address)
    return f"{address}, version {version}{_differing(version)}"


def _version(client: SyncPrefectClient, address: str) -> str:
    try:
        return str(client.request("GET", "/admin/version").json())
    except PrefectHTTPStatusError as error:
        raise _refusal(error, address) from error
    except httpx.HTTPError as error:
        raise CampaignError(
            f"the server {address} does not answer ({error}); is it running? Start it with "
            "`prefect server start`, or correct PREFECT_API_URL; `solverloop run "
            "--without-server` needs none"
        ) from error
    except ValueError as error:
        raise _no_server(address) from error


def _refusal(error: PrefectHTTPStatusError, address: str) -> SolverloopError:
    match error.response.status_code:
        case httpx.codes.UNAUTHORIZED:
            return UsageError(
                f"the server {address} refuses the password; set PREFECT_API_AUTH_STRING to the "
                "one that it was started with (its PREFECT_SERVER_API_AUTH_STRING)"
            )
        case httpx.codes.NOT_FOUND:
            return _no_server(address)
        case code:
            return CampaignError(f"the server {address} answers with the error {code}: {error}")


def _no_server(address: str) -> UsageError:
    return UsageError(
        f"{address} is not the address of a Prefect server's API; set PREFECT_API_URL to it, such "
        "as http://127.0.0.1:4200/api: it ends with /api"
    )


def _check_version(version: str, address: str) -> None:
    """Refuse a server of another major version, which does not understand this client."""
    mine = prefect.__version__
    if version.partition(".")[0] != mine.partition(".")[0]:
        raise UsageError(
            f"the server {address} is Prefect {version}, but here is Prefect {mine}; install the "
            "same version on both, or set PREFECT_API_URL to another server"
        )


def _differing(version: str) -> str:
    """Warn where the server is of another minor version than this client."""
    mine = prefect.__version__
    same = version.split(".")[:2] == mine.split(".")[:2]
    return "" if same else f" (here {mine}: install the same version on both)"
