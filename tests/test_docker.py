"""docker/: what can be known of the files without a container engine.

tests/test_services.py runs the services of compose.yaml; here are the rules that they keep.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import dockerfile
import prefect.settings
import pytest
from compose_file import COMPOSE, ROOT, VARIABLE, read
from prefect_redis.cleanup_queue import RedisWorkerCleanupQueueSettings
from prefect_redis.client import RedisMessagingSettings

SERVICES = read()["services"]
WORKERS = ("train", "solve")
EXAMPLE = ROOT / "docker" / ".env.example"

each_service = pytest.mark.parametrize("name", SERVICES)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def example() -> dict[str, str]:
    """Return the variables of .env.example."""
    lines = EXAMPLE.read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def test_the_services_are_those_that_the_documentation_names() -> None:
    assert set(SERVICES) == {"database", "redis", "server", "services", *WORKERS}


@each_service
def test_an_image_is_pinned_to_a_whole_version(name: str) -> None:
    assert re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", SERVICES[name]["image"])


def test_the_images_that_are_built_have_the_version_of_the_package() -> None:
    built = {SERVICES[name]["image"] for name in SERVICES if "build" in SERVICES[name]}
    assert {image.split(":")[1] for image in built} == {project()["project"]["version"]}


@each_service
def test_a_service_has_a_health_check_that_ends_in_time(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert set(check) == {"test", "interval", "timeout", "retries", "start_period"}
    assert int(check["timeout"].rstrip("s")) <= int(check["interval"].rstrip("s"))


@each_service
def test_a_service_is_restarted_and_its_log_is_bounded(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


@each_service
def test_a_service_has_no_rights_of_root(name: str) -> None:
    service = SERVICES[name]
    user = service.get("user") or dockerfile.last_of("USER", service["build"]["target"])
    assert user not in {"root", "0"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_the_server_has_a_port_and_only_on_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"server": ["127.0.0.1:${PREFECT_PORT:-4200}:4200"]}


@each_service
def test_what_a_service_needs_must_be_well_before_it_starts(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert needed in SERVICES


@each_service
def test_no_secret_is_written_in_the_file_and_one_that_is_missing_is_an_error(name: str) -> None:
    secret = re.compile("PASSWORD|AUTH_STRING|REDIS.*URL|DOCKET_URL")
    for key, value in SERVICES[name]["environment"].items():
        if secret.search(key):
            assert re.search(r"\$\{\w+:\?set it in docker/.env\}", value), key
            assert not re.search(r"//:\w", value), key


@each_service
def test_no_secret_is_an_argument_which_a_list_of_processes_would_show(name: str) -> None:
    told = [*SERVICES[name]["command"], *SERVICES[name]["healthcheck"]["test"]]
    assert not any("${" in argument for argument in told)


def test_every_variable_is_in_the_example_and_no_other() -> None:
    used = {found["name"] for found in VARIABLE.finditer(COMPOSE.read_text()) if found["name"]}
    assert set(example()) == used


def test_the_example_has_no_secret_that_somebody_could_leave_as_it_is() -> None:
    assert {name for name, value in example().items() if value} == {"PREFECT_PORT"}


def test_git_never_takes_the_file_with_the_secrets() -> None:
    asked = ["git", "check-ignore", "--quiet", "docker/.env"]
    assert subprocess.run(asked, cwd=ROOT, check=False).returncode == 0


@each_service
def test_every_setting_is_one_that_prefect_knows(name: str) -> None:
    names = [key for key in SERVICES[name]["environment"] if key.startswith("PREFECT_")]
    for key in names:
        if key not in settings_of_redis():
            getattr(prefect.settings, key)  # an AttributeError where there is none


def settings_of_redis() -> set[str]:
    messaging = RedisMessagingSettings.model_fields
    cleanup = RedisWorkerCleanupQueueSettings.model_fields
    return {f"PREFECT_REDIS_MESSAGING_{name.upper()}" for name in messaging} | {
        f"PREFECT_REDIS_WORKER_CLEANUP_QUEUE_{name.upper()}" for name in cleanup
    }


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_knows_nothing_of_the_database_and_redis(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert not any("POSTGRES" in value or "REDIS" in value for value in environment.values())
    assert "PREFECT_SERVER_API_AUTH_STRING" not in environment


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_serves_the_pool_of_its_name_and_sees_the_campaigns(name: str) -> None:
    command = " ".join(SERVICES[name]["command"])
    assert f"--pool {name} --type process" in command
    assert "campaigns:/srv/solverloop/campaigns" in SERVICES[name]["volumes"]


def test_every_volume_is_declared_and_used() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", ())]
    assert {mount.split(":")[0] for mount in mounts} == set(read()["volumes"])


def test_compose_itself_takes_the_file(tmp_path: Path) -> None:
    if not _has_compose():
        pytest.skip("the docker client here has no compose; the file is read by PyYAML")
    filled = tmp_path / "env"
    filled.write_text("\n".join(f"{name}={value or 'a:b'}" for name, value in example().items()))
    told = ["docker", "compose", "--env-file", str(filled), "--file", str(COMPOSE), "config"]
    done = subprocess.run([*told, "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    asked = ["docker", "compose", "version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def test_the_base_image_is_pinned_and_of_a_python_that_is_tested() -> None:
    base = next(one.rest for one in dockerfile.all_of("ARG") if one.rest.startswith("BASE="))
    found = re.fullmatch(r"BASE=python:3\.(\d+)\.\d+-slim-bookworm", base)
    assert found is not None
    assert f"Programming Language :: Python :: 3.{found[1]}" in project()["project"]["classifiers"]


def test_a_stage_begins_at_the_base_or_at_a_stage_before() -> None:
    begins = [one.rest.split(" AS ")[0] for one in dockerfile.all_of("FROM")]
    assert begins == ["${BASE}", "${BASE}", "flows"]


def test_the_targets_of_compose_are_stages() -> None:
    built = [service["build"] for service in SERVICES.values() if "build" in service]
    assert all((COMPOSE.parent / each["context"] / each["dockerfile"]).is_file() for each in built)
    stages = {one.stage for one in dockerfile.all_of("FROM")}
    assert {each["target"] for each in built} == stages - {"packages"}


def test_a_package_of_debian_is_pinned_without_recommendations_and_lists_are_removed() -> None:
    installs = [c for c in dockerfile.commands() if c[:2] == ["apt-get", "install"]]
    assert len(installs) == 2
    for command in installs:
        assert "--no-install-recommends" in command
        assert all("=" in word for word in command[2:] if not word.startswith("--"))
    assert sum(c[:2] == ["rm", "-rf"] for c in dockerfile.commands()) == len(installs)


def test_a_package_of_python_is_one_of_the_tested_set() -> None:
    installs = [c for c in dockerfile.commands() if c[:2] == ["pip", "install"]]
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in " ".join(command) for command in installs)


def test_nothing_is_added_from_elsewhere_and_no_directory_is_left_by_cd() -> None:
    assert not dockerfile.all_of("ADD")
    assert not any(command[0] in {"cd", "sudo", "curl"} for command in dockerfile.commands())


def test_what_is_copied_is_there_and_not_ignored() -> None:
    ignore = (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    local = [one.rest for one in dockerfile.all_of("COPY") if "--from=" not in one.rest]
    sources = {source for rest in local for source in rest.split()[:-1]}
    assert all((ROOT / source).exists() for source in sources)
    assert sources | {"examples"} == let_in
    assert ignore[1] == "*"


def test_every_room_is_copied() -> None:
    rooms = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = {one.rest.split()[0] for one in dockerfile.all_of("COPY")}
    assert set(rooms) <= copied


def test_no_secret_and_no_campaign_goes_into_an_image() -> None:
    ignore = (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    for kept_out in ("docker/.env", "campaigns/channel", ".git/config", "tests/conftest.py"):
        assert not any(fnmatch(kept_out, f"{each}*") for each in let_in)


def test_an_init_process_is_first_in_the_container_so_that_dead_ranks_are_reaped() -> None:
    assert dockerfile.last_of("ENTRYPOINT", "flows") == '["tini", "--"]'


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["flows", pytest.param("openfoam", marks=pytest.mark.openfoam)])
def test_the_smoke_test_that_ends_a_stage_passes(stage: str, tmp_path: Path) -> None:
    smoke = re.sub(r"--mount=\S+ ", "", dockerfile.last_of("RUN", stage))
    assert "solverloop doctor examples/" in smoke
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PREFECT_HOME": str(tmp_path),
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(tmp_path / "ui"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["sh", "-c", smoke], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
