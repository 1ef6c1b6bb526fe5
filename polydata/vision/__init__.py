"""What pixels say: measures, kinds, techniques, print and scale bars, read from arrays alone."""
