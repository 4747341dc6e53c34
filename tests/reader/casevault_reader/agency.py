"""The agency stream: root documents, members, devices, roles and role keys (§5, §7).

Everything is kept with the agency links from which and until which it held, so that any link can be judged as of the
head that it cites. Sequence numbers are those of the agency stream.
"""

from . import ed25519
from .labels import digest
from .record import Record
from .refusal import require
from .structures import (
    ADMIN,
    ADMINISTRATOR,
    DPO,
    E_AGENCY_EPOCH,
    E_DEVICE,
    E_DEVICE_RETIRED,
    E_DPO_EPOCH,
    E_MEMBER,
    E_MEMBER_RETIRED,
    E_RECIPIENT,
    E_RECOVERY,
    E_RESET,
    E_RESTORED,
    E_ROLES,
    E_ROOT,
    E_SETTINGS,
    HEAD,
    L_EVENT,
    LIMIT_ROOT,
    OPERATION_ROOT,
    OPERATIONS,
    TO_DPO,
    TO_DUTY,
    TO_MEMBER,
    TO_RECOVERY,
    ZERO_HASH,
    ZERO_ID,
    DeviceCertificate,
    Enrolment,
    Root,
    make,
)

ADMINISTRATORS_ONLY = {
    E_ROOT,
    E_MEMBER,
    E_DEVICE,
    E_MEMBER_RETIRED,
    E_DEVICE_RETIRED,
    E_SETTINGS,
    E_AGENCY_EPOCH,
    E_ROLES,
    E_RESET,
}
ROLES = 63


class Life:
    """From which agency link something is, and until which (exclusive)."""

    def __init__(self, since):
        self.since, self.until = since, None

    def live(self, seq):
        return self.since <= seq and (self.until is None or seq < self.until)


class Member(Life):
    def __init__(self, since, identity, roles, recipient):
        super().__init__(since)
        self.identity = identity
        self._roles = [(since, roles)]
        self.recipients = [(since, recipient.version, recipient.key)]

    def recipient_version(self, seq):
        return [version for since, version, _ in self.recipients if since <= seq][-1]

    def roles(self, seq):
        return ([0] + [roles for since, roles in self._roles if since <= seq])[-1]

    def give_roles(self, seq, roles):
        self._roles.append((seq, roles))


class Device(Life):
    def __init__(self, since, member, key):
        super().__init__(since)
        self.member, self.key = member, key


class Agency:
    """What the agency stream says so far."""

    def __init__(self, agency_id):
        self.id = agency_id
        self.roots = []
        self.members, self.devices = {}, {}
        self.dpo_epochs, self.epochs, self._named = {}, {}, {}
        self.head = -1
        self.signatures = 0

    def root(self, seq):
        return [root for since, root in self.roots if since <= seq][-1]

    def device_key(self, device, seq):
        """The key of a device that is live, as its member is, at agency link `seq` (CHK-44)."""
        found = self.devices.get(device)
        sound = found is not None and found.live(seq) and self.members[found.member].live(seq)
        require(sound, "CHK-44", "the signer is not a live device of a live member")
        return found.key

    def reference(self, kind, seq, member=ZERO_ID):
        """The recipient reference of a member or a role as of agency link `seq`."""
        root = self.root(seq)
        version = {
            TO_MEMBER: lambda: self.members[member].recipient_version(seq),
            TO_RECOVERY: lambda: root.recovery.version,
            TO_DUTY: lambda: root.duty.epoch,
            TO_DPO: lambda: self.dpo_epoch(seq),
        }[kind]()
        return kind, member, version

    def dpo_epoch(self, seq):
        """The DPO epoch in force at agency link `seq`."""
        begun = [epoch for epoch, (since, _) in self.dpo_epochs.items() if since <= seq]
        return max(begun, default=self.root(seq).dpo.epoch)

    def is_live(self, member, seq):
        return member in self.members and self.members[member].live(seq)

    def standing(self, section, seq):
        """standing(s): recovery, and duty where the root marks the section."""
        root = self.root(seq)
        marked = any(rule.section == section and rule.duty for rule in root.sections)
        kinds = [TO_RECOVERY] + ([TO_DUTY] if marked and root.duty else [])
        return {self.reference(kind, seq) for kind in kinds}

    def apply(self, placed):
        """Judges one link of the agency stream and takes in what it says. The signature was not yet checked."""
        seq, link = placed.link.seq, placed.link
        require(link.kind == L_EVENT, "CHK-42", "an agency stream takes events only")
        event = link.body.event
        require(
            (seq == 0) == (event.type == E_ROOT and event.clear.founding is not None),
            "CHK-24",
            "the founding belongs to the first root and to it alone",
        )
        if seq == 0:
            self._found(event.clear)
            placed.agency_seq = 0
        if event.type in (E_RESTORED, E_RECOVERY):
            # The device that it enrols signs it.
            self._enrol(seq, link, event)
            key = self.devices[link.device].key
        else:
            key = self.device_key(link.device, placed.agency_seq)
        ed25519.verify("link signature", key, placed.signed, placed.signature, "CHK-45")
        signer = self.devices[link.device].member
        if event.type in ADMINISTRATORS_ONLY:
            administrators = {one.member for one in self.root(placed.agency_seq).administrators}
            named = signer in administrators and (seq == 0 or self.members[signer].roles(seq - 1) & ADMINISTRATOR)
            require(named, "CHK-25", "only an administrator appends this")
        if seq > 0:
            self._APPLY.get(event.type, _refuse)(self, seq, event.clear, signer)
        require(not placed.records or event.type == E_SETTINGS, "CHK-47", "a sealed part of an event that has none")
        self.head = seq

    def _found(self, clear):
        self._take_root(0, clear)
        founding = clear.founding
        certificate = founding.certificate
        identities = {one.member: one.identity for one in clear.root.administrators}
        require(certificate.member in identities, "CHK-24", "the founder is no administrator")
        require(founding.recipient.member == certificate.member, "CHK-24", "a recipient of somebody else")
        require(founding.roles & ADMINISTRATOR, "CHK-24", "the founder's roles leave out administrator")
        identity = identities[certificate.member]
        self.members[certificate.member] = Member(0, identity, founding.roles, founding.recipient)
        self._take_device(0, certificate, founding.signature)

    def _take_root(self, seq, clear):
        root, encoded = clear.root, Root.write(clear.root)
        require(len(encoded) <= LIMIT_ROOT, "CHK-01", "a root document beyond its limit")
        last = self.roots[-1][1] if self.roots else None
        judge = last or root
        previous = digest("root hash", Root.write(last)) if last else ZERO_HASH
        chained = (root.version, root.previous) == ((last.version + 1) if last else 1, previous)
        require(chained, "CHK-20", "a root version that does not follow the last")
        if last is None:
            require(digest("agency id", encoded) == self.id, "CHK-20", "the agency id is not the first root's")
        require(root.administrators, "CHK-21", "a root without administrators")
        require(
            [one.operation for one in root.thresholds] == list(OPERATIONS),
            "CHK-21",
            "not one threshold for each operation",
        )
        for threshold in root.thresholds:
            require(1 <= threshold.administrators <= len(root.administrators), "CHK-21", "a threshold out of range")
        for threshold in root.thresholds:
            alone = threshold.operation == OPERATION_ROOT or threshold.administrators == 1
            require(alone, "CHK-21", "a threshold that no event can meet as yet")
        self._name_keys(root, judge)
        sections = {one.section for one in root.sections}
        require({0, 1} <= sections, "CHK-02", "a root without `index` and `core`")
        require(root.minimum_format >= judge.minimum_format, "CHK-22", "the minimum format falls")
        require(root.minimum_format == 1, "CHK-03", "an unknown minimum format")
        identities = {one.member: one.identity for one in judge.administrators}
        signers = [one.member for one in clear.signatures]
        require(
            len(set(signers)) == len(signers) and set(signers) <= set(identities),
            "CHK-20",
            "a root signature of somebody else, or twice",
        )
        needed = {one.operation: one.administrators for one in judge.thresholds}[OPERATION_ROOT]
        require(len(signers) >= needed, "CHK-20", "too few signatures of the root")
        for one in clear.signatures:
            ed25519.verify("root signature", identities[one.member], encoded, one.signature, "CHK-20")
        self.signatures += len(signers)
        self.roots.append((seq, root))

    def _name_keys(self, root, last):
        """A version of the recovery key, and an epoch of a role key, names one key for ever."""
        require(root.recovery.version >= last.recovery.version, "CHK-20", "the recovery key's version falls")
        self._name(("recovery", root.recovery.version), root.recovery.recipient + root.recovery.signing)
        self._name(("dpo", root.dpo.epoch), root.dpo.recipient)
        if root.duty:
            self._name(("duty", root.duty.epoch), root.duty.recipient)

    def _name(self, what, key):
        require(self._named.setdefault(what, key) == key, "CHK-20", "one version of a key names two keys")

    def _on_root(self, seq, clear, _signer):
        self._take_root(seq, clear)

    def _take_device(self, seq, certificate, signature):
        require(certificate.agency == self.id, "CHK-23", "a certificate of another agency")
        require(self.is_live(certificate.member, seq), "CHK-23", "a certificate of no live member")
        member = self.members[certificate.member]
        require(certificate.device not in self.devices, "CHK-28", "a device id used twice")
        encoded = DeviceCertificate.write(certificate)
        ed25519.verify("device certificate", member.identity, encoded, signature, "CHK-23")
        self.signatures += 1
        self.devices[certificate.device] = Device(seq, certificate.member, certificate.key)

    def _enrol(self, seq, link, event):
        """A device after a loss: by the sole administrator (CHK-29), or by the recovery key (CHK-30)."""
        clear, root = event.clear, self.root(seq - 1)
        certificate = clear.certificate
        restored = event.type == E_RESTORED
        check = "CHK-29" if restored else "CHK-30"
        require(certificate.device == link.device, "CHK-44", "an enrolment that another device signs")
        if restored:
            alone = len(root.administrators) == 1 and root.administrators[0].member == certificate.member
            member = self.members.get(certificate.member)
            require(alone and member is not None, check, "not the sole administrator")
            require(member.live(seq) and member.roles(seq) & ADMINISTRATOR, check, "not an administrator that is live")
            label, version, key, signature = "restored device", 0, member.identity, clear.countersignature
        else:
            require(clear.version == root.recovery.version, check, "another recovery key than the one in force")
            label, version, key, signature = "recovery run", clear.version, root.recovery.signing, clear.run_signature
        for gone in clear.retired:
            own = self.devices.get(gone)
            require(own is not None and own.live(seq), check, "retired is only who is live")
            require(own.member == certificate.member, check, "somebody else's device")
        statement = Enrolment.write(
            make(previous=link.previous, certificate=certificate, retired=clear.retired, version=version)
        )
        ed25519.verify(label, key, statement, signature, check)
        for gone in clear.retired:
            self._retire(self.devices, seq, gone)
        self._take_device(seq, certificate, clear.signature)

    def _on_enrolled(self, seq, clear, _signer):
        """Done before the link's own signature could be looked at."""

    def _on_device(self, seq, clear, _signer):
        self._take_device(seq, clear.certificate, clear.signature)

    def _on_member(self, seq, clear, _signer):
        require(clear.member not in self.members, "CHK-28", "a member id used twice")
        require(clear.recipient.member == clear.member, "CHK-27", "a recipient of somebody else")
        self.members[clear.member] = Member(seq, clear.identity, clear.roles, clear.recipient)

    def _on_roles(self, seq, clear, _signer):
        require(clear.roles & ~ROLES == 0, "CHK-03", "an unknown role")
        require(self.is_live(clear.member, seq), "CHK-35", "roles of no live member")
        self.members[clear.member].give_roles(seq, clear.roles)

    def _on_reset(self, seq, clear, _signer):
        recipient = clear.recipient
        require(self.is_live(recipient.member, seq), "CHK-36", "a reset of no live member")
        used = {one.identity for one in self.members.values()}
        require(clear.identity not in used, "CHK-36", "an identity that somebody has")
        member = self.members[recipient.member]
        keys = {key for _, _, key in member.recipients}
        sound = recipient.version == member.recipients[-1][1] + 1 and recipient.key not in keys
        require(sound, "CHK-36", "a recipient that it had, or out of turn")
        member.identity = clear.identity
        member.recipients.append((seq, recipient.version, recipient.key))
        for device in self.devices.values():
            if device.member == recipient.member and device.live(seq):
                device.until = seq

    def _retire(self, lives, seq, ident):
        require(ident in lives and lives[ident].live(seq), "CHK-44", "retired is only who is live")
        lives[ident].until = seq

    def _on_member_retired(self, seq, clear, _signer):
        self._retire(self.members, seq, clear.id)

    def _on_device_retired(self, seq, clear, _signer):
        self._retire(self.devices, seq, clear.id)

    def _on_recipient(self, seq, clear, signer):
        recipient = clear.recipient
        administrators = {one.member for one in self.root(seq).administrators}
        require(signer == recipient.member or signer in administrators, "CHK-27", "a recipient by somebody else")
        require(self.is_live(recipient.member, seq), "CHK-27", "a recipient of no live member")
        member = self.members[recipient.member]
        require(recipient.version == member.recipients[-1][1] + 1, "CHK-27", "a recipient version out of turn")
        member.recipients.append((seq, recipient.version, recipient.key))

    def _on_settings(self, seq, clear, signer):
        """What it seals is placed, and opened, by the agency's key; the hash stands for texts that are not here."""

    def _on_agency_epoch(self, seq, clear, _signer):
        opened = clear.open
        sound = opened.section == 0 and opened.kind == HEAD and opened.of == 0 and opened.private_author is None
        require(sound, "CHK-66", "not a head epoch of the agency's section")
        require(opened.epoch == len(self.epochs), "CHK-67", "an agency epoch out of turn")
        live = [member for member, life in self.members.items() if life.live(seq)]
        expected = {self.reference(TO_MEMBER, seq - 1, member) for member in live}
        expected.add(self.reference(TO_RECOVERY, seq - 1))
        check_recipients(opened.recipients, expected)
        check_keyrings(clear.keyrings, expected)
        self.epochs[opened.epoch] = (opened, clear.keyrings)

    def _on_dpo_epoch(self, seq, clear, signer):
        require(self.members[signer].roles(seq) & DPO, "CHK-26", "only a DPO opens a DPO epoch")
        require(clear.epoch == len(self.dpo_epochs), "CHK-67", "a DPO epoch out of turn")
        if clear.epoch == 0:
            require(clear.recipient == self.root(seq).dpo.recipient, "CHK-68", "DPO epoch 0 is not the root's")
        self._name(("dpo", clear.epoch), clear.recipient)
        holders = {(one.kind, one.id, one.version) for one in clear.holders}
        require(self.reference(TO_RECOVERY, seq - 1) in holders, "CHK-68", "recovery is not among the DPO holders")
        check_keyrings(clear.keyrings, holders)
        self.dpo_epochs[clear.epoch] = (seq, clear)

    _APPLY = {
        E_ROOT: _on_root,
        E_MEMBER: _on_member,
        E_DEVICE: _on_device,
        E_MEMBER_RETIRED: _on_member_retired,
        E_DEVICE_RETIRED: _on_device_retired,
        E_RECIPIENT: _on_recipient,
        E_SETTINGS: _on_settings,
        E_AGENCY_EPOCH: _on_agency_epoch,
        E_DPO_EPOCH: _on_dpo_epoch,
        E_RECOVERY: _on_enrolled,
        E_RESTORED: _on_enrolled,
        E_ROLES: _on_roles,
        E_RESET: _on_reset,
    }

    def check_sealed(self, record: Record):
        """What an agency event seals: an administrative record of section 0, under the head epoch."""
        place = record.placement
        require(place.section == 0 and record.header["class"] == ADMIN, "CHK-77", "not an administrative record")
        require(place.epoch == len(self.epochs) - 1, "CHK-74", "not the agency's head epoch")


def _refuse(_agency, _seq, _clear, _signer):
    require(False, "CHK-42", "an event that does not belong in the agency stream")


def check_recipients(recipients, expected):
    """CHK-68: the recipients are exactly these; CHK-69: in exactly these versions."""
    given = {(one.kind, one.id, one.version) for one in recipients}
    same = {one[:2] for one in given} == {one[:2] for one in expected} and len(given) == len(expected)
    require(same, "CHK-68", "the recipients are not the holders and the standing ones")
    require(given == expected, "CHK-69", "a recipient in another version")


def check_keyrings(keyrings, expected):
    """CHK-70: one file for each recipient, none for anybody else."""
    given = [(one.to.kind, one.to.id, one.to.version) for one in keyrings]
    require(len(set(given)) == len(given) and set(given) == expected, "CHK-70", "not one keyring for each recipient")
