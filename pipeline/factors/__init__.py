"""Factors for calculators."""
