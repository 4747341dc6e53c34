//! The checks that a reader makes, each with the id by which the format document, the code and the tests name it.

use std::fmt;

/// Whose fault a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not in the format.
    Malformed,
    /// The bytes are well formed, and somebody made or changed what they had no right to.
    Forged,
    /// It is for another agency, stream, recipient or key.
    NotForUs,
    /// Something that was there before is gone.
    Rollback,
    /// A newer or foreign format.
    Unsupported,
}

macro_rules! checks {
    ($($name:ident = $number:literal, $fault:ident, $cause:literal;)+) => {
        /// One check of `docs/format.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Check {
            $(#[doc = $cause] $name),+
        }

        impl Check {
            /// Every check, by number.
            pub const ALL: &'static [Check] = &[$(Check::$name),+];

            /// Returns the number in the check's id.
            pub const fn number(self) -> u8 {
                match self { $(Check::$name => $number),+ }
            }

            /// Returns whose fault a failure is.
            pub const fn fault(self) -> Fault {
                match self { $(Check::$name => Fault::$fault),+ }
            }

            /// Returns what failed, in words.
            pub const fn cause(self) -> &'static str {
                match self { $(Check::$name => $cause),+ }
            }
        }
    };
}

checks! {
    TooLong = 1, Malformed, "longer than its limit";
    NotCanonical = 2, Malformed, "not in canonical form";
    UnknownFormat = 3, Unsupported, "unknown format, kind or type";
    CiphertextLength = 10, Malformed, "ciphertext length is not the header's";
    KeyCommitment = 11, Forged, "key does not open to its commitment";
    Aead = 12, Forged, "sealed bytes do not open";
    Padding = 13, Malformed, "padding is not canonical";
    AuthorDevice = 14, Forged, "author's device is not certified for the author";
    RecordSignature = 15, Forged, "record signature does not verify";
    Amends = 16, Forged, "record amends something that is not there";
    RootChain = 20, Forged, "root document is not signed by enough administrators of the one before";
    RootThreshold = 21, Malformed, "root document has an impossible threshold";
    RootDowngrade = 22, Rollback, "root document lowers the minimum format";
    DeviceCertificate = 23, Forged, "device certificate does not verify";
    Founding = 24, Malformed, "founding is missing or out of place";
    AdministratorOnly = 25, Forged, "signer is not an administrator";
    DpoOnly = 26, Forged, "signer is not a data-protection officer";
    RecipientChange = 27, Forged, "recipient version was not made by the member or an administrator";
    IdReused = 28, Forged, "member or device id was used before";
    RestoredDevice = 29, Forged, "restored device is not enrolled by the sole administrator";
    RecoveryRun = 30, Forged, "recovery run is not signed by the recovery key in force";
    KeyringContext = 31, NotForUs, "keyring is for another recipient or stream";
    EpochCommitment = 32, Forged, "epoch key does not open to its commitment";
    SmallOrderShare = 33, Forged, "encapsulation has a share of small order";
    AgeLimits = 34, Malformed, "age file is over its limits or broken";
    RolesChange = 35, Forged, "roles are changed of somebody who is no live member";
    MemberReset = 36, Forged, "reset is of no live member, or names keys that it had before";
    RecipientKey = 37, Forged, "recipient key is none, or of small order";
    Agency = 40, NotForUs, "link is of another agency or stream";
    Chain = 41, Rollback, "sequence or previous link is not the chain's";
    KindOfStream = 42, Malformed, "link kind does not belong in this stream";
    AgencyHead = 43, Rollback, "cited agency head is unknown or went back";
    Signer = 44, Forged, "signer's device is not live";
    LinkSignature = 45, Forged, "link signature does not verify";
    SeenCheckpoint = 46, Forged, "seen checkpoint does not verify";
    Placement = 47, Forged, "placement does not fit the record or wrap stored";
    PlacedTwice = 48, Forged, "record is placed twice";
    ReleaseChanged = 49, Forged, "release commitment differs from the first of its month";
    ReleaseNone = 50, Forged, "release half is used where the root names none, or the reverse";
    CaseOpened = 51, Malformed, "case opening is missing or out of place";
    GrantRights = 60, Malformed, "grant names no right, or a section that does not exist, or leaves out the index";
    GrantorRights = 61, Forged, "grantor does not hold what it gives";
    GrantReused = 62, Forged, "grant id was used before";
    Grantee = 63, Forged, "grantee is not a live member";
    Revocation = 64, Forged, "revocation of a grant that is not live, or by somebody without the right";
    Owner = 65, Forged, "owner change without the right";
    EpochOpener = 66, Forged, "epoch opened by somebody without the right";
    EpochNumber = 67, Malformed, "epoch number is not the next";
    EpochRecipients = 68, Forged, "epoch's recipients are not exactly the holders";
    RecipientVersion = 69, Forged, "epoch names an old or unknown recipient version";
    KeyringsComplete = 70, Malformed, "keyrings are not one for each recipient";
    FromNow = 71, Forged, "grant starts in an epoch that it may not";
    RotationOwed = 72, Forged, "revocation leaves a section neither rotated nor due";
    SectionDue = 73, Forged, "section is due for rotation and takes no record";
    EpochHead = 74, Forged, "record is placed under an epoch that is not the head";
    WriteRight = 75, Forged, "writer does not hold the section with write";
    RecipientsWithin = 76, Forged, "epoch has recipients that are no longer holders";
    PrivateSection = 77, Forged, "private section and private class do not match";
    HistoryEpoch = 78, Forged, "rewrap is not under a history epoch of its records";
    CaseFounding = 79, Forged, "case opening does not open index and core for its owner";
    ErasureTarget = 80, Forged, "erasure names a record that is not there";
    ErasureRight = 81, Forged, "erasure by somebody without the right";
    BodyMissing = 82, Rollback, "bytes are missing without an erasure, or kept after one";
    AccessSequence = 90, Rollback, "access segments or entries have a gap";
    AccessContext = 91, NotForUs, "access segment is for another device or officer";
    AccessBody = 92, Forged, "access entry does not open";
    KdfBounds = 95, Unsupported, "passphrase parameters are outside their bounds";
    Keystore = 96, Forged, "keystore does not open";
    OwnKeys = 97, Forged, "keys are not those of the agency stream";
    StreamHead = 100, Rollback, "stream is not the one whose head was kept";
    StoreHead = 101, Rollback, "store is not the one whose head was kept";
    Dense = 102, Rollback, "rows are missing below the head";
    LocalValue = 103, Forged, "local sealed value is missing or does not open";
    LocalIndex = 104, Forged, "local index does not match the records";
    Unreadable = 105, Malformed, "store cannot be read";
    Payload = 106, Malformed, "sealed payload is not of its schema";
    BackupHead = 107, Forged, "backup does not open";
    BackupTruncated = 108, Malformed, "backup is cut short";
    BackupContent = 109, Forged, "backup was changed or put together from two";
    AttachmentMissing = 110, Rollback, "attachment's file is missing";
    AttachmentLength = 111, Rollback, "attachment's file is not as long as its record says";
    AttachmentChunk = 112, Forged, "chunk of an attachment does not open in its place";
    AttachmentContent = 113, Forged, "attachment's content is not the one that its record names";
    AttachmentNote = 114, Forged, "attachment names no note of its case and section, or has a second version";
    AttachmentStray = 115, Rollback, "file among the attachments that no record names";
    CardWords = 120, Malformed, "recovery card is not as it was written";
    CardSet = 121, NotForUs, "recovery card is of another agency or set";
    CardRepeated = 122, Malformed, "recovery card is there twice";
    CardsMissing = 123, NotForUs, "recovery cards are too few";
    CardsCombine = 124, Forged, "recovery cards do not combine to their set's key";
    CardStale = 125, Rollback, "recovery card is of a key that is no longer in force";
    Ledger = 126, Forged, "erasure ledger does not verify";
    Note = 130, Malformed, "not a signed note";
    Checkpoint = 131, Malformed, "text of a checkpoint is not in its one form";
    CheckpointOrigin = 132, NotForUs, "checkpoint is of another log";
    CheckpointSignature = 133, Forged, "log key did not sign the checkpoint";
    Cosignature = 134, Forged, "witness did not cosign the checkpoint";
    LogEntry = 135, Malformed, "log entry is not 48 bytes";
    LogTile = 136, Forged, "tile is none of this tree";
    LogInclusion = 137, Forged, "leaf is not in the tree";
    LogConsistency = 138, Rollback, "tree is not a continuation of the one before";
    Parcel = 139, Forged, "parcel holds other bytes than its link names";
    ServerSession = 140, NotForUs, "device did not sign for a session with this server";
    LogTwice = 141, Forged, "log has two leaves for one place of a stream";
    Unwitnessed = 142, Rollback, "no witness that the root names has cosigned what is shown of the log within a day";
    EnrolmentSheet = 150, Malformed, "enrolment sheet is not as it was written";
    EnrolmentSeal = 151, Forged, "request or answer of an enrolment does not open";
    EnrolmentContext = 152, NotForUs, "request or answer is of another agency, invite, member or device";
    EnrolmentRollback = 153, Rollback, "server shows an agency that is older than the enrolment sheet, or another";
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CHK-{:02}", self.number())
    }
}

/// Something refused, with the check that refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} ({check})", check.cause())]
pub struct Refused {
    /// The check that failed.
    pub check: Check,
}

impl Refused {
    /// Makes a refusal by `check`.
    pub const fn by(check: Check) -> Self {
        Self { check }
    }
}

impl From<Check> for Refused {
    fn from(check: Check) -> Self {
        Self { check }
    }
}

/// Returns `Ok` if `holds`, and otherwise the refusal by `check`.
///
/// # Errors
/// `check`, unless `holds`.
#[cfg(not(any(test, feature = "forge")))]
pub const fn require(holds: bool, check: Check) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(Refused { check }) }
}

/// As in a release build, but for the check that a test has taken out to see what it is for.
#[cfg(any(test, feature = "forge"))]
#[allow(missing_docs, clippy::missing_errors_doc)]
pub fn require(holds: bool, check: Check) -> Result<(), Refused> {
    if holds || crate::forge::guard::is_off(check) {
        Ok(())
    } else {
        Err(Refused { check })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::Check;
    use std::collections::BTreeSet;

    #[test]
    fn every_check_is_described_in_the_document_and_the_other_way_round() {
        let document = include_str!("../../docs/format.md");
        let mut named = BTreeSet::new();
        for part in document.split("CHK-").skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            if let Ok(number) = digits.parse::<u8>() {
                named.insert(number);
            }
        }
        let coded: BTreeSet<_> = Check::ALL.iter().map(|c| c.number()).collect();
        assert_eq!(coded.len(), Check::ALL.len(), "numbers are unique");
        assert_eq!(named, coded);
    }
}
