"""The Prefect server that a command talks to: whether it answers, in plain words."""

import httpx
import prefect
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL

from pools.errors import CampaignError, UsageError


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
        UsageError: it wants another password.
        CampaignError: it does not answer.
    """
    address = set_address()
    try:
        version = client.request("GET", "/admin/version").json()
    except PrefectHTTPStatusError as error:
        if error.response.status_code == httpx.codes.UNAUTHORIZED:
            raise UsageError(
                f"the server {address} refuses the password; set PREFECT_API_AUTH_STRING to the "
                "one that it was started with (its PREFECT_SERVER_API_AUTH_STRING)"
            ) from None
        raise CampaignError(f"the server {address} answers with an error: {error}") from error
    except httpx.HTTPError as error:
        raise CampaignError(
            f"the server {address} does not answer ({error}); is it running? Start it with "
            "`prefect server start`, or correct PREFECT_API_URL"
        ) from error
    return f"{address}, version {version}{_differing(version)}"


def _differing(version: str) -> str:
    """Warn where the server is of another minor version than this client."""
    mine = prefect.__version__
    same = version.split(".")[:2] == mine.split(".")[:2]
    return "" if same else f" (here {mine}: install the same version on both)"
