//! Signed notes (C2SP signed-note): a text, and lines with the signatures over it.

use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::crypto::sign::PublicKey;
use crate::crypto::sign::SigningKey;
use crate::secret::SigningSeed;
use crate::wire::v1::agency::Verifier;
use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use sha2::Digest;
use sha2::Sha256;
use std::fmt::Write;
use zeroize::Zeroizing;

/// Longest note, in bytes: room for far more signatures than there are witnesses.
pub const LONGEST: usize = 1 << 16;

/// Most signatures of a note.
pub const SIGNATURES: usize = 64;

/// The kind of a signature, which is part of its key's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ed25519 over the text.
    Ed25519,
    /// Ed25519 over the text of a checkpoint and a time (C2SP tlog-cosignature).
    Cosignature,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A key as a note names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// Whose it is: not empty, without spaces and `+`.
    pub name: String,
    /// The first four bytes of the hash of name, kind and key.
    pub id: [u8; 4],
}

impl KeyName {
    /// Names a key.
    ///
    /// # Errors
    /// [`Check::Note`] for a name that no note can have.
    pub fn of(name: &str, kind: Kind, key: &PublicKey) -> Result<Self, Refused> {
        require(is_name(name), Check::Note)?;
        let hash = Sha256::new_with_prefix(name)
            .chain_update([b'\n', kind.byte()])
            .chain_update(key.0)
            .finalize();
        let id = hash.first_chunk().copied().unwrap_or_default();
        let name = name.to_owned();
        Ok(Self { name, id })
    }

    /// Writes the key as others are given it: `name+id+key`.
    pub fn verifier(&self, kind: Kind, key: &PublicKey) -> String {
        let Self { name, id } = self;
        let id = data_encoding::HEXLOWER.encode(id);
        let key: Vec<u8> = std::iter::once(kind.byte()).chain(key.0).collect();
        format!("{name}+{id}+{}", BASE64.encode(&key))
    }
}

/// Writes a key of this name and kind as [`KeyName::verifier`] does.
///
/// # Errors
/// [`Check::Note`] for a name that no note can have.
pub fn write_verifier(name: &str, kind: Kind, key: &PublicKey) -> Result<String, Refused> {
    Ok(KeyName::of(name, kind, key)?.verifier(kind, key))
}

/// Reads a key as [`write_verifier`] writes it, of this kind; a line break at its end is left out.
///
/// # Errors
/// [`Check::Note`] for anything else.
pub fn read_verifier(text: &str, kind: Kind) -> Result<Verifier, Refused> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (name, rest) = text.split_once('+').ok_or(Check::Note)?;
    let (_, key) = rest.split_once('+').ok_or(Check::Note)?;
    let key = BASE64.decode(key.as_bytes()).map_err(|_| Check::Note)?;
    let key = key.strip_prefix(&[kind.byte()]).ok_or(Check::Note)?;
    let key = PublicKey(key.try_into().map_err(|_| Check::Note)?);
    // Another text of the same key, or another id than the key's, is none of it.
    require(write_verifier(name, kind, &key)? == text, Check::Note)?;
    Ok(Verifier {
        name: name.as_bytes().to_vec(),
        key,
    })
}

/// What a secret key begins with, as the package that signed notes come from writes it.
const SECRET: &str = "PRIVATE+KEY+";

/// Writes a secret key as others' tools read it, a line: `PRIVATE+KEY+name+id+seed`.
///
/// # Errors
/// [`Check::Note`] for a name that no note can have.
pub fn write_secret(name: &str, kind: Kind, seed: &SigningSeed) -> Result<Zeroizing<String>, Refused> {
    let key = SigningKey::from_seed(seed).public();
    let id = HEXLOWER.encode(&KeyName::of(name, kind, &key)?.id);
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(std::iter::once(kind.byte()).chain(*seed.expose()).collect());
    let seed = Zeroizing::new(BASE64.encode(&bytes));
    Ok(Zeroizing::new(format!("{SECRET}{name}+{id}+{}\n", seed.as_str())))
}

/// Reads what [`write_secret`] writes: the name, and the seed.
///
/// # Errors
/// [`Check::Note`] for anything else.
pub fn read_secret(text: &str, kind: Kind) -> Result<(String, SigningSeed), Refused> {
    let rest = text.strip_prefix(SECRET).ok_or(Check::Note)?;
    let mut parts = rest.trim_end_matches('\n').splitn(3, '+');
    let (name, _, seed) = (parts.next(), parts.next(), parts.next().ok_or(Check::Note)?);
    let bytes = Zeroizing::new(BASE64.decode(seed.as_bytes()).map_err(|_| Check::Note)?);
    let seed = bytes.strip_prefix(&[kind.byte()]).ok_or(Check::Note)?;
    let seed = SigningSeed::from_bytes(seed.try_into().map_err(|_| Check::Note)?);
    let name = name.ok_or(Check::Note)?.to_owned();
    require(*write_secret(&name, kind, &seed)? == text, Check::Note)?;
    Ok((name, seed))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// One line of signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Under which key.
    pub key: KeyName,
    /// The signature's bytes, as its kind has them.
    pub bytes: Vec<u8>,
}

/// A note, none of its signatures looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl UnverifiedNote {
    /// Reads a note.
    ///
    /// # Errors
    /// [`Check::TooLong`]; [`Check::Note`] for what is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        require(bytes.len() <= LONGEST, Check::TooLong)?;
        let whole = std::str::from_utf8(bytes).map_err(|_| Check::Note)?;
        require(!whole.contains(|c: char| c < ' ' && c != '\n'), Check::Note)?;
        // The text goes to the last empty line.
        let at = whole.rfind("\n\n").ok_or(Check::Note)?;
        let (text, lines) = (whole.get(..at + 1).unwrap_or_default(), whole.get(at + 2..));
        let lines = lines.and_then(|lines| lines.strip_suffix('\n')).ok_or(Check::Note)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            require(signatures.len() < SIGNATURES, Check::TooLong)?;
            let line = line.strip_prefix("— ").and_then(|line| line.split_once(' '));
            let (name, encoded) = line.ok_or(Check::Note)?;
            let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| Check::Note)?;
            // The decoder takes several padded texts one after the other.
            require(BASE64.encode(&bytes) == encoded, Check::Note)?;
            let (id, bytes) = bytes.split_first_chunk().ok_or(Check::Note)?;
            require(is_name(name) && !bytes.is_empty(), Check::Note)?;
            let (name, id, bytes) = (name.to_owned(), *id, bytes.to_vec());
            let key = KeyName { name, id };
            signatures.push(NoteSignature { key, bytes });
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Returns the text, to be believed under no key yet.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns all signatures, of whomever they say that they are.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Returns the signatures that say that they are by a key; none need be.
    pub fn by<'n>(&'n self, key: &'n KeyName) -> impl Iterator<Item = &'n [u8]> {
        let signatures = self.signatures.iter();
        signatures
            .filter(move |one| one.key == *key)
            .map(|one| one.bytes.as_slice())
    }
}

/// Writes a note.
pub fn write(text: &str, signatures: &[NoteSignature]) -> String {
    let mut note = format!("{text}\n");
    for NoteSignature { key, bytes } in signatures {
        let whole: Vec<u8> = key.id.iter().chain(bytes).copied().collect();
        // A string takes what is written to it.
        let _ = writeln!(note, "— {} {}", key.name, BASE64.encode(&whole));
    }
    note
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::crypto::sign::Signature;
    use crate::crypto::sign::VerifyingKey;

    /// The example of the package that signed notes come from (golang.org/x/mod/sumdb/note).
    const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem \
                        is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp\
                        RZb6KE6RyyBwJnAM=\n";
    const VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    fn key() -> PublicKey {
        let bytes = BASE64.decode(VERIFIER.split('+').nth(2).unwrap().as_bytes());
        // The key itself may hold a `+`; this one does not.
        PublicKey(bytes.unwrap()[1..].try_into().unwrap())
    }

    #[test]
    fn a_published_note_is_read_verified_and_written_again() {
        let name = KeyName::of("PeterNeumann", Kind::Ed25519, &key()).unwrap();
        assert_eq!(name.verifier(Kind::Ed25519, &key()), VERIFIER);
        let note = UnverifiedNote::parse(NOTE.as_bytes()).unwrap();
        let signatures: Vec<&[u8]> = note.by(&name).collect();
        let signature = Signature(signatures[0].try_into().unwrap());
        let verifying = VerifyingKey::new(&key(), Check::Note).unwrap();
        verifying
            .verify_framed(note.text().as_bytes(), &signature, Check::Note)
            .unwrap();
        assert_eq!(write(note.text(), &note.signatures), NOTE);
        // A key of the same name is another one.
        assert_eq!(
            note.by(&KeyName::of("PeterNeumann", Kind::Cosignature, &key()).unwrap())
                .count(),
            0
        );
    }

    #[test]
    fn chk_130_what_is_no_note_is_refused() {
        let (text, line) = NOTE.split_once("\n\n").unwrap();
        let line = line.trim_end();
        for wrong in [
            String::new(),
            "\n".to_owned(),
            "\n\n".to_owned(),
            format!("{text}\n"),
            format!("{text}\n\n"),
            format!("{text}\n\n\n"),
            format!("{text}\n\n{line}"),
            format!("{text}\n\n{line}\n\n"),
            format!("{text}\n\n{line}\nmore\n"),
            format!("{text}\n\n- {}\n", line.trim_start_matches("— ")),
            format!("{text}\n\n—  {}\n", line.trim_start_matches("— ")),
            format!("{text}\n\n{} \n", line),
            format!("{text}\n\n{}\n", line.replace("PeterNeumann", "Peter+Neumann")),
            format!("{text}\n\n— PeterNeumann x08goA==\n"),
            format!("{text}\n\n— PeterNeumann x08g\n"),
            format!("{text}\n\n{line}Aw==\n"),
            format!("{text}\n\n{}\n", line.trim_end_matches('=')),
            format!("{text}\t\n\n{line}\n"),
            format!("{text}\r\n\n{line}\n"),
        ] {
            assert_eq!(
                UnverifiedNote::parse(wrong.as_bytes()),
                Err(Check::Note.into()),
                "{wrong:?}"
            );
        }
        assert!(UnverifiedNote::parse(&[text.as_bytes(), b"\xff\n\n", line.as_bytes(), b"\n"].concat()).is_err());
        let many = format!("{text}\n\n{}", format!("{line}\n").repeat(SIGNATURES));
        assert!(UnverifiedNote::parse(many.as_bytes()).is_ok());
        let more = format!("{many}{line}\n");
        assert_eq!(UnverifiedNote::parse(more.as_bytes()), Err(Check::TooLong.into()));
        let long = format!("{}\n\n{line}\n", "x".repeat(LONGEST));
        assert_eq!(UnverifiedNote::parse(long.as_bytes()), Err(Check::TooLong.into()));
    }

    #[test]
    fn the_text_may_hold_empty_lines() {
        let note = UnverifiedNote::parse(NOTE.replace("problem,\n", "problem,\n\n").as_bytes()).unwrap();
        assert!(note.text().contains("problem,\n\nthen"));
    }

    #[test]
    fn keys_are_read_as_they_are_written_and_not_otherwise() {
        let of_log = read_verifier(VERIFIER, Kind::Ed25519).unwrap();
        assert_eq!((of_log.name.as_slice(), of_log.key), (&b"PeterNeumann"[..], key()));
        assert_eq!(read_verifier(&format!("{VERIFIER}\n"), Kind::Ed25519).unwrap(), of_log);
        assert!(read_verifier(VERIFIER, Kind::Cosignature).is_err());
        for at in 0..VERIFIER.len() {
            let mut changed = VERIFIER.to_owned().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8_lossy(&changed).into_owned();
            assert!(read_verifier(&changed, Kind::Ed25519).is_err(), "{at}");
            assert!(read_verifier(&VERIFIER[..at], Kind::Ed25519).is_err(), "{at}");
        }
        let seed = SigningSeed::from_bytes([5; 32]);
        let written = write_secret("witness.example/w1", Kind::Cosignature, &seed).unwrap();
        assert!(written.starts_with("PRIVATE+KEY+witness.example/w1+"));
        let read = read_secret(&written, Kind::Cosignature).unwrap();
        assert_eq!(read, ("witness.example/w1".to_owned(), seed.duplicate()));
        assert!(read_secret(&written, Kind::Ed25519).is_err());
        assert!(read_secret(&format!("{}\n", written.as_str()), Kind::Cosignature).is_err());
        for at in 0..written.len() {
            assert!(read_secret(&written[..at], Kind::Cosignature).is_err(), "{at}");
        }
        assert!(write_secret("a witness", Kind::Cosignature, &seed).is_err());
    }
}
