"""Figures of the re-estimate: beside the published one, where its spread and its change come from."""
