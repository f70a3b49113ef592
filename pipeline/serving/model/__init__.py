"""Throughput, GPU power and energy of serving a language model, from architecture and measurements."""
