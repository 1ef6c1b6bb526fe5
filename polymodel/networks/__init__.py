"""Networks, their weights, and the features they give."""
