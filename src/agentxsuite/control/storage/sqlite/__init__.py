"""Django's SQLite with one write lock for the whole process, shared with the ledger."""
