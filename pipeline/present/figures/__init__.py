"""The figures, in groups: each group is a package with its tables, its drawing functions and its list."""
