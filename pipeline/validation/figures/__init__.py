"""Figures that show how good the re-estimate is, and where it stands among others."""
