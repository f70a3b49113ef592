"""What is believed of servers before their measurements are taken in."""

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from pipeline.core.assumption import Assumption, Fraction, Ratio, Requests, Section


class Watts(Assumption):
    """A power in W."""

    unit: Literal["W"]


class ServerPower(Section):
    """What is believed of a server before its measurements are taken in.

    Wall power = fixed_w * g / 8 + (1 + loss) * GPU power, for g GPUs of a server with eight.
    """

    fixed_w: Watts
    loss: Fraction
    gpu_idle_share: Fraction
    gpu_training_share: Fraction
    gpu_training_peak_share: Fraction
    processor_share: Fraction  # of fixed_w
    server_spread: Ratio
    engine_spread: Ratio
    training_spread: Ratio
    idle_spread: Ratio
    saturated_requests: Requests
    saturated_share: Fraction


class Servers(Section):
    """By measured type of server; the others state what they have otherwise than `LIKE`."""

    LIKE: ClassVar[str] = "H100"

    A100: ServerPower
    H100: ServerPower
    B200: ServerPower

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, data: Any) -> Any:
        whole = data.get(cls.LIKE) if isinstance(data, dict) else None
        if not isinstance(whole, dict):
            return data
        return {name: whole | item if isinstance(item, dict) else item for name, item in data.items()}

    def __getitem__(self, gpu: str) -> ServerPower:
        found: ServerPower = getattr(self, gpu)
        return found


SETTINGS = Servers
