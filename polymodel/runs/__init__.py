"""Run folders: their parts, environment and model card."""
