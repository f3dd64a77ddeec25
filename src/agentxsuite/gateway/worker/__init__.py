"""One process that runs tools: its lease, its rounds, and what it does for the runs of others."""
