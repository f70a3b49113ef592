"""What is computed: the analysis of Oviedo et al. (2026), as published."""
