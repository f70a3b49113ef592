"""From rows that people write to throughput, energy, water and carbon of a query."""
