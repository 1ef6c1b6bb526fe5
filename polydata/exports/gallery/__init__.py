"""A gallery of images as a folder of static files, to be opened in a browser without a server."""
