"""Tidy tables to statistical models: coefficients, covariances, residual spread."""
