"""A Label Studio server on this machine, for those who have none: installed, started, stopped."""
