"""Every call that was made, and how it ended."""
