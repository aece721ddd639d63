"""`solverloop metrics`."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from rich.console import Console

from phases.vitals import vitals_of
from pools.errors import IntegrityError, UsageError
from reports.exposition import CampaignCollector, exposition


def metrics_command(directories: Sequence[Path], address: str, port: int, *, once: bool) -> None:
    """Serve the campaigns' numbers to Prometheus until interrupted, or print them once."""
    _warn_of_unreadable(directories)
    if once:
        sys.stdout.write(exposition(directories))
        return
    server = _serve(directories, address, port)
    place = f"http://{address}:{server.server_port}/metrics"
    Console(highlight=False).print(f"metrics are at {place}; end with Ctrl-C", soft_wrap=True)
    with suppress(KeyboardInterrupt):
        Event().wait()
    server.shutdown()


def _warn_of_unreadable(directories: Sequence[Path]) -> None:
    """Say which campaigns cannot be read now; they may begin later."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for directory in directories:
        try:
            vitals_of(directory)
        except IntegrityError as error:
            console.print(f"warning: {error}", markup=False)


def _serve(directories: Sequence[Path], address: str, port: int) -> WSGIServer:
    registry = CollectorRegistry()
    registry.register(CampaignCollector(directories))
    try:
        server, _ = start_http_server(port, address, registry)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {address}:{port}: {error.strerror}; give another --port, or an "
            "--address of this machine"
        ) from error
    return server
