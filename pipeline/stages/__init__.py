"""Entry points of the DVC stages: load inputs, call one pure function, save outputs."""
