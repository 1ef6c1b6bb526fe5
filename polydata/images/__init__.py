"""Pictures: stored by their content, shown small, and compared with one another."""
