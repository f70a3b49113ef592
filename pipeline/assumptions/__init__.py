"""The assumptions of params.yaml, typed and validated; nothing else in the pipeline reads that file."""

from pipeline.assumptions.load import load

__all__ = ["load"]
