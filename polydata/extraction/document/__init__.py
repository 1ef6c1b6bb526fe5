"""A PDF as pages: opened within limits, its text in lines, what it says of itself."""
