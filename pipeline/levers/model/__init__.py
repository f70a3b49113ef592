"""What each lever gains, on what evidence, and what they gain together."""
