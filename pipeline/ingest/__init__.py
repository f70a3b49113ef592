"""Upstream files and hand-made tables, read and validated into tidy tables."""
