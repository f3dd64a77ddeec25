"""Check the house rules of this checkout: ``python -m tests.house``; status 1 on any finding."""

import sys
from pathlib import Path

from tests.house import addresses, migrations, papers, reasons, sizes
from tests.house.tree import Tree

RULES = (
    sizes.files,
    sizes.functions,
    sizes.arguments,
    sizes.complexity,
    reasons.suppressions,
    reasons.catch_alls,
    reasons.open_ends,
    addresses.registries,
    addresses.machine_paths,
    addresses.lock,
    papers.settings,
    papers.story,
    papers.links,
    migrations.packages,
    migrations.missing,
)


def main() -> int:
    """Print every finding, then how long things are; the exit status."""
    tree = Tree.of_checkout(Path(__file__).parents[2])
    findings = [finding for rule in RULES for finding in rule(tree)]
    lines = (*findings, sizes.medians(tree), f"house: {len(findings)} findings")
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
