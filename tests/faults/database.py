"""PostgreSQL as an installation runs it: over TCP, with its roles, and waiting for the disk."""

import signal
import subprocess
import time

import psutil
import psycopg

from tests.faults.children import LOOK, START, die_with_parent, free_port
from tests.servers.postgres import NAME, Postgres, lay_out

OPTIONS = ("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200")


class Database(Postgres):
    """The tests' PostgreSQL with `fsync` on; `url` and `admin` are the same after a restart."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()

    @property
    def admin(self) -> str:
        """The address that sees every row: for what a scenario checks, never for a server."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{NAME}"

    def start(self) -> None:
        """Start, and return when it lets somebody in."""
        command = [self.programs / "bin/postgres", "-D", self.data, "-k", self.folder]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-p", str(self.port), *OPTIONS],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call and takes no lock
                start_new_session=True,
                **self.identity,
            )
        self._wait_until_open()

    def stop_immediately(self) -> None:
        """What `pg_ctl stop -m immediate` does: nothing is flushed, the next start recovers."""
        assert self.process, "it was not started"
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=30)
        psutil.wait_procs(family, timeout=30)

    def freeze(self) -> None:
        """Every process of it stands still: connections stay, nothing is answered."""
        for process in self._family():
            process.suspend()

    def thaw(self) -> None:
        """All of it goes on."""
        for process in self._family():
            process.resume()

    def settings(self) -> dict[str, str]:
        """Make the roles and the database; the settings that name them."""
        return lay_out(f"postgresql://postgres@127.0.0.1:{self.port}/postgres")

    def _family(self) -> list[psutil.Process]:
        """The first process and its children: once it is stopped, there are no new ones."""
        assert self.process, "it was not started"
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def _wait_until_open(self) -> None:
        deadline = time.monotonic() + START
        while True:
            try:
                psycopg.connect(self.admin.replace(f"/{NAME}", "/postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"it did not start:\n{self.log.read_text()}") from None
                time.sleep(LOOK)
            else:
                return
