"""Secrets that go in and never come out."""
