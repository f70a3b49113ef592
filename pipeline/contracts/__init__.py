"""Table contracts: the columns, types, units and ranges of every table, written once."""

from pipeline.contracts.read import read_table, validate

__all__ = ["read_table", "validate"]
