"""Every way a command ends badly; each is one exit status.

Failure
├── Refused       1   the server answered, and said no; `document` is its problem (RFC 9457)
├── Misused       2   what was typed cannot be meant; nothing was asked of the server
├── NotLoggedIn   3   there is no login for this server, or not any more
└── Unreachable   4   nobody answers there, or somebody who is no AgentxSuite server
"""

from typing import ClassVar

from agentxsuite.wire import JSON


class Failure(Exception):
    """A command that is not done; `detail` is one sentence, `hint` what to do about it."""

    status: ClassVar[int] = 1

    def __init__(self, code: str, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.hint = hint

    @property
    def document(self) -> dict[str, JSON]:
        """What `--json` prints."""
        return {"code": self.code, "detail": self.detail}


class Refused(Failure):
    """The server said no."""

    def __init__(self, problem: dict[str, JSON], hint: str = "") -> None:
        super().__init__(str(problem["code"]), str(problem.get("detail", "")), hint)
        self._problem = problem

    @property
    def document(self) -> dict[str, JSON]:
        """The server's own problem document."""
        return self._problem


class Misused(Failure):
    """What was typed cannot be meant."""

    status = 2

    def __init__(self, detail: str, hint: str = "", code: str = "usage") -> None:
        super().__init__(code, detail, hint)


class NotLoggedIn(Failure):
    """There is no login, or not any more."""

    status = 3

    def __init__(self, detail: str, server: str) -> None:
        hint = f"agentxsuite login --server {server} EMAIL"
        super().__init__("not_logged_in", detail, hint)


class Unreachable(Failure):
    """Nobody answers there, or not as an AgentxSuite server does."""

    status = 4

    def __init__(self, detail: str, hint: str = "", code: str = "unreachable") -> None:
        super().__init__(code, detail, hint)
