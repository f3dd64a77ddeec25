"""Passwords typed at a real terminal: a pseudo-terminal with a program on the other side."""

import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.cli.conftest import PASSWORD

PROGRAM = "from agentxsuite.project.main import main; main()"
PATIENCE = 60  # seconds that a program may be silent
ENTER, CTRL_C, CTRL_D = "\r", "\x03", "\x04"
NOTHING_DONE = "stopped: nothing was done"


class Typist:
    """Somebody at a terminal, who answers what a command asks and sees what stands there."""

    def __init__(self, words: tuple[str, ...], environment: dict[str, str]) -> None:
        self.seen = ""
        self._screen, keyboard = pty.openpty()
        self._program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            env=environment,
            stdin=keyboard,
            stdout=keyboard,
            stderr=keyboard,
            start_new_session=True,
            preexec_fn=_sit_down,  # noqa: PLW1509 - it makes one system call and takes no lock
        )
        os.close(keyboard)

    def asked(self, question: str, answer: str) -> "Typist":
        """Wait for a question, which stands at the end of the screen, and answer it."""
        while not self.seen.endswith(question):
            assert self._looked(), f"{question!r} is not asked: {self.seen!r}"
        os.write(self._screen, answer.encode())
        return self

    def left(self) -> int:
        """Wait for the end of the command; returns its status."""
        while self._looked():
            pass
        os.close(self._screen)
        return self._program.wait(PATIENCE)

    def _looked(self) -> bool:
        """Whether anything more came before the end."""
        ready, *_ = select.select([self._screen], [], [], PATIENCE)
        assert ready, f"silence after {self.seen!r}"
        try:
            came = os.read(self._screen, 4096)
        except OSError:  # Linux says so when nobody has the other side any more
            return False
        self.seen += came.decode()
        return bool(came)


def _sit_down() -> None:
    """In the child: take the terminal as one's own, so that Ctrl-C on it is a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def sitting(server, tmp_path):
    """Type a command at a terminal."""
    known = {"XDG_CONFIG_HOME": str(tmp_path), "AGENTXSUITE_SERVER": server, "NO_COLOR": "1"}
    known |= {"DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "of a test, which keeps no secrets"}
    for name in ("PATH", "PYTHONPATH"):
        known[name] = os.environ.get(name, "")
    return lambda *words: Typist(words, known)


def test_a_password_is_typed_unseen(sitting, address, tmp_path):
    """Otherwise: whoever looks over a shoulder, or scrolls back, reads a password."""
    new = sitting("login", "--register", address).asked("Password: ", PASSWORD + ENTER)
    assert new.asked("Repeat for confirmation: ", PASSWORD + ENTER).left() == 0, new.seen
    again = sitting("login", address).asked("Password: ", PASSWORD + ENTER)
    assert again.left() == 0, again.seen
    wrong = sitting("login", address).asked("Password: ", "anything" + ENTER)
    assert wrong.left() == 1
    assert "(wrong_credentials)" in wrong.seen
    seen = new.seen + again.seen + wrong.seen
    assert not any(word in seen for word in (*PASSWORD.split(), "anything"))
    assert PASSWORD not in (tmp_path / "agentxsuite" / "logins.json").read_text()


def test_who_mistypes_a_new_password_types_it_again(sitting):
    """Otherwise: an account is made with a password that nobody knows."""
    typist = sitting("createuser", "ada@example.org").asked("Password: ", "first" + ENTER)
    typist.asked("Repeat for confirmation: ", "second" + ENTER).asked("Password: ", CTRL_C)
    assert typist.left() == 130
    assert "do not match" in typist.seen
    assert not any(word in typist.seen for word in ("first", "second"))


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["ctrl-c", "ctrl-d"])
@pytest.mark.parametrize("command", ["login", "createuser"])
def test_a_question_can_be_left(sitting, command, key, tmp_path):
    """Otherwise: who thinks again gets a stack trace, or a script takes it for done."""
    typist = sitting(command, "ada@example.org").asked("Password: ", key)
    assert typist.left() == 130
    assert typist.seen.split("\r\n") == ["Password: ", NOTHING_DONE, ""]
    assert not Path(tmp_path / "agentxsuite").exists()
