"""How much a model learns from how many papers."""
