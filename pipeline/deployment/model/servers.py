"""Wall power of the accelerators' share of a server: busy, idle, or brought back from a measurement."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.core.draws import uniforms
from pipeline.core.units import WATTS_PER_KW
from pipeline.servers.model.power import SERVER_GPUS, SERVERS, ServerFit
from pipeline.serving.model.architecture import Array

NODE_UNIFORMS = ("fixed", "loss", "idle share", "server")


@dataclass(frozen=True)
class Servers:
    """Of each row: type of server (n,), accelerators and limits of power, W, (n, 1); uniforms (D, 4)."""

    fits: Mapping[str, ServerFit]
    types: NDArray[np.object_]
    gpus: Array
    rated_w: Array
    most_w: Array
    uniforms: Array

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        hardware: pd.DataFrame,
        fits: Mapping[str, ServerFit],
        seed: int,
        n_draws: int,
    ) -> "Servers":
        """Of rows with `gpu` (index of hardware) and `gpus`; every row has the same uniforms."""
        chips = hardware.loc[rows["gpu"]]
        gpus = rows["gpus"].to_numpy(float)[:, None]
        columns = [uniforms(seed, f"deployment/node {name}", 1, n_draws)[0] for name in NODE_UNIFORMS]
        share = gpus / chips["gpus_per_node"].to_numpy(float)[:, None]
        most_w = np.nan_to_num(
            chips["node_rated_kw"].to_numpy(float)[:, None] * WATTS_PER_KW * share, nan=np.inf
        )
        return cls(
            fits,
            chips["generation"].map(SERVERS).to_numpy(),
            gpus,
            chips["rated_w"].to_numpy(float)[:, None] * gpus,
            most_w,
            np.stack(columns, axis=-1),
        )

    def with_idle(self, gpu_w: Array, busy: Array) -> Array:
        """Mean power of accelerators, W, busy for a share of the time, (n, 1), and idle otherwise."""
        if (busy == 1).all():
            return gpu_w
        idle_w = np.empty_like(gpu_w)
        for server, mine in self._each():
            idle_w[mine] = self.fits[server].terms(self.uniforms)[2] * self.rated_w[mine]
        return busy * gpu_w + (1 - busy) * np.minimum(idle_w, gpu_w)

    def node_w(self, gpu_w: Array) -> Array:
        """Wall power, W, (n, D), at most that for which the vendor rates the server."""
        node_w = np.empty_like(gpu_w)
        for server, mine in self._each():
            node_w[mine] = self.fits[server].node_w(gpu_w[mine], self.gpus[mine], self.uniforms)
        return np.minimum(node_w, np.maximum(self.most_w, gpu_w))

    def middle_gpu_w(self, node_w: Array) -> Array:
        """Power of accelerators, W, (n,), whose server draws node_w, at the middle of what is known of it.

        At least what they draw when idle: below it something else was measured.
        """
        found = np.empty_like(node_w)
        for server, mine in self._each():
            fixed, loss, idle_share = np.exp(self.fits[server].mean)
            gpu_w = (node_w[mine] - fixed * self.gpus[mine, 0] / SERVER_GPUS) / (1 + loss)
            found[mine] = np.maximum(gpu_w, idle_share * self.rated_w[mine, 0])
        return found

    def _each(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        for server in sorted(set(self.types)):
            yield server, self.types == server
