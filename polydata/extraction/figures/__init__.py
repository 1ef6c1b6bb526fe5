"""Figures: captions, the objects of a page, and which belongs to which."""
