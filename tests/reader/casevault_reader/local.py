"""What the store keeps for itself: local sealed values and the index of external ids (§12)."""

from .labels import digest
from .seal import committed_open


def check_local(store, secrets):
    """CHK-103: every local sealed value opens under its name."""
    for row in store.local:
        name, value = row["name"].encode("utf-8"), row["value"]
        fresh, commitment, sealed = value[:32], value[32:64], value[64:]
        committed_open(
            "local seal", secrets.state_key, fresh + name, commitment, name, sealed, "CHK-103", "CHK-103"
        )


def check_external(store, secrets, payloads):
    pass
