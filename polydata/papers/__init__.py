"""Papers beside their figures: resolved at Crossref, licensed, removed."""
