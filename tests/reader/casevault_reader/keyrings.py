"""Keyrings: from the age files that events name to the keys of sections (§4)."""

from . import age
from .codec import decode
from .labels import digest, equal, kdf, kdf_salted
from .refusal import Refusal, require
from .structures import LIMIT_KEYRING, TO_MEMBER, TO_RECOVERY, KeyContext, Keyring, make
from .xwing import Identity

DPO_SECTION = 0xFFFF


class Blobs:
    """Bytes that links name by their hash: keyrings, segment starts, manifests."""

    def __init__(self, store):
        self._bytes = {row["hash"]: row["bytes"] for row in store.blob}

    def get(self, label, wanted):
        data = self._bytes.get(wanted)
        require(data is not None, "CHK-82", "bytes that a link names are not there")
        require(digest(label, data) == wanted, "CHK-105", "bytes that a link names have another hash")
        return data


def check_context(keyring, agency, stream, to):
    """CHK-31: the keyring says inside for whom and for what it is."""
    context = (keyring.agency, keyring.stream, keyring.to) == (agency, stream, to)
    require(context, "CHK-31", "a keyring for another place or person")


class Opener:
    """Opens keyrings with the secrets of one keystore, and makes section keys of what they hold."""

    def __init__(self, secrets, blobs):
        self._secrets, self._blobs = secrets, blobs
        self._keys, self._section_keys = {}, {}
        self.opened = 0

    def identity(self, reference):
        """The X-Wing identity for a recipient, or None where this keystore does not hold it."""
        kind, ident, version = reference
        if kind == TO_MEMBER and ident == self._secrets.member:
            return self._secrets.recipients.get(version)
        if kind == TO_RECOVERY and self._secrets.recovery and self._secrets.recovery[0] == version:
            return self._secrets.recovery[1]
        return None

    def is_for_others(self, opened):
        """Whether an epoch's key was wrapped to no recipient of which the identity is here."""
        return all(self.identity((to.kind, to.id, to.version)) is None for to in opened.recipients)

    def open(self, stream, reference):
        """The (section, epoch) -> key of a keyring, or None where it is for somebody else. CHK-31, CHK-34."""
        data = self._blobs.get("keyring hash", reference.keyring_hash)
        to = reference.to
        identity = self.identity((to.kind, to.id, to.version))
        if identity is None:
            return None
        keyring = decode(Keyring, age.decrypt(data, identity, LIMIT_KEYRING), LIMIT_KEYRING)
        check_context(keyring, self._secrets.agency, stream, to)
        self.opened += 1
        return {(entry.section, entry.epoch): entry.key for entry in keyring.entries}

    def take(self, stream, references, opens):
        """Takes in every keyring that this keystore opens; each key must open to its epoch's commitment (CHK-32).

        `opens` are the stream's epoch-opens by (section, epoch).
        """
        for reference in references:
            for (section, epoch), key in (self.open(stream, reference) or {}).items():
                opened = opens.get((section, epoch))
                require(opened is not None, "CHK-31", "a keyring with a key of no epoch")
                context = self._context(stream, section, epoch)
                sound = equal(kdf("epoch commitment", key, context, 32), opened.commitment)
                require(sound, "CHK-32", "a key that does not open to the epoch's commitment")
                self._keys[stream.kind, stream.id, section, epoch] = key

    def _context(self, stream, section, epoch):
        return KeyContext.write(make(agency=self._secrets.agency, stream=stream, section=section, epoch=epoch))

    def section_keys(self, stream):
        """A function of (section, epoch, month) that gives the section key; release halves are none as yet."""

        def section_key(section, epoch, month):
            place = (stream.kind, stream.id, section, epoch, month)
            if place not in self._section_keys:
                key = self._keys.get(place[:4])
                if key is None:
                    raise Refusal("CHK-32", "no keyring gives this section's key")
                message = self._context(stream, section, epoch) + month.to_bytes(2, "big") + bytes(4)
                self._section_keys[place] = kdf_salted("section key", key, bytes(32), message, 32)
            return self._section_keys[place]

        return section_key

    def check_dpo_epoch(self, stream, clear, secrets):
        """The role's seed in each keyring that opens, and in the keystore, gives the recipient that the event names."""
        for reference in clear.keyrings:
            keys = self.open(stream, reference)
            if keys is not None:
                seed = keys.get((DPO_SECTION, clear.epoch))
                sound = seed is not None and Identity(seed).public == clear.recipient
                require(sound, "CHK-32", "a DPO keyring without the role's seed")
        own = secrets.dpo.get(clear.epoch)
        require(own is None or own.public == clear.recipient, "CHK-97", "another DPO key than the agency's")


def check_own_keys(secrets, agency):
    """CHK-97: the public halves of the keystore's secrets are those of the agency stream."""
    member, device = agency.members.get(secrets.member), agency.devices.get(secrets.device)
    require(member is not None and device is not None, "CHK-97", "the keystore's member or device is not the agency's")
    if secrets.device_key is not None:  # a backup has none
        require(device.key == secrets.device_key, "CHK-97", "another device key")
    require(device.member == secrets.member, "CHK-97", "another member's device")
    require(member.identity == secrets.identity_key, "CHK-97", "another identity key")
    keys = {version: key for _, version, key in member.recipients}
    # One that begins anew no longer has what it had before; the one in force it has.
    require(max(keys) in secrets.recipients, "CHK-97", "the recipient in force is missing")
    for version, own in secrets.recipients.items():
        require(own.public == keys.get(version), "CHK-97", "another recipient than the member's")
    if secrets.recovery:
        version, identity, signing = secrets.recovery
        recovery = agency.root(agency.head).recovery
        same = (version, identity.public, signing) == (recovery.version, recovery.recipient, recovery.signing)
        require(same, "CHK-97", "another recovery key than the root's")
