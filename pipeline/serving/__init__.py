"""How fast and at what power a model is served."""
