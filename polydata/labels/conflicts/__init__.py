"""Disagreements about labels, found and shown: between file names, records, texts, people, models and pictures."""
