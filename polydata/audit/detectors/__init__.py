"""One detector a module; ``audit.registry`` lists them."""
