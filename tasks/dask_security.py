"""The key that the processes of a Dask cluster know each other by, made for one cluster.

Whoever reaches a Dask scheduler runs code as its user, so that one without TLS is open to everyone
on its network.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from distributed import Security


@contextmanager
def key_below(directory: Path) -> Iterator[Security]:
    """Keep a new key in files that only their owner may read, until the end of the context."""
    made = Security.temporary()
    with TemporaryDirectory(prefix=".tls-", dir=directory) as private:  # its mode is 700
        key, certificate = Path(private) / "key.pem", Path(private) / "certificate.pem"
        key.write_text(made.tls_client_key)
        certificate.write_text(made.tls_client_cert)
        roles = ("client", "scheduler", "worker")
        yield Security(
            require_encryption=True,
            tls_ca_file=str(certificate),
            **{f"tls_{role}_key": str(key) for role in roles},
            **{f"tls_{role}_cert": str(certificate) for role in roles},
        )
