"""The claims ledger: what was published, what comes out here, and a verdict on each number."""

from pipeline.present.claims.ledger import make_ledger

__all__ = ["make_ledger"]
