"""Water of a query: on site and in the electricity, from the energy of the same draws."""
