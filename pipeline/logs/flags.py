"""A doubt about a result: with one, no headline number is given unless it is accepted."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """kind: a few words that name the doubt; text: what was seen."""

    kind: str
    text: str
