"""Requests nobody would write by hand, to a real server; each answer must be as described."""
