"""The operator's command templates: the only programs that a connection may start."""

import json
import os
import shutil
from pathlib import Path

from demo.children import script
from demo.folder import Folder


def write_templates(folder: Folder) -> None:
    """Write the file; ``json`` writes strings as TOML reads them."""
    lines = [
        "[time]",
        f"command = {json.dumps([script('mcp-server-time'), '--local-timezone=UTC'])}",
        "",
        "[git]",
        f"command = {json.dumps([script('mcp-server-git'), '--repository={repository}'])}",
        f"env = {{ PATH = {json.dumps(where_git_is())} }}",
        "[git.parameters.repository]",
        'type = "path"',
        f"under = {json.dumps(str(folder.repositories))}",
    ]
    folder.templates.write_text("\n".join(lines) + "\n")


def where_git_is() -> str:
    """A search path with git on it: a server inherits nothing of the reader's environment."""
    found = shutil.which("git") or "/usr/bin/git"
    return os.pathsep.join([str(Path(found).parent), "/usr/bin", "/bin"])
