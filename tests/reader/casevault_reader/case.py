"""A case's stream: grants, sections, epochs, and what each link may do (§7).

Clear fields only: nothing here needs a key, so everybody who has the links comes to the same verdict.
"""

import copy

from . import ed25519
from .agency import Agency, check_keyrings, check_recipients
from .refusal import require
from .structures import (
    CASEWORKER,
    DUTY,
    E_CASE_OPENED,
    E_COMPLAINT,
    E_ERASURE,
    E_EXPIRED,
    E_MEMBERSHIP,
    E_RELATION,
    FIRST_PRIVATE_SECTION,
    HEAD,
    HISTORY,
    HISTORY_BIT,
    L_EVENT,
    L_REWRAP,
    OWN,
    PRIVATE,
    READ,
    SHARE,
    SUPERVISOR,
    TO_MEMBER,
    TO_RECOVERY,
    WRITE,
    KeyContext,
    make,
)

ALL_RIGHTS = READ | WRITE | SHARE | OWN
INDEX, CORE = 0, 1


def is_private(section):
    return section >= FIRST_PRIVATE_SECTION


class Case:
    """What a case's stream says so far. `seq` is the agency link as of which a link is being judged."""

    def __init__(self, agency: Agency):
        self.agency, self.seq = agency, 0
        self.grants, self.grant_ids = {}, set()
        self.owner = None
        self.opens, self.later = {}, {}
        self.head, self.histories = {}, {}
        self.private_authors = {}
        self.due = set()
        self.keyrings = []
        self.records, self.ids = {}, set()
        self.releases = {}

    # Questions

    def holders(self, section):
        """holders(s): the members, not retired, whose live grants name the section; of a private one, its author."""
        if is_private(section):
            author = self.private_authors.get(section)
            found = {grant.member for grant in self.grants.values() if grant.member == author}
        else:
            found = {grant.member for grant in self.grants.values() if section in _sections(grant)}
        return {member for member in found if self.agency.is_live(member, self.seq)}

    def holds(self, member, section, rights):
        """Whether live grants give `member` these rights over the section."""
        if is_private(section):
            return member in self.holders(section) and self.has(member, rights)
        return any(
            grant.member == member and section in _sections(grant) and grant.rights & rights == rights
            for grant in self.grants.values()
        )

    def has(self, member, rights):
        return any(grant.member == member and grant.rights & rights == rights for grant in self.grants.values())

    def _references(self, members):
        return {self.agency.reference(TO_MEMBER, self.seq, member) for member in members}

    def _standing(self, section):
        if is_private(section):
            return {self.agency.reference(TO_RECOVERY, self.seq)}
        return self.agency.standing(section, self.seq)

    def _snapshot(self):
        """A copy that a trial may change."""
        trial = copy.copy(self)
        for name, state in vars(self).items():
            if isinstance(state, (dict, set, list)):
                setattr(trial, name, copy.copy(state))
        trial.later = {place: set(refs) for place, refs in self.later.items()}
        return trial

    # Links

    def apply(self, placed):
        """Judges one link of this stream, whose signature holds, and takes in what it says.

        It must hold as of the agency link that it cites and as of the last one below its own position.
        """
        if placed.agency_seq != self.agency.head:
            self._snapshot()._judge(placed, placed.agency_seq)
        self._judge(placed, self.agency.head)

    def _judge(self, placed, seq):
        self.seq = seq
        link, signer = placed.link, self.agency.devices[placed.link.device].member
        opening = link.kind == L_EVENT and link.body.event.type == E_CASE_OPENED
        require(opening == (link.seq == 0), "CHK-51", "a case begins with its opening, once")
        if link.kind == L_EVENT:
            self._event(placed, link.body.event, signer)
        for record in placed.records:
            self._place(record, signer)
        if link.kind == L_REWRAP:
            self._rewrap(placed, signer)

    def _place(self, record, signer):
        place, header = record.placement, record.header
        section = place.section
        require(place.record_hash not in self.records, "CHK-48", "the same record placed twice")
        require(section not in self.due, "CHK-73", "a section that is due takes no record")
        require(self.head.get(section) == place.epoch, "CHK-74", "not the section's head epoch")
        require(is_private(section) == (header["class"] == PRIVATE), "CHK-77", "class and section do not fit")
        if is_private(section):
            theirs = self.private_authors[section] == header.member == signer
            require(theirs, "CHK-77", "a private section takes its author's records only")
        require(self.holds(signer, section, WRITE), "CHK-75", "the signer does not hold the section with `write`")
        self._check_recipients_within(section, place.epoch)
        self._fix_release(header.stream, section, place.epoch, place.release)
        if header.version == 1:
            require(header.amends == bytes(32), "CHK-16", "a first version that amends")
            require(header.record not in self.ids, "CHK-48", "a second first version of a record")
            self.ids.add(header.record)
        else:
            amended = self.records.get(header.amends)
            sound = amended is not None and (
                amended.header.record == header.record
                and amended.header.section == section
                and amended.header.version + 1 == header.version
            )
            require(sound, "CHK-16", "it does not amend the version before, placed earlier")
        self.records[place.record_hash] = record

    def _check_recipients_within(self, section, epoch):
        opened = self.opens[section, epoch]
        recipients = {(one.kind, one.id, one.version) for one in opened.recipients}
        recipients |= self.later.get((section, epoch), set())
        allowed = self._references(self.holders(section)) | self._standing(section)
        require(recipients <= allowed, "CHK-76", "the epoch has a recipient who, or in a version that, holds no longer")

    def _fix_release(self, stream, section, epoch, release):
        fixed = self.releases.setdefault((section, epoch, release.month), release.commitment)
        require(fixed == release.commitment, "CHK-49", "another release commitment than the first one's")
        root, commitment = self.agency.root(self.seq), release.commitment
        if root.release_version == 0:
            require(commitment is None, "CHK-50", "a release commitment without a release version")
        if commitment is not None:
            context = KeyContext.write(make(agency=self.agency.id, stream=stream, section=section, epoch=epoch))
            signed = context + release.month.to_bytes(2, "big") + commitment.version.to_bytes(4, "big")
            key = root.log.key if root.log else b""
            ed25519.verify("release commitment", key, signed + commitment.commitment, commitment.signature, "CHK-49")

    def _rewrap(self, placed, signer):
        body = placed.link.body
        opened = self.opens.get((body.section, body.epoch))
        require(opened is not None and opened.kind == HISTORY, "CHK-78", "a rewrap names a history epoch")
        if is_private(body.section):
            require(self.private_authors[body.section] == signer, "CHK-77", "a private section is its author's only")
        require(self.holds(signer, body.section, WRITE), "CHK-75", "the signer does not hold the section with `write`")
        self._check_recipients_within(body.section, body.epoch)
        self._fix_release(placed.link.stream, body.section, body.epoch, body.release)
        for item in body.items:
            record = self.records.get(item.record_hash)
            fits = record is not None and (record.placement.section, record.placement.epoch) == (
                body.section,
                opened.of,
            )
            require(fits, "CHK-78", "a rewrap of a record of another epoch")

    def _event(self, placed, event, signer):
        clear = event.clear
        if event.type in (E_CASE_OPENED, E_MEMBERSHIP, E_EXPIRED):
            expired = clear.grants if event.type == E_EXPIRED else []
            self._membership(placed, clear.membership, signer, expired, event.type)
        elif event.type == E_ERASURE:
            self._erasure(clear, signer)
        elif event.type == E_COMPLAINT:
            require(self.grants and self.has(signer, READ), "CHK-75", "a complaint by nobody of the case")
        elif event.type == E_RELATION:
            sealed = [record.placement.section for record in placed.records]
            require(sealed == [INDEX], "CHK-47", "a relation seals one part, under `index`")
        else:
            require(False, "CHK-42", "an event that does not belong in a case's stream")

    def _erasure(self, clear, signer):
        for record_hash in clear.records:
            record = self.records.get(record_hash)
            require(record is not None, "CHK-80", "an erasure of a record that is not placed before it")
            may = self.holds(signer, record.header.section, WRITE)
            require(may, "CHK-81", "an erasure by nobody who may write there")
            if clear.ground == 1:
                require(record.header.member == signer, "CHK-81", "a withdrawal by somebody else than the author")
            record.erasure = True

    # Membership

    def _membership(self, placed, change, signer, expired, kind):
        before = {section: self.holders(section) for section in self.head}
        could_write = {section for section in self.head if self.holds(signer, section, WRITE)}
        if kind == E_EXPIRED:
            require(self.has(signer, WRITE), "CHK-64", "an expiry by nobody who may write")
            for ident in expired:
                ends = ident in self.grants and self.grants[ident].until_day is not None
                require(ends, "CHK-64", "an expiry of a grant that has no end date or is not live")
        if kind == E_CASE_OPENED:
            roles = self.agency.members[signer].roles(placed.agency_seq)
            require(roles & (CASEWORKER | SUPERVISOR | DUTY), "CHK-79", "the signer's role opens no cases")
        else:
            require(self.has(signer, 0), "CHK-61", "a change by nobody of the case")
        granting = dict(self.grants)
        opening = {(one.section, one.epoch): one for one in change.opens}
        self._revoke(change.revoked, expired, signer)
        self._grant(change.grants, granting, opening, signer, kind)
        if change.owner is not None:
            owns = kind == E_CASE_OPENED or any(
                grant.member == signer and grant.rights & OWN for grant in granting.values()
            )
            require(owns, "CHK-65", "the owner is changed by nobody who owns")
            require(self.has(change.owner, OWN), "CHK-65", "an owner who does not hold `own`")
            self.owner = change.owner
        for opened in change.opens:
            self._open(opened, signer, could_write)
        self._check_sections(change.grants)
        self._check_losses(before, could_write, signer, granting, opening, change.due)
        for grant in change.grants:
            for section in _sections(grant):
                self.later.setdefault((section, self.head[section]), set()).update(self._references({grant.member}))
        expected = {(one.kind, one.id, one.version) for opened in change.opens for one in opened.recipients}
        expected |= self._references({grant.member for grant in change.grants})
        check_keyrings(change.keyrings, expected)
        self.keyrings.extend((placed.link.stream, ref) for ref in change.keyrings)
        if kind == E_CASE_OPENED:
            everything = {section for section in self.head if not is_private(section)}
            require({INDEX, CORE} <= everything, "CHK-79", "`index` and `core` are not opened")
            full = [
                grant
                for grant in self.grants.values()
                if grant.member == self.owner and grant.rights == ALL_RIGHTS and set(_sections(grant)) == everything
            ]
            require(full, "CHK-79", "the owner is not granted everything")

    def _revoke(self, revoked, expired, signer):
        owns = self.has(signer, OWN)
        for ident in revoked:
            require(ident in self.grants, "CHK-64", "a revocation of no live grant")
            may = owns or self.grants[ident].member == signer
            require(may, "CHK-64", "a revocation by somebody who does not own the case")
        for ident in {*revoked, *expired}:
            del self.grants[ident]

    def _grant(self, grants, granting, opening, signer, kind):
        for grant in grants:
            require(grant.grant not in self.grant_ids, "CHK-62", "a grant id used twice")
            require(self.agency.is_live(grant.member, self.seq), "CHK-63", "a grant to nobody live")
            known = grant.rights and not grant.rights & ~ALL_RIGHTS
            require(known, "CHK-60", "no rights, or unknown ones")
            for section, first in _sections(grant).items():
                theirs = [
                    one
                    for one in granting.values()
                    if one.member == signer
                    and section in _sections(one)
                    and one.rights & SHARE
                    and one.rights & grant.rights == grant.rights
                    and _sections(one)[section] <= first
                ]
                # What this very link opens with epoch 0 nobody held before; CHK-66 leaves it to the owner.
                fresh = (section, 0) in opening
                require(theirs or fresh or kind == E_CASE_OPENED, "CHK-61", "more than the grantor holds")
                firsts = {_sections(one)[section] for one in theirs}
                opens = (section, first) in opening and not first & HISTORY_BIT
                require(first == 0 or opens or first in firsts, "CHK-71", "from an epoch that this link does not open")
            self.grant_ids.add(grant.grant)
            self.grants[grant.grant] = grant

    def _check_sections(self, grants):
        for grant in grants:
            sections = _sections(grant)
            exist = all(section in self.head and not is_private(section) for section in sections)
            require(exist and INDEX in sections, "CHK-60", "sections that are not there, or without `index`")

    def _open(self, opened, signer, could_write):
        section, epoch, history = opened.section, opened.epoch, opened.kind == HISTORY
        require(is_private(section) == (opened.private_author is not None), "CHK-66", "a private author where none is")
        if is_private(section):
            author = self.private_authors.setdefault(section, opened.private_author)
            may = author == opened.private_author == signer and self.has(signer, WRITE)
        elif epoch == 0:
            may = self.owner == signer and self.has(signer, OWN)
        else:
            may = section in could_write
        require(may, "CHK-66", "an epoch opened by somebody who may not")
        count = self.histories.get(section, 0) if history else self.head.get(section, -1) + 1
        require(epoch == (HISTORY_BIT + count if history else count), "CHK-67", "an epoch number out of turn")
        if history:
            require(opened.of <= self.head.get(section, -1), "CHK-67", "a history of an epoch that is not there")
            covering = {
                grant.member for grant in self.grants.values() if _sections(grant).get(section, 1 << 32) <= opened.of
            }
            members = self.holders(section) & (covering | {self.private_authors.get(section)})
        else:
            require(opened.of == 0, "CHK-67", "a head epoch of another one")
            members = self.holders(section)
        check_recipients(opened.recipients, self._references(members) | self._standing(section))
        self.opens[section, epoch] = opened
        if history:
            self.histories[section] = count + 1
        else:
            self.head[section] = epoch
            self.due.discard(section)

    def _check_losses(self, before, could_write, signer, granting, opening, due):
        lost = {section for section, holders in before.items() if not holders <= self.holders(section)}
        for section in lost:
            if is_private(section):
                continue
            opens = any(one == section and opened.kind == HEAD for (one, _), opened in opening.items())
            if section in could_write and self.holds(signer, section, WRITE):
                require(opens, "CHK-72", "a section lost a holder and is not opened anew")
            else:
                require(opens or section in due, "CHK-72", "a section lost a holder and is not marked due")
        for section in due:
            require(section in self.head and not is_private(section), "CHK-72", "a mark on no section")
            owned = any(grant.member == signer and grant.rights & OWN for grant in granting.values())
            require(section in lost or section in could_write or owned, "CHK-72", "a mark by nobody who may")
            self.due.add(section)


def _sections(grant):
    return {one.section: one.from_epoch for one in grant.sections}
