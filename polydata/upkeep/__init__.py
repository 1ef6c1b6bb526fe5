"""Workspaces as a whole: merged, and followed from end to end."""
