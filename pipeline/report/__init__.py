"""The grammar of figures, tables, numbers and claims that all topics share."""

from pathlib import Path

FONT, FONTS = "Roboto", Path(__file__).parent / "fonts"  # so that text does not depend on the machine
