//! Twins of the verified types, with any content and any signature.

use crate::context::Label;
use crate::crypto::sign::Signature;
use crate::crypto::sign::SigningKey;
use crate::record::UnverifiedRecord;
use crate::record::VerifiedRecord;
use crate::stream::UnverifiedLink;
use crate::stream::VerifiedLink;
use crate::wire;
use crate::wire::v1::link::Link;
use crate::wire::v1::record::RecordHeader;

/// A link with any content under any signature.
#[derive(Clone, Debug)]
pub struct LinkTwin {
    /// What it claims.
    pub link: Link,
    /// Whatever stands where a signature should.
    pub signature: Signature,
}

impl LinkTwin {
    /// Signs `link` as its format asks, with any key.
    pub fn signed(link: Link, by: &SigningKey) -> Self {
        let signature = by.sign(Label::LinkSignature, &[&wire::encode(&link).unwrap()]);
        Self { link, signature }
    }

    /// Returns it as a store or server hands it over; refused if it is not even well formed.
    pub fn received(&self) -> Result<UnverifiedLink, crate::check::Refused> {
        UnverifiedLink::decode(&wire::encode(&self.link)?, self.signature)
    }

    /// Returns it as if it had been verified.
    pub fn verified(&self) -> VerifiedLink {
        VerifiedLink::forged(UnverifiedLink::forged(self.link.clone(), self.signature))
    }
}

/// A record with any parts.
#[derive(Clone)]
pub struct RecordTwin {
    /// What it claims.
    pub header: RecordHeader,
    /// Whatever stands where the ciphertext should.
    pub ciphertext: Vec<u8>,
    /// Whatever stands where a signature should.
    pub signature: Signature,
}

impl RecordTwin {
    /// Takes an honest record apart.
    pub fn of(record: &VerifiedRecord) -> Self {
        Self {
            header: record.header().clone(),
            ciphertext: record.ciphertext().to_vec(),
            signature: *record.signature(),
        }
    }

    /// Signs the parts as they now are, with any key.
    pub fn sign(&mut self, by: &SigningKey) {
        let header = wire::encode(&self.header).unwrap();
        let ciphertext = crate::crypto::hash::hash(Label::CiphertextHash, &[&self.ciphertext]);
        self.signature = by.sign(Label::RecordSignature, &[&header, &ciphertext]);
    }

    /// Returns it as a store or server hands it over.
    pub fn received(&self) -> Result<UnverifiedRecord, crate::check::Refused> {
        UnverifiedRecord::new(self.header.clone(), self.ciphertext.clone(), self.signature)
    }

    /// Returns it without any check of its form.
    pub fn unchecked(&self) -> UnverifiedRecord {
        UnverifiedRecord::forged(self.header.clone(), self.ciphertext.clone(), self.signature)
    }
}
