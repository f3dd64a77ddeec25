"""Engines: one per step of the story of a call. Django-free; none knows another."""
