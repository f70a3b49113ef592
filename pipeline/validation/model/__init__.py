"""What is computed: predictions beside measurements and beside the estimates of others."""
