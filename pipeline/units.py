"""Constants that turn one unit into another; names say from what to what."""

SECONDS_PER_HOUR = 3600.0
JOULES_PER_WH = 3600.0
WATTS_PER_KW = 1000.0
WH_PER_GWH = 1e9
ML_PER_L = 1000.0
ML_PER_US_GALLON = 3785.411784
ML_PER_US_TEASPOON = ML_PER_US_GALLON / 768
MM_PER_INCH = 25.4
