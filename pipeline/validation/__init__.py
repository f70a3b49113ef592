"""Predictions beside measurements and beside the estimates of others."""
