"""A heat sink: a whole number of fins, of a sheet and a material to choose (heat-sink.yaml).

[Incropera] F. P. Incropera and D. P. DeWitt, Fundamentals of heat and mass transfer, 3.6.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pools.sample import Sample
from pools.solution import Mesh, Quantity, Solution

WIDTH = 0.06  # m, of the base
BASE = 60.0  # K above the air
CONVECTION = 40.0  # W/(m2 K), where the gap is wide
BOUNDARY_LAYER = 0.003  # m
MATERIALS = {1: ("aluminium", 200.0, 2700.0), 2: ("copper", 390.0, 8960.0)}  # W/(m K), kg/m3


@dataclass(frozen=True)
class HeatSink:
    """Straight fins side by side on a base, per metre of depth; too close, they choke the air."""

    @property
    def fingerprint(self) -> str:
        return "heat sink/1"

    @property
    def parameters(self) -> Mapping[str, str]:
        return {"fins": "1", "thickness": "m", "length": "m", "material": "1"}

    @property
    def quantities(self) -> Mapping[str, str]:
        return {"heat": "W/m", "mass": "kg/m"}

    @property
    def fields(self) -> Mapping[str, str]:
        return {}

    def mesh(self, sample: Sample) -> Mesh:  # noqa: ARG002 - it has no fields
        return Mesh.of_point()

    def solve(
        self,
        sample: Sample,
        directory: Path,  # noqa: ARG002 - it writes nothing
        *,
        initial: Solution | None = None,  # noqa: ARG002 - it needs none
    ) -> Solution:
        """Add up the heat of the fins [Incropera] and of the base between them."""
        values = sample.parameters
        fins, material = int(values["fins"]), int(values["material"])
        thickness, length = values["thickness"], values["length"]
        name, conductivity, density = MATERIALS[material]
        gap = WIDTH / fins - thickness
        convection = CONVECTION * -math.expm1(-gap / BOUNDARY_LAYER)
        decay = math.sqrt(2 * convection / (conductivity * thickness))  # 1/m
        each = conductivity * thickness * decay * BASE * math.tanh(decay * length)
        heat = fins * (each + convection * gap * BASE)
        mass = fins * thickness * length * density
        return Solution(
            sample=sample,
            mesh=self.mesh(sample),
            fields={},
            quantities={"heat": Quantity(heat, "W/m"), "mass": Quantity(mass, "kg/m")},
            provenance={"solver": self.fingerprint, "material": name},
        )
