"""PostgreSQL, Redis, Prefect's server, its background services and workers, as plain processes.

Commands, environment and health checks are those of docker/compose.yaml; the host names, the
ports and the directories are this machine's, and the secrets are drawn anew.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from compose_file import ROOT, Declared, declared
from process_table import descendants_of
from service_process import Service

_POSTGRESQL = "/usr/lib/postgresql/15/bin"
_HOST = re.compile(r"(?<![\w.-])(?:database|redis|server)(?=:\d|$)")


def missing_services() -> list[str]:
    """Return which of the programs that the services are, or that look at them, are absent."""
    path = f"{_POSTGRESQL}:{os.environ['PATH']}"
    wanted = ("postgres", "redis-server", "chromium")
    return [name for name in wanted if shutil.which(name, path=path) is None]


@dataclass(frozen=True, slots=True)
class PrefectServices:
    """What runs for a session of tests.

    Attributes:
        database: PostgreSQL.
        redis: Redis.
        server: Prefect's API and UI.
        background: Prefect's services: schedules, automations, events, vacuum.
        directory: where they keep what they keep.
        ports: a free port of this machine for each that the containers have.
        variables: what docker/.env would say.
    """

    database: Service
    redis: Service
    server: Service
    background: Service
    directory: Path
    ports: Mapping[str, str]
    variables: Mapping[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.ports['4200']}/api"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a client: `prefect` and `solverloop` in a process of their own."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        return {
            **inherited,
            **_base(self.directory / "client"),
            "PREFECT_API_URL": self.url,
            "PREFECT_API_AUTH_STRING": self.variables["PREFECT_AUTH_STRING"],
        }

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Make this process a client of the server, which leaves nothing behind for another."""
        from prefect.events.worker import EventsWorker
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

        password = self.variables["PREFECT_AUTH_STRING"]
        EventsWorker.drain_all()
        with temporary_settings({PREFECT_API_URL: self.url, PREFECT_API_AUTH_STRING: password}):
            try:
                yield
            finally:
                EventsWorker.drain_all()

    def running(self) -> list[int]:
        """Return the processes of the services that run on, and all that they started."""
        first = [
            each.process for each in (self.database, self.redis, self.server, self.background)
        ]
        return [*first, *(below for process in first for below in descendants_of(process))]

    def prefect(self, *arguments: str) -> str:
        """Run a command of Prefect's as a client, and return what it prints."""
        command = ["prefect", "--no-prompt", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def worker(self, pool: str, environment: Mapping[str, str] | None = None) -> Iterator[Service]:
        """Run a worker of a process work pool, from the root of the repository."""
        template = here(declared("train", self.variables), self.ports)
        (port,) = free_ports(1)
        service = replace_in(template, {"train": pool, self.ports["8080"]: port})
        asked = {"PREFECT_WORKER_QUERY_SECONDS": "1", **(environment or {})}
        service = replace(service, environment={**service.environment, **asked})
        directory = Path(tempfile.mkdtemp(prefix=f"worker-{pool}-", dir=self.directory))
        worker = Service(f"worker of {pool}", service, directory, _base(directory))
        try:
            worker.start()
            yield worker
        finally:
            worker.stop()


@contextmanager
def prefect_services_running() -> Iterator[PrefectServices]:
    """Run them all in a directory of their own; they end with the context, however it ends."""
    with place_for_services() as directory, running_in(directory) as services:
        yield services


@contextmanager
def place_for_services() -> Iterator[Path]:
    """Make a directory that PostgreSQL's user reaches too."""
    with tempfile.TemporaryDirectory(prefix="solverloop-services-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory


@contextmanager
def running_in(directory: Path) -> Iterator[PrefectServices]:
    """Run them all in a directory; they end with the context, however it ends."""
    with ExitStack() as stack:
        services = make_services(directory)
        prepare_database(services.database)
        for service in (services.database, services.redis, services.server, services.background):
            stack.callback(service.kill)
            service.start()
        yield services


def make_services(directory: Path) -> PrefectServices:
    """Return the services, none of them started."""
    ports = dict(zip(("5432", "6379", "4200", "8080"), free_ports(4), strict=True))
    variables = {
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
        "PREFECT_AUTH_STRING": f"operator:{secrets.token_hex(24)}",
        "PREFECT_PORT": ports["4200"],
    }

    def service(name: str, *run_as: str) -> Service:
        place = directory / name
        (place / "data").mkdir(parents=True)
        told = here(declared(name, variables), ports)
        kept = {"/var/lib/postgresql/data/prefect": f"{place}/data", "/data": f"{place}/data"}
        return Service(name, replace_in(told, kept), place, _base(place), run_as)

    return PrefectServices(
        service("database", *_as_postgres()),
        service("redis"),
        service("server"),
        service("services"),
        directory,
        ports,
        variables,
    )


def prepare_database(database: Service) -> None:
    """Do what the image of PostgreSQL does at its first start."""
    told = database.environment
    data = Path(told["PGDATA"])
    password = data.parent / "password"
    password.write_text(told["POSTGRES_PASSWORD"])
    if database.run_as:
        for place in (data.parent, data, password):
            shutil.chown(place, "postgres", "postgres")
    user, arguments = told["POSTGRES_USER"], told["POSTGRES_INITDB_ARGS"].split()
    make = ["initdb", f"--username={user}", f"--pwfile={password}", "--no-sync", *arguments]
    _run(database, make)
    password.unlink()
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
    _run(database, ["postgres", "--single", "postgres"], f"CREATE DATABASE {told['POSTGRES_DB']}")


def here(service: Declared, ports: Mapping[str, str]) -> Declared:
    """Return a service of the file with this machine's addresses."""
    environment = {k: _HOST.sub("127.0.0.1", v) for k, v in service.environment.items()}
    moved = replace(service, environment=environment)
    return replace_in(moved, {**ports, "0.0.0.0": "127.0.0.1"})  # noqa: S104 - the opposite


def replace_in(service: Declared, words: Mapping[str, str]) -> Declared:
    """Return a service with words replaced in its command, environment and health check."""
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))

    def changed(text: str) -> str:
        return pattern.sub(lambda found: words[found[0]], text)

    return replace(
        service,
        command=tuple(map(changed, service.command)),
        environment={k: changed(v) for k, v in service.environment.items()},
        health=tuple(map(changed, service.health)),
    )


def free_ports(count: int) -> tuple[str, ...]:
    """Return ports of 127.0.0.1 that nothing listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return tuple(str(one.getsockname()[1]) for one in sockets)


def _base(home: Path) -> dict[str, str]:
    """Return what an image sets: where the programs are, and where Prefect keeps its settings."""
    (home / "prefect").mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{Path(sys.executable).parent}:{_POSTGRESQL}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PREFECT_HOME": str(home / "prefect"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


def _as_postgres() -> tuple[str, ...]:
    """Return how setpriv makes a process postgres's, where this one is root's."""
    return ("--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()


def _run(database: Service, command: list[str], text: str | None = None) -> None:
    prefix = ["setpriv", *database.run_as] if database.run_as else []
    subprocess.run(
        [*prefix, *command],
        env=database.environment,
        cwd=database.directory,
        input=text,
        text=True,
        capture_output=True,
        check=True,
    )
