"""What can be asked of a micrograph: a label, a label in an order, a number."""
