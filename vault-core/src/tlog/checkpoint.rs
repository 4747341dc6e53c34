//! Checkpoints: a tree's size and root, signed by the log and cosigned by witnesses (C2SP tlog-checkpoint and
//! tlog-cosignature).

use super::note;
use super::note::KeyName;
use super::note::Kind;
use super::note::NoteSignature;
use super::note::UnverifiedNote;
use super::tree;
use super::tree::Hash;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::PublicKey;
use crate::crypto::sign::Signature;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::id::AgencyId;
use crate::wire::v1::agency::Root;
use crate::wire::v1::agency::Verifier;
use crate::wire::v1::link::Seen;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;

/// A tree, as its log tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Whose log it is.
    pub agency: AgencyId,
    /// How many leaves the tree has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

impl Checkpoint {
    /// Writes its text, three lines.
    pub fn text(&self) -> String {
        let origin = origin(self.agency);
        format!("{origin}\n{}\n{}\n", self.size, BASE64.encode(&self.root.0))
    }

    /// Reads the text of a checkpoint of an agency.
    ///
    /// # Errors
    /// [`Check::Checkpoint`] for anything but the one form of it; [`Check::CheckpointOrigin`] for another log's.
    fn parse(text: &str, agency: AgencyId) -> Result<Self, Refused> {
        let mut lines = text.strip_suffix('\n').ok_or(Check::Checkpoint)?.split('\n');
        let mut line = || lines.next().ok_or(Check::Checkpoint);
        let (origin_line, size, root) = (line()?, line()?, line()?);
        require(origin_line == origin(agency), Check::CheckpointOrigin)?;
        let root = BASE64.decode(root.as_bytes()).map_err(|_| Check::Checkpoint)?;
        let checkpoint = Self {
            agency,
            size: size.parse().map_err(|_| Check::Checkpoint)?,
            root: Hash(root.try_into().map_err(|_| Check::Checkpoint)?),
        };
        // No zeroes before the size, no lines behind the root.
        require(checkpoint.text() == text, Check::Checkpoint)?;
        // Who took another root for the empty tree's would find every tree inconsistent with it.
        let is_empty = checkpoint.root == tree::empty();
        require((checkpoint.size == 0) == is_empty, Check::Checkpoint)?;
        Ok(checkpoint)
    }

    /// Signs it with the log key.
    pub fn sign(&self, key: &SigningKey) -> Signature {
        key.sign_note(self.text().as_bytes())
    }

    /// Cosigns it at `time`, in seconds since 1970, as a witness that saw nothing it contradicts.
    ///
    /// # Errors
    /// [`Check::Note`] for a name that no note can have; [`Check::Cosignature`] for a time that none has.
    pub fn cosign(&self, name: &str, key: &SigningKey, time: u64) -> Result<Cosignature, Refused> {
        require(i64::try_from(time).is_ok(), Check::Cosignature)?;
        Ok(Cosignature {
            witness: Witness::new(name, &key.public())?,
            time,
            signature: key.sign_note(cosigned(&self.text(), time).as_bytes()),
        })
    }

    /// Verifies a log key's signature over it, as a link's `seen` carries one.
    ///
    /// # Errors
    /// [`Check::CheckpointSignature`].
    pub fn require_signed(&self, signature: &Signature, key: &VerifyingKey) -> Result<(), Refused> {
        key.verify_framed(self.text().as_bytes(), signature, Check::CheckpointSignature)
    }
}

/// Returns the first line of an agency's checkpoints, which is also the name of its log key.
pub fn origin(agency: AgencyId) -> String {
    format!("casevault/{}", HEXLOWER.encode(&agency.0))
}

fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A witness: its name and key, as the root names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    name: KeyName,
    key: VerifyingKey,
}

impl Witness {
    /// Reads a witness's key.
    ///
    /// # Errors
    /// [`Check::Note`] for a name that no note can have; [`Check::Cosignature`] for bytes that are no key.
    pub fn new(name: &str, key: &PublicKey) -> Result<Self, Refused> {
        Ok(Self {
            name: KeyName::of(name, Kind::Cosignature, key)?,
            key: VerifyingKey::new(key, Check::Cosignature)?,
        })
    }

    /// Returns the witnesses that a root names. One whose name or key is none can cosign nothing, and is left out.
    pub fn named(root: &Root) -> Vec<Self> {
        root.witnesses.iter().filter_map(Self::of).collect()
    }

    /// Returns the witness that a root names so; nothing where name or key is none.
    pub fn of(verifier: &Verifier) -> Option<Self> {
        Self::new(std::str::from_utf8(&verifier.name).ok()?, &verifier.key).ok()
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name.name
    }

    /// Returns name and key as a root has them.
    pub fn verifier(&self) -> Verifier {
        Verifier {
            name: self.name.name.clone().into_bytes(),
            key: self.key.public(),
        }
    }
}

/// A witness's signature over a checkpoint and a time (C2SP tlog-cosignature, `cosignature/v1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// Whose it is.
    pub witness: Witness,
    /// When, in seconds since 1970 by the witness's clock; below 2^63.
    pub time: u64,
    /// Ed25519, over the time and the checkpoint's text.
    pub signature: Signature,
}

impl Cosignature {
    /// Verifies it, as one that was kept.
    ///
    /// # Errors
    /// [`Check::Cosignature`].
    pub fn verify(&self, checkpoint: &Checkpoint) -> Result<(), Refused> {
        require(i64::try_from(self.time).is_ok(), Check::Cosignature)?;
        let message = cosigned(&checkpoint.text(), self.time);
        let key = &self.witness.key;
        key.verify_framed(message.as_bytes(), &self.signature, Check::Cosignature)
    }
}

/// Returns whose log a note says that it is of, nothing of it verified.
///
/// # Errors
/// [`Check::Note`], [`Check::TooLong`]; [`Check::CheckpointOrigin`] for a log that is none of CaseVault's.
pub fn agency_of(note: &[u8]) -> Result<AgencyId, Refused> {
    let note = UnverifiedNote::parse(note)?;
    agency_named(note.text().split('\n').next().unwrap_or_default())
}

/// Reads an [`origin`].
///
/// # Errors
/// [`Check::CheckpointOrigin`].
pub fn agency_named(name: &str) -> Result<AgencyId, Refused> {
    let id = name.strip_prefix("casevault/").ok_or(Check::CheckpointOrigin)?;
    let id = HEXLOWER.decode(id.as_bytes()).map_err(|_| Check::CheckpointOrigin)?;
    Ok(AgencyId(id.try_into().map_err(|_| Check::CheckpointOrigin)?))
}

/// A checkpoint whose signature was verified, with when each witness cosigned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    signature: Signature,
    cosigned: Vec<Cosignature>,
}

impl SignedCheckpoint {
    /// Opens a log's note.
    ///
    /// # Errors
    /// [`Check::Note`], [`Check::Checkpoint`], [`Check::CheckpointOrigin`]; [`Check::CheckpointSignature`] where the log
    /// key did not sign it once and rightly; [`Check::Cosignature`] where a witness that is known is said to have and
    /// has not.
    pub fn open(note: &[u8], agency: AgencyId, log: &VerifyingKey, witnesses: &[Witness]) -> Result<Self, Refused> {
        let note = UnverifiedNote::parse(note)?;
        let name = KeyName::of(&origin(agency), Kind::Ed25519, &log.public())?;
        let checkpoint = Checkpoint::parse(note.text(), agency)?;
        let mut signed = note.by(&name);
        let (first, more) = (signed.next().ok_or(Check::CheckpointSignature)?, signed.next());
        require(more.is_none(), Check::CheckpointSignature)?;
        let signature = Signature(first.try_into().map_err(|_| Check::CheckpointSignature)?);
        checkpoint.require_signed(&signature, log)?;
        let mut cosigned = Vec::new();
        for witness in witnesses {
            let mut latest: Option<Cosignature> = None;
            for bytes in note.by(&witness.name) {
                let one = require_cosigned(&checkpoint, bytes, witness)?;
                // One that cosigned twice is one witness.
                if latest.as_ref().is_none_or(|known| known.time < one.time) {
                    latest = Some(one);
                }
            }
            cosigned.extend(latest);
        }
        Ok(Self {
            checkpoint,
            signature,
            cosigned,
        })
    }

    /// Returns what was signed.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Returns the log's signature.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Returns the cosignatures of the witnesses that were asked for, the latest of each, all of them verified.
    pub fn cosigned(&self) -> &[Cosignature] {
        &self.cosigned
    }

    /// Returns what a link carries of it.
    pub fn seen(&self) -> Seen {
        Seen {
            size: self.checkpoint.size,
            root: self.checkpoint.root.0,
            signature: self.signature,
        }
    }
}

fn require_cosigned(checkpoint: &Checkpoint, bytes: &[u8], witness: &Witness) -> Result<Cosignature, Refused> {
    let (time, signature) = bytes.split_first_chunk().ok_or(Check::Cosignature)?;
    let one = Cosignature {
        witness: witness.clone(),
        time: u64::from_be_bytes(*time),
        signature: Signature(signature.try_into().map_err(|_| Check::Cosignature)?),
    };
    one.verify(checkpoint)?;
    Ok(one)
}

/// Writes the note of a checkpoint: the log's signature first, then the cosignatures.
///
/// # Errors
/// [`Check::Note`] for a witness's name that no note can have.
pub fn write(
    checkpoint: &Checkpoint,
    signature: &Signature,
    log: &PublicKey,
    cosignatures: &[Cosignature],
) -> Result<String, Refused> {
    let mut lines = vec![NoteSignature {
        key: KeyName::of(&origin(checkpoint.agency), Kind::Ed25519, log)?,
        bytes: signature.0.to_vec(),
    }];
    for one in cosignatures {
        lines.push(NoteSignature {
            key: one.witness.name.clone(),
            bytes: one.time.to_be_bytes().into_iter().chain(one.signature.0).collect(),
        });
    }
    Ok(note::write(&checkpoint.text(), &lines))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::secret::SigningSeed;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32]))
    }

    fn verifying(key: &SigningKey) -> VerifyingKey {
        VerifyingKey::new(&key.public(), Check::LinkSignature).unwrap()
    }

    fn checkpoint(size: u64) -> Checkpoint {
        let root = match size {
            0 => tree::empty(),
            size => tree::leaf(&size.to_be_bytes()),
        };
        let agency = AgencyId([0xa1; 32]);
        Checkpoint { agency, size, root }
    }

    fn noted(one: &Checkpoint, cosigners: &[(&str, u8, u64)]) -> String {
        let log = key(1);
        let cosigned: Vec<_> = cosigners
            .iter()
            .map(|(name, seed, time)| one.cosign(name, &key(*seed), *time).unwrap())
            .collect();
        write(one, &one.sign(&log), &log.public(), &cosigned).unwrap()
    }

    fn open(note: &str, witnesses: &[Witness]) -> Result<SignedCheckpoint, Check> {
        let agency = AgencyId([0xa1; 32]);
        SignedCheckpoint::open(note.as_bytes(), agency, &verifying(&key(1)), witnesses).map_err(|r| r.check)
    }

    fn times(opened: &SignedCheckpoint) -> Vec<(&str, u64)> {
        let cosigned = opened.cosigned().iter();
        cosigned.map(|one| (one.witness.name(), one.time)).collect()
    }

    #[test]
    fn what_is_signed_and_cosigned_is_opened_with_its_times() {
        let one = checkpoint(20_852_163);
        let note = noted(
            &one,
            &[("witness.example/w1", 2, 1_679_315_147), ("other.example", 3, 9)],
        );
        let known = [Witness::new("witness.example/w1", &key(2).public()).unwrap()];
        let twice = noted(&one, &[("witness.example/w1", 2, 8), ("witness.example/w1", 2, 7)]);
        assert_eq!(times(&open(&twice, &known).unwrap()), [("witness.example/w1", 8)]);
        let opened = open(&note, &known).unwrap();
        assert_eq!(*opened.checkpoint(), one);
        assert_eq!(times(&opened), [("witness.example/w1", 1_679_315_147)]);
        assert_eq!(agency_of(note.as_bytes()).unwrap(), one.agency);
        for wrong in ["casevault/a1", "casevault/", "elsewhere/a1"] {
            assert_eq!(agency_named(wrong), Err(Check::CheckpointOrigin.into()), "{wrong}");
        }
        one.require_signed(opened.signature(), &verifying(&key(1))).unwrap();
        assert!(open(&note, &[]).unwrap().cosigned().is_empty());
        assert_eq!(open(&noted(&checkpoint(0), &[]), &[]).unwrap().checkpoint().size, 0);
    }

    #[test]
    fn every_changed_byte_of_a_checkpoint_is_refused() {
        let note = noted(&checkpoint(300), &[("witness.example/w1", 2, 77)]);
        let known = [Witness::new("witness.example/w1", &key(2).public()).unwrap()];
        let opened = open(&note, &known).unwrap();
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut changed = note.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let agency = AgencyId([0xa1; 32]);
                let result = SignedCheckpoint::open(&changed, agency, &verifying(&key(1)), &known);
                // A cosignature whose name or key id is changed is one of somebody who is not known.
                let unknown = result
                    .as_ref()
                    .is_ok_and(|r| r.cosigned().is_empty() && r.checkpoint() == opened.checkpoint());
                assert!(result.is_err() || unknown, "{at} {bit}");
            }
            assert!(open(note.get(..at).unwrap_or_default(), &known).is_err() || at == note.find("— w").unwrap());
        }
    }

    #[test]
    fn chk_131_132_133_a_checkpoint_has_one_form_one_log_and_its_signature() {
        let one = checkpoint(12);
        let text = one.text();
        let sign = |text: &str| {
            let log = key(1);
            let name = KeyName::of(&origin(one.agency), Kind::Ed25519, &log.public()).unwrap();
            let bytes = log.sign_note(text.as_bytes()).0.to_vec();
            note::write(text, &[NoteSignature { key: name, bytes }])
        };
        open(&sign(&text), &[]).unwrap();
        let other = text.replace("casevault/a1", "casevault/a2");
        assert_eq!(open(&sign(&other), &[]), Err(Check::CheckpointOrigin));
        for wrong in [
            text.replace("\n12\n", "\n012\n"),
            text.replace("\n12\n", "\n+12\n"),
            text.replace("\n12\n", "\n-1\n"),
            text.replace("\n12\n", "\n18446744073709551616\n"),
            text.replace("=\n", "\n"),
            text.replace("=\n", "=\nextension\n"),
            text.replace("\n12\n", "\n12\n\n"),
        ] {
            assert_eq!(open(&sign(&wrong), &[]), Err(Check::Checkpoint), "{wrong:?}");
        }
        let rootless = Checkpoint { size: 0, ..one };
        let empty = Checkpoint {
            root: tree::empty(),
            ..one
        };
        for wrong in [rootless, empty] {
            assert_eq!(open(&sign(&wrong.text()), &[]), Err(Check::Checkpoint));
        }
        // Another key's signature; two of the log's.
        let (log, foreign) = (key(1), key(9));
        let note = write(&one, &one.sign(&foreign), &log.public(), &[]).unwrap();
        assert_eq!(open(&note, &[]), Err(Check::CheckpointSignature));
        let note = write(&one, &one.sign(&foreign), &foreign.public(), &[]).unwrap();
        assert_eq!(open(&note, &[]), Err(Check::CheckpointSignature));
        let note = sign(&text);
        let line = note.lines().last().unwrap();
        assert_eq!(open(&format!("{note}{line}\n"), &[]), Err(Check::CheckpointSignature));
    }

    #[test]
    fn chk_134_no_words_are_put_into_the_mouth_of_a_witness_that_is_known() {
        let (one, other) = (checkpoint(5), checkpoint(6));
        let (log, witness) = (key(1), key(2));
        let known = Witness::new("witness.example/w1", &witness.public()).unwrap();
        let name = known.name();
        let elsewhere = other.cosign(name, &witness, 7).unwrap();
        let later = Cosignature {
            time: 8,
            ..one.cosign(name, &witness, 7).unwrap()
        };
        for line in [elsewhere, later] {
            let line = [line];
            let note = write(&one, &one.sign(&log), &log.public(), &line).unwrap();
            assert_eq!(open(&note, std::slice::from_ref(&known)), Err(Check::Cosignature));
        }
        let late = u64::MAX;
        assert_eq!(one.cosign(name, &witness, late), Err(Check::Cosignature.into()));
        let line = [Cosignature {
            witness: known.clone(),
            time: late,
            signature: witness.sign_note(cosigned(&one.text(), late).as_bytes()),
        }];
        let note = write(&one, &one.sign(&log), &log.public(), &line).unwrap();
        assert_eq!(open(&note, &[known]), Err(Check::Cosignature));
        assert!(Witness::new("a witness", &witness.public()).is_err());
        assert!(Witness::new("a+witness", &witness.public()).is_err());
        assert!(Witness::new("", &witness.public()).is_err());
    }
}
