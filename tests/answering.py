"""A server of HTTP that stands where Prefect's is looked for, and answers as a test wants."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from prefect.settings import PREFECT_API_URL, temporary_settings


@contextmanager
def set_as_server(handler: type[BaseHTTPRequestHandler], **changes: object) -> Iterator[str]:
    """Make a server that answers by this handler the one that is set; yield its address.

    Args:
        handler: answers; what it keeps in its class is each server's own.
        changes: attributes of that class.
    """
    own = {"log_message": lambda *_: None, **changes}
    with HTTPServer(("127.0.0.1", 0), type("Handler", (handler,), own)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/api"
        with temporary_settings({PREFECT_API_URL: address}):
            yield address
        server.shutdown()
        thread.join()
