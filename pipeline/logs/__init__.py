"""Energy, water and idle energy per query from a log of requests and a log of power, at any size.

One set of Ibis expressions, run embedded (DuckDB) or on a cluster (Spark): `python -m pipeline.logs
--help`.
"""
