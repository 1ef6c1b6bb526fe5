"""Splits and their pictures as a model sees them."""
