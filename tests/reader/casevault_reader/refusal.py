"""The one exception with which the reader refuses bytes: a check of §14, what it found, and where."""


class Refusal(Exception):
    """A check that failed. `check` is its id, such as `CHK-15`; `cause` one sentence; `handle` the place, if known."""

    def __init__(self, check, cause, handle=None):
        super().__init__(f"{check}: {cause}")
        self.check = check
        self.cause = cause
        self.handle = handle

    def as_json(self):
        return {"handle": self.handle, "check": self.check, "cause": self.cause}


def require(condition, check, cause):
    """Refuses with `check` unless `condition` holds."""
    if not condition:
        raise Refusal(check, cause)
