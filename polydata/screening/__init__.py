"""Screening: which images are micrographs, on which scale, and pages to look them through."""
