"""Where samples are solved: the `runner` section of a campaign file."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from phases.cluster_settings import ClusterSettings, LocalClusterSettings
from phases.default_kind import default_kind

_FROZEN = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ThreadsSettings(BaseModel):
    """Samples are solved on this machine, `label.workers` at once."""

    model_config = _FROZEN

    kind: Literal["threads"] = "threads"
    """Which kind of runner."""
    oversubscribe: bool = False
    """Solve more samples at once than the machine has cores for their MPI ranks."""


class DeploymentSettings(BaseModel):
    """Each sample is a flow run of its own on a work pool, with its own Retry, Cancel and logs.

    The work pool's concurrency limit says how many are solved at once.
    """

    model_config = _FROZEN

    kind: Literal["deployment"]
    """Which kind of runner."""
    deployment: Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")] = "solve-sample/solve-sample"
    """The deployment that solves a sample, as FLOW/DEPLOYMENT; `solverloop deploy` makes it."""


class DaskSettings(BaseModel):
    """Samples are solved by the workers of a Dask cluster, on machines that see the campaign.

    It needs `pip install 'solverloop[dask]'`.
    """

    model_config = _FROZEN

    kind: Literal["dask"]
    """Which kind of runner."""
    cluster: ClusterSettings = LocalClusterSettings()
    """The cluster: on this machine, one that runs already, or jobs of Slurm or PBS."""


RunnerSettings = Annotated[
    ThreadsSettings | DeploymentSettings | DaskSettings,
    Field(discriminator="kind"),
    default_kind("threads"),
]
