"""The figures of the published analysis."""
