"""The settings of params.yaml as the plain numbers that the expressions take."""

from dataclasses import dataclass

from pipeline.assumptions.logs import Logs
from pipeline.logs.weights import TokenWeights, read_weights

MICROSECONDS_PER_SECOND = 1_000_000
US_PER_HOUR = 3600 * MICROSECONDS_PER_SECOND
UJ_PER_WH = 3600 * 1_000_000
UNITS_PER_TOKEN = 100_000  # token weights are whole, so that sums do not depend on their order


@dataclass(frozen=True)
class Settings:
    """Numbers of the accounting; see params.yaml, section `logs`, for where they come from."""

    window_seconds: int
    sample_seconds: float
    minimum_coverage: float
    maximum_share_of_wrong_units: float
    plausible_watts_min: float
    plausible_watts_max: float
    gpu_to_node: float
    pue: float
    wue_l_per_kwh: float
    electricity_l_per_kwh: float
    weights: TokenWeights

    @classmethod
    def of(cls, logs: Logs, weights: TokenWeights | None = None) -> "Settings":
        """The numbers of a validated section of params.yaml, and the weights of tokens that it asks for."""
        return cls(
            window_seconds=logs.window_seconds,
            sample_seconds=logs.sample_seconds,
            minimum_coverage=logs.minimum_coverage,
            maximum_share_of_wrong_units=logs.maximum_share_of_wrong_units,
            plausible_watts_min=logs.plausible_watts_min.distribution.median(),
            plausible_watts_max=logs.plausible_watts_max.distribution.median(),
            gpu_to_node=logs.gpu_to_node.distribution.median(),
            pue=logs.pue.distribution.median(),
            wue_l_per_kwh=logs.wue_l_per_kwh.distribution.median(),
            electricity_l_per_kwh=logs.electricity_l_per_kwh.distribution.median(),
            weights=weights or read_weights(logs),
        )

    @property
    def window_us(self) -> int:
        """Length of a window, microseconds."""
        return self.window_seconds * MICROSECONDS_PER_SECOND

    @property
    def samples_per_window(self) -> float:
        """Samples of one meter in a window without gaps."""
        return self.window_seconds / self.sample_seconds
