"""Scales: read from captions and from the bars that are printed into micrographs."""
