"""One file a command, by Django's convention."""
