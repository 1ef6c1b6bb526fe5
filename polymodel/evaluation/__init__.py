"""What runs are worth, beside baselines, people and one another."""
