"""What leaves the workspace: figures and panels as lists, splits in the formats of other programs, a gallery."""
