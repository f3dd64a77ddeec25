"""Who may use what, as rules bound to scopes."""
