"""Every structure of the format document, by its name there (§1, §3 to §7, §9, §10)."""

from .codec import (
    HASH,
    ID,
    KEY,
    SIGNATURE,
    U8,
    U16,
    U32,
    U64,
    Bytes,
    Enumeration,
    Fixed,
    Format,
    Optional,
    Select,
    Set,
    Struct,
    Value,
    Vector,
)

MIB = 1 << 20
LIMIT_LINK = MIB
LIMIT_PADDED = 16 * MIB
LIMIT_KEYRING = 4 * MIB
LIMIT_SEGMENT_START = 16 << 10
LIMIT_ROOT = 256 << 10
LIMIT_KEYSTORE = MIB
LIMIT_ATTACHMENT = 1 << 40
LIMIT_ATTACHMENT_NAME = 255

ZERO_ID = bytes(16)
ZERO_HASH = bytes(32)

# §1
AGENCY, CASE, ACCESS = 1, 2, 3
StreamId = Struct(kind=Enumeration(1, AGENCY, CASE, ACCESS), id=ID)

# §3
NOTE, ADMIN, PRIVATE, ATTACHMENT = 1, 2, 3, 4
RecordClass = Enumeration(1, NOTE, ADMIN, PRIVATE, ATTACHMENT)
RecordHeader = Struct(
    format=Format(),
    agency=HASH,
    stream=StreamId,
    section=U16,
    record=ID,
    version=U32,
    amends=HASH,
    member=ID,
    device=ID,
    **{"class": RecordClass},
    padded_length=U32,
    commitment=HASH,
)
WrapContext = Struct(agency=HASH, stream=StreamId, section=U16, epoch=U32, month=U16, record_hash=HASH)

# §4
HISTORY_BIT = 1 << 31
FIRST_PRIVATE_SECTION = 0x8000
KeyContext = Struct(agency=HASH, stream=StreamId, section=U16, epoch=U32)
AttachmentContext = Struct(agency=HASH, stream=StreamId, record=ID)
TO_MEMBER, TO_RECOVERY, TO_DUTY, TO_DPO = 1, 2, 3, 4
RecipientRef = Struct(kind=Enumeration(1, TO_MEMBER, TO_RECOVERY, TO_DUTY, TO_DPO), id=ID, version=U32)
KeyringEntry = Struct(section=U16, epoch=U32, key=KEY)
Keyring = Struct(format=Format(), agency=HASH, stream=StreamId, to=RecipientRef, entries=Set(KeyringEntry))

# §5
RECIPIENT = Fixed(1216)
Administrator = Struct(member=ID, identity=KEY)
OPERATIONS = (1, 2, 3, 4)
OPERATION_ROOT = 1
Threshold = Struct(operation=Enumeration(1, *OPERATIONS), administrators=U8)
MemberRecipient = Struct(member=ID, version=U32, key=RECIPIENT)
RecoveryKeys = Struct(version=U32, recipient=RECIPIENT, signing=KEY)
RoleRecipient = Struct(epoch=U32, recipient=RECIPIENT)
Verifier = Struct(name=Bytes(), key=KEY)
SectionRule = Struct(section=U16, duty=U8)
Root = Struct(
    format=Format(),
    version=U32,
    previous=HASH,
    salt=ID,
    minimum_format=U16,
    administrators=Set(Administrator),
    thresholds=Set(Threshold),
    recovery=RecoveryKeys,
    dpo=RoleRecipient,
    duty=Optional(RoleRecipient),
    sections=Set(SectionRule),
    witnesses=Set(Verifier),
    log=Optional(Verifier),
    release_version=U32,
)
DeviceCertificate = Struct(agency=HASH, member=ID, device=ID, key=KEY)
CASEWORKER, SUPERVISOR, DUTY, REVIEWER, DPO, ADMINISTRATOR = 1, 2, 4, 8, 16, 32

# §7
READ, WRITE, SHARE, OWN = 1, 2, 4, 8
GrantedSection = Struct(section=U16, from_epoch=U32)
Grant = Struct(grant=ID, member=ID, rights=U8, sections=Set(GrantedSection), until_day=Optional(U32))
HEAD, HISTORY = 0, 1
EpochOpen = Struct(
    section=U16,
    epoch=U32,
    kind=Enumeration(1, HEAD, HISTORY),
    of=U32,
    private_author=Optional(ID),
    commitment=HASH,
    recipients=Set(RecipientRef),
)
KeyringRef = Struct(to=RecipientRef, keyring_hash=HASH)
Membership = Struct(
    grants=Set(Grant),
    revoked=Set(ID),
    owner=Optional(ID),
    opens=Set(EpochOpen),
    due=Set(U16),
    keyrings=Set(KeyringRef),
)
RootSignature = Struct(member=ID, signature=SIGNATURE)
Founding = Struct(roles=U16, recipient=MemberRecipient, certificate=DeviceCertificate, signature=SIGNATURE)

(
    E_ROOT,
    E_MEMBER,
    E_DEVICE,
    E_MEMBER_RETIRED,
    E_DEVICE_RETIRED,
    E_RECIPIENT,
    E_SETTINGS,
    E_AGENCY_EPOCH,
    E_DPO_EPOCH,
    E_RECOVERY,
    E_RESTORED,
    E_ROLES,
    E_RESET,
) = range(1, 14)
E_CASE_OPENED, E_MEMBERSHIP, E_EXPIRED = 32, 33, 34
E_ERASURE, E_COMPLAINT, E_RELATION = 36, 37, 38
Enrolment = Struct(previous=HASH, certificate=DeviceCertificate, retired=Set(ID), version=U32)
EVENTS = {
    E_ROOT: Struct(root=Root, signatures=Set(RootSignature), founding=Optional(Founding)),
    E_MEMBER: Struct(member=ID, identity=KEY, roles=U16, recipient=MemberRecipient),
    E_DEVICE: Struct(certificate=DeviceCertificate, signature=SIGNATURE),
    E_MEMBER_RETIRED: Struct(id=ID),
    E_DEVICE_RETIRED: Struct(id=ID),
    E_RECIPIENT: Struct(recipient=MemberRecipient),
    E_SETTINGS: Struct(policy_set=HASH),
    E_AGENCY_EPOCH: Struct(open=EpochOpen, keyrings=Set(KeyringRef)),
    E_DPO_EPOCH: Struct(epoch=U32, recipient=RECIPIENT, holders=Set(RecipientRef), keyrings=Set(KeyringRef)),
    E_RECOVERY: Struct(
        certificate=DeviceCertificate, signature=SIGNATURE, retired=Set(ID), version=U32, run_signature=SIGNATURE
    ),
    E_RESTORED: Struct(certificate=DeviceCertificate, signature=SIGNATURE, retired=Set(ID), countersignature=SIGNATURE),
    E_ROLES: Struct(member=ID, roles=U16),
    E_RESET: Struct(identity=KEY, recipient=MemberRecipient),
    E_CASE_OPENED: Struct(membership=Membership),
    E_MEMBERSHIP: Struct(membership=Membership),
    E_EXPIRED: Struct(grants=Set(ID), membership=Membership),
    E_ERASURE: Struct(records=Set(HASH), ground=Enumeration(1, 1, 2, 3)),
    E_COMPLAINT: Struct(keyring_hash=HASH, section=U16, epoch=U32),
    E_RELATION: Struct(),
}
Event = Struct(type=Enumeration(2, *EVENTS), clear=Select("type", EVENTS))

# §9
AccessSegment = Struct(segment=U32, dpo_epoch=U32, start_hash=HASH)
AccessEntry = Struct(
    segment=U32,
    index=U32,
    operation=Enumeration(1, *range(1, 16)),
    subject=Optional(StreamId),
    release_hash=HASH,
    body_hash=HASH,
    manifest_hash=HASH,
)
SegmentStart = Struct(format=Format(), agency=HASH, device=ID, segment=U32, s0=KEY)
EntryContext = Struct(agency=HASH, device=ID, segment=U32, index=U32)

# §6
Seen = Struct(size=U64, root=HASH, signature=SIGNATURE)
ReleaseCommitment = Struct(version=U32, commitment=HASH, signature=SIGNATURE)
Release = Struct(month=U16, commitment=Optional(ReleaseCommitment))
Placement = Struct(record_hash=HASH, section=U16, epoch=U32, release=Release, wrap_hash=HASH)
Rewrapped = Struct(record_hash=HASH, wrap_hash=HASH)
L_RECORD, L_EVENT, L_REWRAP, L_ACCESS, L_SEGMENT = 1, 2, 3, 4, 5
LINKS = {
    L_RECORD: Struct(placement=Placement),
    L_EVENT: Struct(event=Event, sealed=Vector(Placement)),
    L_REWRAP: Struct(section=U16, epoch=U32, release=Release, items=Set(Rewrapped)),
    L_ACCESS: Struct(entry=AccessEntry),
    L_SEGMENT: Struct(segment=AccessSegment),
}
Link = Struct(
    format=Format(),
    agency=HASH,
    stream=StreamId,
    seq=U64,
    previous=HASH,
    agency_head=HASH,
    seen=Optional(Seen),
    device=ID,
    kind=Enumeration(1, *LINKS),
    body=Select("kind", LINKS),
)

# §10
ARGON2ID = 1
KeystoreHeader = Struct(
    format=Format(),
    agency=HASH,
    member=ID,
    device=ID,
    kdf=Enumeration(1, ARGON2ID),
    memory_kib=U32,
    passes=U32,
    lanes=U32,
    salt=KEY,
    generation=U64,
    fresh=KEY,
)
Keystore = Struct(header=KeystoreHeader, commitment=HASH, sealed=Bytes())


def make(**fields):
    """A structure made here, to be encoded. A field that Python reserves a word for comes as `class_`."""
    fields = {name.removesuffix("_"): field for name, field in fields.items()}
    return Value(**fields)

# §19
SHEET_MEMBER, SHEET_DEVICE, SHEET_RESET = 1, 2, 3
InviteKind = Enumeration(1, SHEET_MEMBER, SHEET_DEVICE, SHEET_RESET)
EnrolmentSheet = Struct(
    format=U8,
    kind=InviteKind,
    agency=HASH,
    member=ID,
    root=HASH,
    size=U64,
    tree=HASH,
    until=U32,
    url=Bytes(),
    secret=ID,
)
NewPerson = Struct(identity=KEY, recipient=RECIPIENT, certificate=DeviceCertificate, signature=SIGNATURE)
NewDevice = Struct(certificate=DeviceCertificate, once=RECIPIENT)
JOINERS = {SHEET_MEMBER: NewPerson, SHEET_DEVICE: NewDevice, SHEET_RESET: NewPerson}
JoinRequest = Struct(format=Format(), agency=HASH, invite=ID, kind=InviteKind, joiner=Select("kind", JOINERS))
JoinAnswer = Struct(format=Format(), agency=HASH, invite=ID, request=HASH, link=HASH, secrets=Optional(Bytes()))
HandedSeed = Struct(version=U32, seed=KEY)
HandedSecrets = Struct(
    format=Format(),
    agency=HASH,
    member=ID,
    device=ID,
    identity=KEY,
    recipients=Set(HandedSeed),
    dpo=Set(HandedSeed),
)

# §17, §18: what goes between client and server.
KEPT, ERASED = 1, 2
CarriedRecord = Struct(
    header=RecordHeader,
    signature=SIGNATURE,
    kind=Enumeration(1, KEPT, ERASED),
    body=Select(
        "kind",
        {
            KEPT: Struct(ciphertext=Bytes(), wrap=Bytes()),
            ERASED: Struct(ciphertext_hash=HASH, wrap_hash=HASH),
        },
    ),
)
Blob = Struct(bytes=Bytes())
Parcel = Struct(link=Bytes(), signature=SIGNATURE, records=Vector(CarriedRecord), blobs=Vector(Blob))
AppendRequest = Struct(agency=HASH, parcels=Vector(Parcel))
Heads = Struct(links=U64, stream=HASH, agency=HASH)
STORED, CONFLICT, REFUSED, NOT_TRIED = 1, 2, 3, 4
Outcome = Struct(
    kind=Enumeration(1, STORED, CONFLICT, REFUSED, NOT_TRIED),
    what=Select("kind", {STORED: U64, CONFLICT: Heads, REFUSED: U8, NOT_TRIED: Struct()}),
)
AppendReply = Struct(outcomes=Vector(Outcome), checkpoint=Bytes())
ListedStream = Struct(stream=StreamId, links=U64, last=U64)
StreamList = Struct(streams=Vector(ListedStream))
StreamPage = Struct(parcels=Vector(Struct(leaf=U64, parcel=Parcel)), more=U8)
SessionStatement = Struct(agency=HASH, log=KEY, device=ID, challenge=Fixed(48))
SessionRequest = Struct(statement=SessionStatement, signature=SIGNATURE)
LogPosition = Struct(
    format=Format(),
    seen=Optional(Seen),
    edge=Vector(Struct(level=U8, hashes=Vector(HASH))),
)
WitnessPosition = Struct(format=Format(), agency=HASH, log=KEY, seen=Seen)
CosignedNotes = Struct(notes=Vector(Struct(note=Bytes())))
LIMIT_WITNESS_POSITION, LIMIT_COSIGNED = 170, 1 << 17
LIMIT_APPEND = 40 << 20
