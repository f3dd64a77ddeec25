"""Faults made on purpose, under load: what is promised for a crash, shown with real processes."""
