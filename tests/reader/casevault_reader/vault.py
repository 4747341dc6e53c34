"""The whole walk: one vault's home, read, checked link by link in commit order, and opened."""

from . import ed25519
from .access import Access
from .agency import Agency
from .attachment import check_attachments
from .case import Case
from .chain import Chains
from .ids import stream_handle
from .keyrings import Blobs, Opener, check_own_keys
from .keystore import read_keystore
from .labels import digest
from .lines import Lines, Opened
from .local import check_index, check_local
from .refusal import Refusal, require
from .store import Store
from .structures import ACCESS, AGENCY, L_ACCESS, L_REWRAP


class Vault:
    """A home folder, opened by a passphrase. `walk` checks everything; `lines` and `entries` are what it opened."""

    def __init__(self, home, passphrase):
        try:
            keystore = (home / "keystore").read_bytes()
        except OSError as error:
            raise Refusal("CHK-105", f"the keystore cannot be read: {error.strerror}") from None
        self._begin(read_keystore(keystore, passphrase), home)

    @classmethod
    def of_backup(cls, secrets, home):
        """A backup's vault: its secrets, and a folder with its other files."""
        vault = cls.__new__(cls)
        vault._begin(secrets, home)
        return vault

    def _begin(self, secrets, home):
        self.home = home
        self.secrets = secrets
        self.store = Store(home / "vault.db")
        self.lines, self.entries, self.authors = None, [], set()
        self.links = self.signatures = self.attachments = 0

    def walk(self):
        """Checks every link, then opens every record. Raises `Refusal` at the first that does not hold."""
        blobs = Blobs(self.store)
        chains = Chains(self.store)
        self.agency = Agency(chains.agency)
        require(chains.agency == self.secrets.agency, "CHK-40", "keystore and store are of different agencies")
        self.opener = Opener(self.secrets, blobs)
        self.cases, self.accesses, self.records, self.streams = {}, {}, [], {}
        stored = {(row["record_pos"], row["record_part"], row["pos"]): row for row in self.store.rewrap}
        for placed in chains.links():
            stream = placed.link.stream
            try:
                self._link(placed, blobs, stored)
            except Refusal as refusal:
                refusal.handle = refusal.handle or stream_handle(stream)
                raise
        require(not stored, "CHK-105", "a newer wrap that no rewrap names")
        chains.check_end(self.secrets.head_key)
        check_own_keys(self.secrets, self.agency)
        self._check_erasures()
        self._open_all()
        check_local(self.store, self.secrets)
        check_index(self.store, self.secrets, self.lines)
        self.attachments = check_attachments(self.home, self.records, self.lines.opened)

    def _link(self, placed, blobs, stored):
        link, stream = placed.link, placed.link.stream
        require(link.seen is None, "CHK-46", "a checkpoint, of which nothing is specified as yet")
        if stream.kind == AGENCY:
            self.agency.apply(placed)
        else:
            key = self.agency.device_key(link.device, placed.agency_seq)
            # Rights are judged at the link's own position too, not only at the head that it cites.
            self.agency.device_key(link.device, self.agency.head)
            for record in placed.records:
                self._author(record)
            ed25519.verify("link signature", key, placed.signed, placed.signature, "CHK-45")
        self.links += 1
        self.signatures += 1
        self.streams[stream.kind, stream.id] = stream
        if stream.kind == AGENCY:
            for record in placed.records:
                self._author(record)
                self.agency.check_sealed(record)
        elif stream.kind == ACCESS:
            access = self.accesses.setdefault(stream.id, Access(self.agency, blobs, self.secrets.dpo))
            entry = access.apply(placed)
            if link.kind == L_ACCESS:
                self.entries.append((link, entry))
        else:
            case = self.cases.setdefault(stream.id, Case(self.agency))
            case.apply(placed)
            if link.kind == L_REWRAP:
                self._rewraps(placed, case, stored)
        self.records.extend(placed.records)

    def _author(self, record):
        try:
            record.check_signature(self.agency)
        except Refusal as refusal:
            refusal.handle = record.handle
            raise
        self.signatures += 1
        self.authors.add(record.header.member)

    def _rewraps(self, placed, case, stored):
        body = placed.link.body
        for item in body.items:
            record = case.records[item.record_hash]
            row = stored.pop((record.pos, record.part, placed.pos), None)
            require(row is not None, "CHK-47", "a newer wrap is not there")
            if row["wrap"] is not None:
                require(digest("wrap hash", row["wrap"]) == item.wrap_hash, "CHK-47", "a newer wrap of another hash")
                record.newer_wraps.append((body.epoch, body.release.month, row["wrap"]))

    def _check_erasures(self):
        for record in self.records:
            if record.erased != record.erasure:
                raise Refusal("CHK-82", "what is absent is not what an erasure names", record.handle)

    def _is_for_others(self, record, agency_epochs):
        stream, place = record.header.stream, record.placement
        opens = agency_epochs if stream.kind == AGENCY else self.cases[stream.id].opens
        opened = opens.get((place.section, place.epoch))
        return opened is not None and self.opener.is_for_others(opened)

    def _open_all(self):
        agency_stream = next(stream for stream in self.streams.values() if stream.kind == AGENCY)
        epochs = {(0, epoch): opened for epoch, (opened, _) in self.agency.epochs.items()}
        self.opener.take(agency_stream, [ref for _, refs in self.agency.epochs.values() for ref in refs], epochs)
        for _, clear in self.agency.dpo_epochs.values():
            self.opener.check_dpo_epoch(agency_stream, clear, self.secrets)
        for ident, case in self.cases.items():
            try:
                for stream, reference in case.keyrings:
                    self.opener.take(stream, [reference], case.opens)
            except Refusal as refusal:
                refusal.handle = stream_handle(self.streams[2, ident])
                raise
        opened = []
        for record in self.records:
            if not record.erased and not self._is_for_others(record, epochs):
                try:
                    text = record.open(self.opener.section_keys(record.header.stream))
                except Refusal as refusal:
                    refusal.handle = record.handle
                    raise
                opened.append(Opened(record, text))
        self.lines = Lines(opened)
