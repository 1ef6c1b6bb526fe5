"""Labels: suggestions from words, reviews, and how they are resolved."""
