"""Speeds that the README states, measured as ratios in one run."""
