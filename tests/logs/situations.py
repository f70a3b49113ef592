"""A small service whose energy of each query is known, as tables of the two logs, to be spoilt in everyday
ways."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

START = 1_767_571_200  # 2026-01-05T00:00:00Z
PREFILL = 0.05  # output tokens that an input token costs
J_PER_TOKEN = 3.0
IDLE_W = 700.0


@dataclass(frozen=True)
class Service:
    """requests: time, end (s), node, model, input_tokens, output_tokens; power: time (s), node, watts; wh:
    mean of a query."""

    requests: pd.DataFrame
    power: pd.DataFrame
    wh: float

    @property
    def asked(self) -> pd.DataFrame:
        """The requests with times as the logs have them."""
        return stamped(self.requests)

    @property
    def drawn(self) -> pd.DataFrame:
        """The power of the whole node, with times."""
        return stamped(self.power.assign(scope="node_wall"))

    def cards(self, count: int = 8) -> pd.DataFrame:
        """Power of accelerators: their parts differ and wander, and add up to that of the node."""
        rng = np.random.default_rng(5)
        parts = rng.dirichlet(np.full(count, 200.0), len(self.power))
        tables = [
            self.power.assign(watts=self.power["watts"] * parts[:, k], scope="gpu", device=str(k))
            for k in range(count)
        ]
        return stamped(pd.concat(tables, ignore_index=True))


def stamped(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds since START as timestamps of UTC."""
    times = {
        name: pd.to_datetime(
            (START * 1_000_000 + (table[name] * 1e6).round()).astype("int64"), unit="us"
        ).astype("datetime64[us]")
        for name in ("time", "end")
        if name in table
    }
    return table.assign(**times)


def service(
    minutes: float = 8,
    a_second: float = 1.5,
    node: str = "n1",
    seed: int = 0,
    bursts: bool = False,
    costs: dict[str, float] | None = None,
    step_s: float = 1.0,
    begin_s: float = 0.0,
    stream: float = 30.0,
) -> Service:
    """Requests at random (in bursts of 60 s of 180 with `bursts`), power that follows their tokens.

    costs: models and what their tokens cost beside each other.
    """
    rng = np.random.default_rng(seed)
    costs = costs or {"m": 1.0}
    length = minutes * 60
    count = int(length * a_second)
    time = np.sort(rng.uniform(0, length - 40, count))
    if bursts:
        time = np.sort(np.floor(time / 180) * 180 + time % 180 / 3)
    output = rng.integers(60, 500, count)
    given = rng.integers(20, 2000, count)
    model = rng.choice(list(costs), count)
    end = time + output / stream + 0.1
    weight = (output + PREFILL * given) * np.array([costs[name] for name in model])
    watts = IDLE_W + J_PER_TOKEN * _rate(time, end, weight, length, step_s)
    requests = pd.DataFrame(
        {
            "time": time + begin_s,
            "end": end + begin_s,
            "node": node,
            "model": model,
            "input_tokens": given,
            "output_tokens": output,
        }
    )
    power = pd.DataFrame(
        {"time": np.arange(len(watts)) * step_s + begin_s, "node": node, "watts": watts.round(3)}
    )
    return Service(requests, power, float(watts.sum() * step_s / 3600 / count))


def _rate(time: np.ndarray, end: np.ndarray, weight: np.ndarray, length: float, step_s: float) -> np.ndarray:
    """Weight a second in each step."""
    edges = np.arange(0, length + step_s / 2, step_s)
    done = np.clip((edges[:, None] - time) / (end - time), 0, 1) @ weight
    return np.diff(done) / step_s
