"""The catalogue: the only package that knows DuckDB and holds SQL."""
