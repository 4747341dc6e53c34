//! The append-only registry of context labels.
//!
//! Every hash, signature, MAC and derivation begins with one (`docs/format.md` §2), so that nothing made for one
//! purpose can be taken for another. A new use is a new line here and in the document, never a shared label.

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// A context label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Label { $($(#[$doc])* $name),+ }

        impl Label {
            /// Every label, in the registry's order.
            pub const ALL: &'static [Label] = &[$(Label::$name),+];

            /// Returns `u8(length) || label`, the prefix of everything made under it.
            pub(crate) const fn prefix(self) -> &'static [u8] {
                match self { $(Label::$name => {
                    const TEXT: &str = concat!("casevault/1 ", $text);
                    const FRAMED: [u8; TEXT.len() + 1] = framed_text(TEXT);
                    &FRAMED
                }),+ }
            }

            /// Returns the label's text.
            pub const fn text(self) -> &'static str {
                match self { $(Label::$name => concat!("casevault/1 ", $text)),+ }
            }
        }
    };
}

labels! {
    /// Hash of root document version 1.
    AgencyId = "agency id",
    /// Hash of a root document.
    RootHash = "root hash",
    /// Hash of a record's ciphertext.
    CiphertextHash = "ciphertext hash",
    /// Hash of header and ciphertext hash.
    RecordHash = "record hash",
    /// Hash of a link's signed bytes.
    LinkId = "link id",
    /// Hash of a record key's wrap.
    WrapHash = "wrap hash",
    /// Hash of an age file that carries keys.
    KeyringHash = "keyring hash",
    /// Hash of a sealed access entry.
    AccessBodyHash = "access body hash",
    /// Hash of the sealed manifest of an access entry.
    ManifestHash = "manifest hash",
    /// Hash of a list of releases asked for.
    ReleaseListHash = "release list hash",
    /// Hash of padded plaintext, an input of the record key.
    PlaintextHash = "plaintext hash",
    /// Hash of a policy set.
    PolicySet = "policy set",
    /// Running hash over all links of a store.
    CommitOrder = "commit order",
    /// Signature over a root document, by an administrator's identity key.
    RootSignature = "root signature",
    /// Signature over a device certificate, by the member's identity key.
    DeviceCertificate = "device certificate",
    /// Signature over header and ciphertext hash, by the author's device.
    RecordSignature = "record signature",
    /// Signature over a link, by a device.
    LinkSignature = "link signature",
    /// Signature over a release commitment, by the log key.
    ReleaseCommitment = "release commitment",
    /// Derivation of a record key.
    RecordKey = "record key",
    /// Derivation of commitment, key and nonce of a record.
    RecordSeal = "record seal",
    /// Derivation of a section key.
    SectionKey = "section key",
    /// Derivation of key and nonce of a wrap.
    WrapSeal = "wrap seal",
    /// Commitment to an epoch key.
    EpochCommitment = "epoch commitment",
    /// Derivation of the fresh part of an access entry.
    AccessFresh = "access fresh",
    /// Derivation of commitment, key and nonce of an access entry.
    AccessEntry = "access entry",
    /// Derivation of commitment, key and nonce of a manifest.
    AccessManifest = "access manifest",
    /// Derivation of the next ratchet state.
    AccessNext = "access next",
    /// Derivation of commitment, key and nonce of the keystore.
    KeystoreSeal = "keystore seal",
    /// Derivation of commitment, key and nonce of a local sealed value.
    LocalSeal = "local seal",
    /// Derivation of the key that seals local values.
    LocalStateKey = "local state key",
    /// Derivation of the key of the local index.
    LocalIndexKey = "local index key",
    /// Derivation of the key of the head MACs.
    LocalHeadKey = "local head key",
    /// MAC of a verified stream head.
    StreamHead = "stream head",
    /// MAC of the store's head.
    StoreHead = "store head",
    /// MAC that keys a local index entry.
    IndexEntry = "index entry",
    /// MAC of an imported line's content.
    IndexContent = "index content",
    /// Derivation of an attachment's content key.
    AttachmentKey = "attachment key",
    /// Derivation of key and nonce prefix of an attachment's chunks.
    AttachmentSeal = "attachment seal",
    /// Hash of one sealed chunk; no longer made.
    AttachmentChunk = "attachment chunk",
    /// Hash of an attachment's file, out of its chunks' hashes; no longer made.
    AttachmentFile = "attachment file",
    /// Hash that names an attachment's file.
    AttachmentName = "attachment name",
    /// Hash of a backup's head.
    BackupHead = "backup head",
    /// Hash of a set of recovery cards.
    RecoverySet = "recovery set",
    /// Hash of a recovery card, whose first bytes are its check.
    RecoveryCard = "recovery card",
    /// Signature over an enrolment by a restore, by the sole administrator's identity key.
    RestoredDevice = "restored device",
    /// Signature over an enrolment by a recovery run, by the recovery key.
    RecoveryRun = "recovery run",
    /// Signature over an erasure ledger, by a device.
    ErasureLedger = "erasure ledger",
    /// Derivation of commitment, key and nonce of a backup's seed.
    BackupSeal = "backup seal",
    /// Derivation of the recovery recipient's seed.
    RecoveryRecipient = "recovery recipient",
    /// Derivation of the recovery signing seed.
    RecoverySigning = "recovery signing",
    /// Hash of a stream and a place in it, whose first bytes are a log entry's tag.
    LogTag = "log tag",
    /// Signature over the statement that begins a session with a server, by a device.
    ServerSession = "server session",
    /// Signature over a session of a device that a restore made, by the sole administrator's identity key.
    RestoredSession = "restored session",
    /// MAC of a challenge that a server gives out.
    ServerChallenge = "server challenge",
    /// MAC of the token of a session.
    ServerToken = "server token",
    /// Hash of an enrolment sheet without its secret: the salt of its keys.
    EnrolmentSheet = "enrolment sheet",
    /// Hash of an enrolment sheet, whose first bytes are its check.
    EnrolmentCheck = "enrolment check",
    /// Hash of a row of an enrolment sheet, whose first bits are the row's check.
    EnrolmentRow = "enrolment row",
    /// Derivation of an invite's id and of the joining device's.
    EnrolmentIds = "enrolment ids",
    /// Derivation of commitment, key and nonce of a request to join.
    EnrolmentRequest = "enrolment request",
    /// Derivation of commitment, key and nonce of the answer to one.
    EnrolmentAnswer = "enrolment answer",
    /// Hash of a sealed request to join.
    JoinRequestHash = "join request hash",
    /// Derivation of commitment, key and nonce of what a device keeps while it waits to be enrolled.
    JoiningSeal = "joining seal",
}

/// Puts a label's length before it, at compile time.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler alone"
)]
const fn framed_text<const N: usize>(text: &str) -> [u8; N] {
    let bytes = text.as_bytes();
    assert!(bytes.len() < 256 && bytes.len() + 1 == N);
    let mut out = [bytes.len() as u8; N];
    let mut at = 0;
    while at < bytes.len() {
        out[at + 1] = bytes[at];
        at += 1;
    }
    out
}

/// Returns the prefix of `label` followed by `parts`, as one buffer.
pub(crate) fn framed(label: Label, parts: &[&[u8]]) -> Vec<u8> {
    let prefix = label.prefix();
    let mut out = Vec::with_capacity(prefix.len() + parts.iter().map(|p| p.len()).sum::<usize>());
    out.extend_from_slice(prefix);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::Label;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_labels_are_equal_and_all_fit_their_length_byte() {
        let texts: BTreeSet<_> = Label::ALL.iter().map(|l| l.text()).collect();
        assert_eq!(texts.len(), Label::ALL.len());
        assert!(texts.iter().all(|t| t.len() < usize::from(b'A') && t.is_ascii()));
    }

    #[test]
    fn the_document_lists_exactly_the_registry() {
        let document = include_str!("../../docs/format.md");
        let listed: BTreeSet<_> = document
            .lines()
            .filter_map(|l| l.strip_prefix("| `casevault/1 "))
            .map(|l| l.split('`').next().unwrap())
            .collect();
        let registry: BTreeSet<_> = Label::ALL
            .iter()
            .map(|l| l.text().strip_prefix("casevault/1 ").unwrap())
            .collect();
        assert_eq!(listed, registry);
    }
}
