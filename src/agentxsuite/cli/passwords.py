"""Secrets that a person types or pipes in: never words of the command, which others can list."""

import sys

import typer

from agentxsuite.cli.failures import Misused


def ask(prompt: str, *, twice: bool = False) -> str:
    """Return a secret, hidden while typed, or the first line of what is piped in."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
        return answer
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise Misused(f"{prompt}: expected on standard input, as there is no terminal")
    return secret
