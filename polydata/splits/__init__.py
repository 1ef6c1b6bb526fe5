"""Versioned, checksummed, leak-free splits."""
