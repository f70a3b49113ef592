"""How many tokens queries have: fits to traffic, and scenarios drawn from them."""
