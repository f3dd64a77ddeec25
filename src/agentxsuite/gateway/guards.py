"""Why one change was not written while everybody else's was: the state it asked for was gone."""


class GuardFailed(Exception):
    """A condition of a change did not hold; nothing of that change was written."""


class KeyTaken(GuardFailed):
    """The idempotency key is reserved already."""


class AlreadyEnded(GuardFailed):
    """The run is not running: it has ended, or never began."""
