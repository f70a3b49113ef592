"""One text for each row from several columns, by which rows are grouped."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def joined(*parts: pd.Series) -> NDArray[np.object_]:
    """One text a row from several columns, (n,)."""
    texts = zip(*(part.astype(object).tolist() for part in parts), strict=True)
    return np.array(["|".join(map(str, row)) for row in texts], dtype=object)
