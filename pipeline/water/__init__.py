"""Water of a query, on site and in its electricity."""
