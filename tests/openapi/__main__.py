"""Renew what is committed of the description: ``make openapi``; says what changed."""

import os
import sys
import tempfile

import django


def main() -> int:
    """Write every page that is not as it would be generated; the exit status."""
    with tempfile.TemporaryDirectory(prefix="agentxsuite-openapi-") as folder:
        os.environ |= {"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/none.sqlite3"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "agentxsuite.project.settings"
        django.setup()
        from tests.openapi.renewal import Unclear, renew  # noqa: PLC0415 - only after set-up

        try:
            changed = renew()
        except Unclear as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write("".join(f"renewed {page}\n" for page in changed) or "nothing to renew\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
