"""A measured configuration keeps to its own rows: the residual over ln batch, as a small Gaussian process.

    r(B) ~ GP(0, s_c^2 + s_b^2 exp(-(ln B - ln B')^2 / (2 l^2))) + noise

The kernels are fitted to errors of leaving one cell out. The correction of a step is added in seconds: a step
that is 5 ms longer than modelled at chat lengths is 5 ms longer at any length, because what chat rows miss is
overhead, not reads of the cache.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.fit.serving.architecture import Array


@dataclass(frozen=True)
class Kernel:
    """Standard deviations, ln, and length scale in ln batch."""

    constant_sd: float
    local_sd: float
    length: float
    noise_sd: float

    def __call__(self, a: Array, b: Array) -> Array:
        """Covariance between ln batches a (n,) and b (m,), (n, m)."""
        near = np.exp(-0.5 * ((a[:, None] - b[None, :]) / self.length) ** 2)
        return self.constant_sd**2 + self.local_sd**2 * near


STEP_KERNEL = Kernel(0.15, 0.15, 0.8, 0.04)
POWER_KERNEL = Kernel(0.12, 0.08, 1.2, 0.02)


def smooth(log_batch: Array, residual: Array, at: Array, kernel: Kernel) -> tuple[Array, Array]:
    """Posterior mean and sd of the residual at ln batches `at`, both (m,), from n measured ones."""
    gram = kernel(log_batch, log_batch) + kernel.noise_sd**2 * np.eye(len(log_batch))
    cross = kernel(at, log_batch)
    solved = np.linalg.solve(gram, np.column_stack([residual, cross.T]))
    variance = kernel.constant_sd**2 + kernel.local_sd**2 - np.einsum("ij,ji->i", cross, solved[:, 1:])
    return cross @ solved[:, 0], np.sqrt(np.maximum(variance, 0) + kernel.noise_sd**2)
