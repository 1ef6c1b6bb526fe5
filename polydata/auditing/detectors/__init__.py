"""One detector a module; ``auditing.registry`` lists them."""
