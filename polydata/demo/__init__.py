"""A corpus with known answers, made by the project itself: simulated micrographs in composed papers."""
