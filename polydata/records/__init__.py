"""Records: what users bring about their samples, and how it is joined to papers and panels."""
