"""The few scopes that clients may ask for: actions of policies, which decide what comes of them."""

from typing import Any, Final

from oauth2_provider.scopes import BaseScopes

SCOPES: Final = {
    "tool.invoke": "Call tools",
    "resource.read": "Read resources",
    "prompt.get": "Use prompts",
}


def scope_words() -> list[str]:
    """Return all scopes, in a steady order."""
    return list(SCOPES)


class Scopes(BaseScopes):  # type: ignore[misc]  # the toolkit has no types
    """What the toolkit asks: a client has its own scopes, and gets all of them by default."""

    def get_all_scopes(self) -> dict[str, str]:
        """Return every scope with what it means."""
        return dict(SCOPES)

    def get_available_scopes(self, application: Any = None, *_: Any, **__: Any) -> list[str]:
        """Return the scopes that a client may ask for."""
        return scope_words() if application is None else list(application.scopes)

    def get_default_scopes(self, application: Any = None, *_: Any, **__: Any) -> list[str]:
        """Return the scopes of a client that asks for none in particular."""
        return self.get_available_scopes(application)
