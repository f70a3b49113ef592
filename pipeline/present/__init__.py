"""Summaries to figures, tables, the claims ledger, notebooks and the paper."""
