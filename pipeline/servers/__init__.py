"""From accelerator power to wall power of a server."""
