"""The command `agentxsuite`: the client's commands, and those that run a server."""

import sys

from agentxsuite.cli.app import built
from agentxsuite.project import operating

app = built()
operating.add(app)


def main() -> None:
    """Run the command line."""
    sys.exit(app(prog_name="agentxsuite"))
