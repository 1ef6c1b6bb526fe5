"""Measures of structure over many images, as a table and as overlays."""
