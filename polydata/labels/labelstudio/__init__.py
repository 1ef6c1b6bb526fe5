"""Label Studio: the only part of the program that talks to a server."""
