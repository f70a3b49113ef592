"""The journal's page: what size figures and their text have, and their colours."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.core.assumption import Section

Width = Literal["single", "middle", "double"]
Millimetres = Annotated[float, Field(gt=0, le=2000)]
Points = Annotated[float, Field(gt=0, le=100)]
Colour = Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]


class ColumnWidths(Section):
    """Widths that a figure may have, in mm."""

    single: Millimetres
    middle: Millimetres
    double: Millimetres


class Meanings(Section):
    """Colours that say where a number comes from."""

    as_published: Colour
    re_estimated: Colour
    measured: Colour
    modelled: Colour


class Colours(Section):
    """The palette: where a number comes from, and which model it is of."""

    meaning: Meanings
    models: dict[str, Colour]  # of the published analysis, which stand without names in some figures
    named_models: dict[str, Colour]  # of figures that name each curve beside it: nearer to each other


class Figures(Section):
    """A journal profile: every figure is checked against it when it is saved."""

    column_widths_mm: ColumnWidths
    max_height_mm: Millimetres
    min_font_pt: Points
    max_font_pt: Points
    png_dpi: Annotated[int, Field(ge=72, le=1200, strict=True)]
    tiff_dpi: Annotated[int, Field(ge=72, le=2400, strict=True)]  # of exported line art
    colours: Colours

    @model_validator(mode="after")
    def _ordered(self) -> "Figures":
        if self.min_font_pt > self.max_font_pt:
            raise ValueError(f"min_font_pt {self.min_font_pt} is above max_font_pt {self.max_font_pt}")
        return self

    def width_mm(self, width: Width) -> float:
        """The width in mm of a column name."""
        return float(getattr(self.column_widths_mm, width))


SETTINGS = Figures
