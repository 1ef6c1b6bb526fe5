"""The formats of other programs, one a module."""
