"""The claims ledger: what was published, what comes out here, and a verdict on each number.

What can be computed again gets a verdict; what cannot, but can be held against evidence, how far that
bears it out.
"""

from pipeline.present.claims.ledger import ledger_metrics, make_ledger

__all__ = ["ledger_metrics", "make_ledger"]
