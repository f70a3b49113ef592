"""What every topic uses: reading and contracts, distributions, draws by name, settings, errors, units."""
