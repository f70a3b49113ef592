"""A fleet over a day, routing between models, and where the fleet stands."""
