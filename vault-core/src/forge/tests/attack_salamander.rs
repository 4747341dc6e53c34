//! Attack 28: one ciphertext that opens under two keys (Len, Grubbs and Ristenpart 2021; "invisible salamanders").
//!
//! Poly1305 is a polynomial over a field whose coefficients are the blocks, so that one free block makes the tags of two
//! keys meet. The forgery here is complete: two keys open one ciphertext, properly padded, to two texts, a worker's and a
//! court's. What stops it is the commitment to the key, and nothing else.

use super::refused;
use super::still_works;
use crate::check::Check;
use crate::context::Label;
use crate::crypto::aead;
use crate::crypto::aead::Sealer;
use crate::crypto::hash::derive;
use crate::forge::CaseFile;
use crate::forge::World;
use crate::forge::guard;
use crate::forge::twin::RecordTwin;
use crate::secret::RecordKey;
use crate::wire;
use crate::wire::v1::record::RecordHeader;
use crate::wire::v1::stream::Section;

/// Bytes of the padded texts.
const PADDED: usize = 256;
/// The ciphertext block that is solved for.
const FREE: usize = 7;

/// A number below p = 2^130 - 5: bits from 128 up, and the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Field(u128, u128);

const P: Field = Field(3, u128::MAX - 4);

impl Field {
    const ONE: Self = Self(0, 1);

    /// A block as Poly1305 reads it: little-endian, with a bit above its last byte.
    fn block(bytes: &[u8]) -> Self {
        Self(1, u128::from_le_bytes(bytes.try_into().unwrap()))
    }

    fn reduced(self) -> Self {
        if (self.0, self.1) >= (P.0, P.1) {
            let (low, borrow) = self.1.overflowing_sub(P.1);
            Self(self.0 - P.0 - u128::from(borrow), low)
        } else {
            self
        }
    }

    fn plus(self, other: Self) -> Self {
        let (low, carry) = self.1.overflowing_add(other.1);
        Self(self.0 + other.0 + u128::from(carry), low).reduced()
    }

    fn minus(self, other: Self) -> Self {
        let (low, borrow) = P.1.overflowing_sub(other.1);
        self.plus(Self(P.0 - other.0 - u128::from(borrow), low).reduced())
    }

    fn bit(self, at: u32) -> bool {
        if at < 128 {
            self.1 >> at & 1 == 1
        } else {
            self.0 >> (at - 128) & 1 == 1
        }
    }

    fn times(self, other: Self) -> Self {
        (0..130).rev().fold(Self(0, 0), |sum, at| {
            let doubled = sum.plus(sum);
            if other.bit(at) { doubled.plus(self) } else { doubled }
        })
    }

    fn power(self, exponent: Self) -> Self {
        (0..130).rev().fold(Self::ONE, |product, at| {
            let squared = product.times(product);
            if exponent.bit(at) { squared.times(self) } else { squared }
        })
    }

    fn inverse(self) -> Self {
        self.power(Self(P.0, P.1 - 2))
    }
}

fn quarter(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (sum, add, mix, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
        x[sum] = x[sum].wrapping_add(x[add]);
        x[mix] = (x[mix] ^ x[sum]).rotate_left(turn);
    }
}

/// The 20 rounds of ChaCha over constants, key and 16 bytes of counter and nonce (RFC 8439 §2.3), not added up.
fn rounds(key: &[u8], input: &[u8]) -> ([u32; 16], [u32; 16]) {
    let text = [b"expand 32-byte k", key, input].concat();
    let words: Vec<u32> = text
        .chunks(4)
        .map(|w| u32::from_le_bytes(w.try_into().unwrap()))
        .collect();
    let start: [u32; 16] = words.try_into().unwrap();
    let mut x = start;
    for _ in 0..10 {
        for column in 0..4 {
            quarter(&mut x, column, column + 4, column + 8, column + 12);
        }
        for (a, b, c, d) in [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)] {
            quarter(&mut x, a, b, c, d);
        }
    }
    (start, x)
}

fn bytes(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// The one-time key of Poly1305 under an XChaCha20 key and nonce (draft-irtf-cfrg-xchacha-03 §2).
fn one_time(key: &[u8], nonce: &[u8]) -> (Field, u128) {
    let (_, mixed) = rounds(key, &nonce[..16]);
    let subkey = bytes(mixed[..4].iter().chain(&mixed[12..]).copied());
    let (start, mixed) = rounds(&subkey, &[&[0; 8], &nonce[16..]].concat());
    let block = bytes(start.iter().zip(mixed).map(|(a, b)| a.wrapping_add(b)));
    let half = |at: usize| u128::from_le_bytes(block[at..at + 16].try_into().unwrap());
    (Field(0, half(0) & 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff), half(16))
}

/// What one key makes of a ciphertext.
struct Side {
    key: RecordKey,
    keystream: Vec<u8>,
    r: Field,
    s: u128,
}

impl Side {
    fn of(seed: u32) -> Self {
        let mut bytes = [0x5a; 32];
        bytes[..4].copy_from_slice(&seed.to_be_bytes());
        let okm = derive::<88>(Label::RecordSeal, &bytes, &[]);
        let (key, nonce) = (aead::part::<32>(&okm[..], 32), aead::part::<24>(&okm[..], 64));
        let mut keystream = vec![0; PADDED];
        aead::seal(&key, &nonce, &[], &mut keystream).unwrap();
        keystream.truncate(PADDED);
        let (r, s) = one_time(&key, &nonce);
        Self {
            key: RecordKey::from_bytes(bytes),
            keystream,
            r,
            s,
        }
    }

    fn commitment(&self) -> [u8; 32] {
        Sealer::derive(Label::RecordSeal, self.key.expose(), &[]).commitment()
    }

    /// The polynomial over all blocks (RFC 8439 §2.5), before `s` is added.
    fn polynomial(&self, blocks: &[Field]) -> Field {
        blocks.iter().fold(Field(0, 0), |h, block| h.plus(*block).times(self.r))
    }
}

/// The blocks that the tag is over: associated data and ciphertext, each filled up with zeros, and their lengths.
fn blocks(header: &[u8], ciphertext: &[u8]) -> Vec<Field> {
    let filled = |text: &[u8]| {
        let mut text = text.to_vec();
        text.resize(text.len().next_multiple_of(16), 0);
        text
    };
    let lengths = [header.len() as u64, ciphertext.len() as u64]
        .map(u64::to_le_bytes)
        .concat();
    let all = [filled(header), filled(ciphertext), lengths].concat();
    all.chunks(16).map(Field::block).collect()
}

/// Two keys that agree in the last byte of their keystreams, so that one byte is the padding's mark under both.
fn agreeing() -> (Side, Side) {
    let one = Side::of(0);
    let other = (1..)
        .map(Side::of)
        .find(|two| two.keystream[PADDED - 1] == one.keystream[PADDED - 1]);
    (one, other.unwrap())
}

/// Solves for the free block: `difference` is what the tags' polynomials must differ by.
fn solved(header: &[u8], ciphertext: &mut [u8], one: &Side, two: &Side) -> Option<[u8; 16]> {
    ciphertext[FREE * 16..FREE * 16 + 16].fill(0);
    let mut all = blocks(header, ciphertext);
    let free = header.len().div_ceil(16) + FREE;
    let below = (all.len() - free) as u128;
    all[free] = Field(0, 0);
    let rest = one.polynomial(&all).minus(two.polynomial(&all));
    let factor = one
        .r
        .power(Field(0, below))
        .minus(two.r.power(Field(0, below)))
        .inverse();
    let apart = two.s.wrapping_sub(one.s);
    // The polynomials are compared modulo 2^128 and solved modulo p: try what they may differ by above 2^128.
    let wanted = (0..4).flat_map(|high| {
        let plus = Field(high, apart).reduced();
        let minus = Field(0, 0).minus(Field(high, apart.wrapping_neg()).reduced());
        [plus, minus]
    });
    for difference in wanted {
        let block = difference.minus(rest).times(factor);
        if block.0 != 1 {
            continue;
        }
        ciphertext[FREE * 16..FREE * 16 + 16].copy_from_slice(&block.1.to_le_bytes());
        let all = blocks(header, ciphertext);
        let tags = [one, two].map(|side| side.polynomial(&all).1.wrapping_add(side.s).to_le_bytes());
        if tags[0] == tags[1] {
            return Some(tags[0]);
        }
    }
    None
}

#[test]
fn attack_28_one_ciphertext_for_two_keys_is_stopped_by_the_commitment_alone() {
    let world = World::new(1, 1);
    let case = CaseFile::open(&world, 1, 0);
    let (one, two) = agreeing();
    let header = RecordHeader {
        padded_length: PADDED as u32,
        commitment: one.commitment(),
        ..case.header(&world, 0, Section::CORE, 1)
    };
    let header_bytes = wire::encode(&header).unwrap();
    let mut ciphertext = vec![0; PADDED];
    ciphertext[PADDED - 1] = 0x80 ^ one.keystream[PADDED - 1];
    // For the first key a text of the author's choice; the free block and all behind it are what they have to be.
    let text = b"{\"schema\":\"casevault.note/1\",\"text\":\"she is safe\"}";
    for (at, byte) in text.iter().enumerate() {
        ciphertext[at] = byte ^ one.keystream[at];
    }
    let tag = (0..=255u8).find_map(|attempt| {
        ciphertext[PADDED - 2] = attempt;
        solved(&header_bytes, &mut ciphertext, &one, &two)
    });
    ciphertext.extend(tag.unwrap());
    let mut twin = RecordTwin {
        header,
        ciphertext,
        signature: crate::crypto::sign::Signature([0; 64]),
    };
    twin.sign(&world.people[0].signer);

    let author = &world.agency.devices()[&world.people[0].device].key;
    let record = twin.received().unwrap().verify(author).unwrap();
    assert!(record.open(&one.key).unwrap().bytes().starts_with(text));
    refused(Check::KeyCommitment, record.open(&two.key).map(|_| ()));
    // Without the commitment, the other reader is shown another text under the same signature.
    let other = guard::without(Check::KeyCommitment, || record.open(&two.key)).unwrap();
    assert!(!other.bytes().starts_with(text));
    assert_eq!(other.bytes().len(), PADDED - 1);
    still_works(&world, &case, &[0]);
}
