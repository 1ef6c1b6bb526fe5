"""Panels: where a figure is cut, the letters in it, and the pictures as they are stored."""
