"""Splits written in the formats of other programs: one module a format."""
