"""Fleets: from the cost of a model call to a day of all queries, routing, and the sites that serve them."""
