"""What words say: references, captions, compositions, scales and polymers, read from text alone."""
