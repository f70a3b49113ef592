"""Speeds that the README states, measured as ratios in one run."""

import pipeline  # noqa: F401 - before numpy, which then takes one thread
