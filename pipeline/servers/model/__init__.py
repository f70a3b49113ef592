"""What is computed: from accelerator power to wall power of a server."""
