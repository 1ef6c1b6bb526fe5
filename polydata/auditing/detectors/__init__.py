"""One detector a module; ``auditing.run`` lists them."""
