"""perquery: how much energy and water one AI query takes, as published and re-estimated."""
