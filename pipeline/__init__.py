"""perquery: how much energy and water one AI query takes, as published and re-estimated."""

import os

# One thread for linear algebra (more change the last digits, and one stage took 95 s instead of 13) and a
# backend without a screen: here, so that they hold before numpy is imported, with make and with bare dvc.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["MPLBACKEND"] = "Agg"
