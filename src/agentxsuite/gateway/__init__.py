"""Data plane: the story of one call."""
