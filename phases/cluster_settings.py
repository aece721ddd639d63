"""The Dask cluster that solves samples: `runner.cluster` of a campaign file."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from phases.default_kind import default_kind

_FROZEN = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

_Word = Annotated[str, Field(pattern=r"^[\w.@:+-]+$")]
_Line = Annotated[str, Field(pattern=r"^[^\n\r\x00]+$")]


class LocalClusterSettings(BaseModel):
    """Worker processes on this machine, started for a step and ended after it."""

    model_config = _FROZEN

    kind: Literal["local"] = "local"
    """Which kind of cluster."""
    workers: Annotated[int, Field(ge=1, le=256)] = 2
    """How many worker processes; each solves one sample at a time."""
    oversubscribe: bool = False
    """Solve more samples at once than the machine has cores for their MPI ranks."""


class SchedulerSettings(BaseModel):
    """A Dask cluster that somebody else starts and ends, by the address of its scheduler."""

    model_config = _FROZEN

    kind: Literal["scheduler"]
    """Which kind of cluster."""
    address: Annotated[str, Field(pattern=r"^(tcp|tls)://\S+:\d+$")]
    """Address of the scheduler, such as `tls://login1:8786`."""
    at_once: Annotated[int, Field(ge=1, le=1000)] = 64
    """How many samples are handed to the scheduler at once; its workers take them as they can."""


class JobCounts(BaseModel):
    """How many jobs of a batch system there are."""

    model_config = _FROZEN

    least: Annotated[int, Field(ge=0)] = 0
    """So many stay even where fewer samples wait."""
    most: Annotated[int, Field(ge=1, le=1000)] = 1
    """So many at most, however many samples wait."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least is {self.least} and most is {self.most}; swap them")
        return self


class BatchSettings(BaseModel):
    """Jobs of a batch system, one Dask worker in each; a job ends when no sample waits for it."""

    model_config = _FROZEN

    kind: Literal["slurm", "pbs"]
    """Which batch system."""
    cores: Annotated[int, Field(ge=1)]
    """Cores of a job, all on one node. It solves as many samples at once as have room in them."""
    memory_gib: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Memory of a job, in GiB."""
    walltime: Annotated[str, Field(pattern=r"^(\d+-)?\d+:\d\d:\d\d$")] = "01:00:00"
    """How long a job may run: longer than a sample by far. HH:MM:SS, days first where needed."""
    jobs: JobCounts = JobCounts()
    """How many jobs: `least` and `most`."""
    queue: _Word | None = None
    """The queue; Slurm calls it a partition."""
    account: _Word | None = None
    """Whose account pays."""
    interface: _Word | None = None
    """The network that the jobs reach this machine by, such as `ib0`."""
    directives: tuple[_Line, ...] = ()
    """More options for the batch system, such as `--constraint=skylake`, one an entry."""
    prologue: tuple[_Line, ...] = ()
    """Lines of shell that each job runs first, such as `source /opt/openfoam/etc/bashrc`."""


ClusterSettings = Annotated[
    LocalClusterSettings | SchedulerSettings | BatchSettings,
    Field(discriminator="kind"),
    default_kind("local"),
]
