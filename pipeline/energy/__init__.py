"""Energy of a query, re-estimated: samples, costs, what is drawn and what it rests on."""
