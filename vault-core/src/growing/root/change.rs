//! What a proposed root changes, part by part, for whoever is asked to sign it.

use crate::id::MemberId;
use crate::tlog::note;
use crate::tlog::note::Kind;
use crate::wire;
use crate::wire::v1::agency::Operation;
use crate::wire::v1::agency::RecipientKey;
use crate::wire::v1::agency::RoleRecipient;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::Verifier;
use data_encoding::HEXLOWER;
use sha2::Digest;
use sha2::Sha256;

/// A part of the root document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RootPart {
    /// An administrator, by its identity key.
    Administrator(MemberId),
    /// How many administrators an operation needs.
    Signatures(Operation),
    /// The log's key.
    Log,
    /// A witness of the log.
    Witness,
    /// The recovery key.
    Recovery,
    /// The data-protection role's recipient.
    DataProtection,
    /// The duty role's recipient.
    Duty,
    /// The sections.
    Sections,
    /// The version of the release secret.
    Release,
    /// The lowest format that is accepted.
    Format,
    /// What has no words of its own: it is signed blindly, or not at all.
    Other,
}

/// A part that the next root has otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootChange {
    /// Which part.
    pub part: RootPart,
    /// What it is in the root in force; nothing where it is new.
    pub before: Option<String>,
    /// What it is in the next root; nothing where it goes.
    pub after: Option<String>,
}

/// Compares the root in force with the next one. Whatever differs beside the version and the hash of the one before has at
/// least one row.
pub(super) fn between(last: &Root, next: &Root) -> Vec<RootChange> {
    let (old, new) = (parts(last), parts(next));
    let gone = old.iter().filter(|one| !new.contains(one));
    let come = new.iter().filter(|one| !old.contains(one));
    let mut changes: Vec<RootChange> = Vec::new();
    for (part, text) in gone {
        changes.push(RootChange {
            part: *part,
            before: Some(text.clone()),
            after: None,
        });
    }
    for (part, text) in come {
        // Witnesses are a list of equals: one of them is not the other, changed.
        let same = |one: &&mut RootChange| one.part == *part && one.after.is_none() && *part != RootPart::Witness;
        match changes.iter_mut().find(same) {
            Some(one) => one.after = Some(text.clone()),
            None => changes.push(RootChange {
                part: *part,
                before: None,
                after: Some(text.clone()),
            }),
        }
    }
    changes.sort_by_key(|one| one.part);
    changes
}

/// The root, part by part, each in words that differ when it differs.
fn parts(root: &Root) -> Vec<(RootPart, String)> {
    let mut parts = Vec::new();
    let mut put = |part, text: String| parts.push((part, text));
    for one in &root.administrators {
        put(
            RootPart::Administrator(one.member),
            format!("key {}", hex(&one.identity.0)),
        );
    }
    for one in &root.thresholds {
        put(RootPart::Signatures(one.operation), one.administrators.to_string());
    }
    if let Some(log) = &root.log {
        put(RootPart::Log, verifier(log, Kind::Ed25519));
    }
    for witness in &root.witnesses {
        put(RootPart::Witness, verifier(witness, Kind::Cosignature));
    }
    let recovery = &root.recovery;
    let keys = format!(
        "{}, signs with {}",
        fingerprint(&recovery.recipient),
        hex(&recovery.signing.0)
    );
    put(
        RootPart::Recovery,
        format!("version {}, opens with {keys}", recovery.version),
    );
    put(RootPart::DataProtection, role(&root.dpo));
    if let Some(duty) = &root.duty {
        put(RootPart::Duty, role(duty));
    }
    let section = |one: &wire::v1::agency::SectionRule| match one.duty {
        0 => one.section.0.to_string(),
        _ => format!("{} (duty)", one.section.0),
    };
    let sections: Vec<String> = root.sections.iter().map(section).collect();
    put(RootPart::Sections, sections.join(", "));
    put(RootPart::Release, root.release_version.to_string());
    let formats = format!("{}, written in {}", root.minimum_format, root.format);
    put(RootPart::Format, formats);
    put(RootPart::Other, format!("salt {}", hex(&root.salt)));
    parts
}

fn role(role: &RoleRecipient) -> String {
    format!("epoch {}, opens with {}", role.epoch, fingerprint(&role.recipient))
}

/// A key's line as other tools take it, or its bytes where no note can have its name.
fn verifier(one: &Verifier, kind: Kind) -> String {
    let name = std::str::from_utf8(&one.name).ok();
    let line = name.and_then(|name| note::write_verifier(name, kind, &one.key).ok());
    line.unwrap_or_else(|| format!("{} {}", hex(&one.name), hex(&one.key.0)))
}

/// The SHA-256 of a recipient's bytes, in hex: the key itself is longer than anybody compares.
fn fingerprint(key: &RecipientKey) -> String {
    hex(&Sha256::digest(key.0))
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
