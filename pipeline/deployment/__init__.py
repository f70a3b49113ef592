"""What one deployment takes and gives: the tool behind `python -m pipeline.predict`."""
