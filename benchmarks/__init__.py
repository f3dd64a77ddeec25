"""Figures of the governed path, measured beside a bare proxy and the upstream itself."""
