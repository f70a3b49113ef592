"""Constants that turn one unit into another, named from what to what; and what arrays are of."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MINUTES_PER_HOUR = 60.0
SECONDS_PER_HOUR = 3600.0
HOURS_PER_DAY = 24.0
SECONDS_PER_DAY = HOURS_PER_DAY * SECONDS_PER_HOUR
DAYS_PER_YEAR = 365.0
JOULES_PER_WH = 3600.0
JOULES_PER_KWH = 1000.0 * JOULES_PER_WH
WATTS_PER_KW = 1000.0
WATTS_PER_MW = 1e6
WH_PER_GWH = 1e9
MW_PER_GW = 1000.0
ML_PER_L = 1000.0
ML_PER_MEGALITRE = 1e6 * ML_PER_L
ML_PER_US_GALLON = 3785.411784
ML_PER_US_TEASPOON = ML_PER_US_GALLON / 768
MM_PER_INCH = 25.4
TOKENS_PER_1000 = 1000.0
QUANTITIES = ["input_tokens", "output_tokens"]  # of a request, in tokens
Z95 = 1.645  # of a normal distribution, as the published analysis rounds it
