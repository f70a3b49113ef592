"""Token counts as APIs report them."""

import math
import reprlib
from collections.abc import Mapping
from typing import Any

READ = ("input_tokens", "prompt_tokens")
NESTED = 3  # responses within what wraps them


def tokens_of(usage: Any) -> tuple[float, float, float]:
    """Input, cached input and output tokens of a usage object of an API, or of a mapping like it.

    OpenAI and what is compatible (LiteLLM, DeepSeek) count cached tokens among the input; Anthropic, which
    has no `prompt_tokens`, counts them apart.
    """

    def get(item: Any, *names: str) -> Any:
        for name in names:
            value = item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)
            if value is not None:
                return value
        return None

    for _ in range(NESTED):
        if get(usage, *READ) is None and get(usage, "usage") is not None:
            usage = get(usage, "usage")
    read, answer = get(usage, *READ), get(usage, "output_tokens", "completion_tokens")
    if read is None:
        raise ValueError(f"usage {reprlib.repr(usage)[:60]}, expected prompt_tokens or input_tokens")
    apart, written = (get(usage, f"cache_{name}_input_tokens") for name in ("read", "creation"))
    if get(usage, "prompt_tokens") is None and (apart, written) != (None, None):
        among = number(apart or 0)
        return number(read) + among + number(written or 0), among, number(answer or 0)
    details = get(usage, "input_tokens_details", "prompt_tokens_details")
    cached = get(details, "cached_tokens") or get(usage, "prompt_cache_hit_tokens") or apart or 0
    return number(read), number(cached), number(answer or 0)


def number(value: Any) -> float:
    """Of tokens; raises ValueError."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    except OverflowError:
        found, value = math.inf, "more than 1e308"
    if not 0 <= found <= 1e8:
        raise ValueError(f"{str(value)[:60]!r} tokens, expected a number from 0 to 100,000,000")
    return found
