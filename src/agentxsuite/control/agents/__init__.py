"""Agents, their service accounts, and the tokens issued to them."""
