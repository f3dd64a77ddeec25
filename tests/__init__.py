"""Tests: every one of them begins with what a user loses when it fails."""
