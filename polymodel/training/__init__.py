"""Training: every recipe, over every fold and seed of a split."""
