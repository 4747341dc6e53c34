//! Files that leave the vault, for recipients that a stock age tool has.
//!
//! A disclosure goes to an outsider's own key or passphrase. The file may be armored to travel in a mail, and is
//! opened here only by tests and by `disclosure verify`.

use std::cell::RefCell;
use std::str::FromStr;

use age::secrecy::SecretString;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::header::{Header, MAGIC};
use super::hybrid::{Encapsulator, is_low_order};
use super::{HybridIdentity, HybridRecipient, WrapError, armor, open_with, seal_to, text};

/// The largest scrypt work factor that is opened or made, as a base-two logarithm: 2^20 takes 1 GiB of memory.
pub const MAX_WORK_FACTOR: u8 = 20;

/// The shape of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text lines that travel in a mail.
    Armored,
    /// The bytes as they are.
    Binary,
}

/// Names somebody outside the agency whom a file is sealed to.
#[derive(Clone)]
pub struct Recipient(RecipientKind);

#[derive(Clone)]
enum RecipientKind {
    Hybrid(HybridRecipient),
    Passphrase { passphrase: SecretString, work_factor: u8 },
    X25519(age::x25519::Recipient),
}

impl Recipient {
    /// Makes a recipient of whoever knows `passphrase`.
    ///
    /// `work_factor` is the base-two logarithm of scrypt's cost; 18 takes about a second and 256 MiB.
    ///
    /// # Errors
    ///
    /// [`WrapError::WorkFactor`] for zero and above [`MAX_WORK_FACTOR`].
    pub fn passphrase(passphrase: &str, work_factor: u8) -> Result<Self, WrapError> {
        if !(1..=MAX_WORK_FACTOR).contains(&work_factor) {
            return Err(WrapError::WorkFactor {
                asked: work_factor,
                ceiling: MAX_WORK_FACTOR,
            });
        }
        Ok(Self(RecipientKind::Passphrase {
            passphrase: SecretString::from(passphrase),
            work_factor,
        }))
    }

    /// Tells whether the recipient withstands a quantum computer. A passphrase does, as far as it is a strong one.
    pub fn is_post_quantum(&self) -> bool {
        !matches!(self.0, RecipientKind::X25519(_))
    }
}

impl From<HybridRecipient> for Recipient {
    fn from(recipient: HybridRecipient) -> Self {
        Self(RecipientKind::Hybrid(recipient))
    }
}

impl FromStr for Recipient {
    type Err = WrapError;

    /// Reads `age1pq1…` or `age1…`.
    fn from_str(text: &str) -> Result<Self, WrapError> {
        if let Ok(hybrid) = text.parse() {
            return Ok(Self(RecipientKind::Hybrid(hybrid)));
        }
        // The library panics while sealing to a share of low order.
        let share = text::decode::<32>("age", text).ok_or(WrapError::MalformedRecipient)?;
        if is_low_order(**share) {
            return Err(WrapError::MalformedRecipient);
        }
        text.parse()
            .map(RecipientKind::X25519)
            .map(Self)
            .map_err(|_| WrapError::MalformedRecipient)
    }
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            RecipientKind::Hybrid(recipient) => recipient.fmt(f),
            RecipientKind::Passphrase { .. } => f.write_str("Passphrase(..)"),
            RecipientKind::X25519(recipient) => recipient.fmt(f),
        }
    }
}

/// Holds a secret that may open a file from outside.
#[derive(Clone)]
pub struct Identity(IdentityKind);

#[derive(Clone)]
enum IdentityKind {
    Hybrid(HybridIdentity),
    Passphrase(SecretString),
    X25519(age::x25519::Identity),
}

impl Identity {
    /// Takes a passphrase.
    pub fn passphrase(passphrase: &str) -> Self {
        Self(IdentityKind::Passphrase(SecretString::from(passphrase)))
    }

    /// Reads `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`.
    ///
    /// # Errors
    ///
    /// [`WrapError::MalformedIdentity`], which tells nothing of the text.
    pub fn from_text(text: &str) -> Result<Self, WrapError> {
        if let Ok(hybrid) = HybridIdentity::from_text(text) {
            return Ok(Self(IdentityKind::Hybrid(hybrid)));
        }
        text.parse()
            .map(IdentityKind::X25519)
            .map(Self)
            .map_err(|_| WrapError::MalformedIdentity)
    }

    fn as_age(&self) -> Box<dyn age::Identity + '_> {
        match &self.0 {
            IdentityKind::Hybrid(identity) => Box::new(identity.clone()),
            IdentityKind::Passphrase(passphrase) => {
                let mut identity = age::scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(MAX_WORK_FACTOR);
                Box::new(identity)
            }
            IdentityKind::X25519(identity) => Box::new(identity.clone()),
        }
    }
}

impl From<HybridIdentity> for Identity {
    fn from(identity: HybridIdentity) -> Self {
        Self(IdentityKind::Hybrid(identity))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// Seals `plaintext` for people outside, in the form that is asked for.
///
/// # Errors
///
/// [`WrapError::Mixed`] when hybrid and other recipients, or a passphrase and any other, come together;
/// [`WrapError::NoRecipient`], [`WrapError::TooLarge`] and [`WrapError::Seal`] as for [`seal`](super::seal).
pub fn seal_outside<R>(
    recipients: &[&Recipient],
    plaintext: &[u8],
    form: Form,
    rng: &mut R,
) -> Result<Vec<u8>, WrapError>
where
    R: CryptoRng + ?Sized,
{
    let rng = RefCell::new(rng);
    let boxed: Vec<Box<dyn age::Recipient + '_>> = recipients
        .iter()
        .map(|recipient| match &recipient.0 {
            RecipientKind::Hybrid(hybrid) => Box::new(Encapsulator::new(hybrid, &rng)) as Box<dyn age::Recipient + '_>,
            RecipientKind::Passphrase {
                passphrase,
                work_factor,
            } => {
                let mut scrypt = age::scrypt::Recipient::new(passphrase.clone());
                // Within the range for which the library does not panic: the constructor has checked it.
                scrypt.set_work_factor(*work_factor);
                Box::new(scrypt)
            }
            RecipientKind::X25519(x25519) => Box::new(x25519.clone()),
        })
        .collect();
    let file = seal_to(&boxed.iter().map(|one| one.as_ref()).collect::<Vec<_>>(), plaintext)?;
    match form {
        Form::Armored => armor::put_on(&file),
        Form::Binary => Ok(file),
    }
}

/// Opens any age file, armored or not, with whichever of `identities` fits; exactly as the format says.
///
/// `limit` is the most plaintext bytes that the caller will take.
///
/// # Errors
///
/// [`WrapError::Armor`], [`WrapError::Header`], [`WrapError::Hmac`], [`WrapError::NoMatch`], [`WrapError::Payload`],
/// [`WrapError::TooLarge`] or [`WrapError::WorkFactor`].
pub fn open_outside(identities: &[&Identity], file: &[u8], limit: usize) -> Result<Zeroizing<Vec<u8>>, WrapError> {
    let bare;
    let file = if file.is_empty() || file.starts_with(MAGIC) {
        file
    } else {
        bare = armor::take_off(file)?;
        &bare
    };
    let header = Header::read(file)?;
    let boxed: Vec<_> = identities.iter().map(|identity| identity.as_age()).collect();
    open_with(
        &boxed.iter().map(|one| one.as_ref()).collect::<Vec<_>>(),
        &header,
        file,
        limit,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::wrap::{open, seal};

    const X25519_IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const X25519_RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    fn rng() -> impl CryptoRng {
        rand_core::UnwrapErr(getrandom::SysRng)
    }

    #[test]
    fn each_kind_of_recipient_opens_in_both_forms() {
        let hybrid = HybridIdentity::generate(&mut rng());
        let pairs = [
            (Recipient::from(hybrid.recipient()), Identity::from(hybrid)),
            (
                X25519_RECIPIENT.parse().unwrap(),
                Identity::from_text(X25519_IDENTITY).unwrap(),
            ),
            (
                Recipient::passphrase("open sesame", 2).unwrap(),
                Identity::passphrase("open sesame"),
            ),
        ];
        for form in [Form::Armored, Form::Binary] {
            for (mine, (recipient, identity)) in pairs.iter().enumerate() {
                let file = seal_outside(&[recipient], b"bundle", form, &mut rng()).unwrap();
                assert_eq!(file.is_ascii(), form == Form::Armored);
                assert_eq!(**open_outside(&[identity], &file, 6).unwrap(), *b"bundle");
                for (other, (_, identity)) in pairs.iter().enumerate() {
                    if other != mine {
                        assert_eq!(open_outside(&[identity], &file, 6).unwrap_err(), WrapError::NoMatch);
                    }
                }
            }
        }
    }

    #[test]
    fn a_wrong_passphrase_is_no_match() {
        let recipient = Recipient::passphrase("open sesame", 2).unwrap();
        let file = seal_outside(&[&recipient], b"bundle", Form::Binary, &mut rng()).unwrap();
        let refused = open_outside(&[&Identity::passphrase("open sesam")], &file, 6).unwrap_err();
        assert_eq!(refused, WrapError::NoMatch);
    }

    #[test]
    fn strengths_are_never_mixed() {
        let hybrid = Recipient::from(HybridIdentity::generate(&mut rng()).recipient());
        let x25519: Recipient = X25519_RECIPIENT.parse().unwrap();
        let passphrase = Recipient::passphrase("open sesame", 2).unwrap();
        for pair in [
            [&hybrid, &x25519],
            [&x25519, &hybrid],
            [&passphrase, &hybrid],
            [&x25519, &passphrase],
        ] {
            assert_eq!(
                seal_outside(&pair, b"", Form::Binary, &mut rng()).unwrap_err(),
                WrapError::Mixed,
                "{pair:?}"
            );
        }
        assert!(seal_outside(&[&x25519, &x25519], b"", Form::Binary, &mut rng()).is_ok());
    }

    #[test]
    fn the_vault_opens_no_armor_and_no_classical_stanza() {
        let identity = HybridIdentity::generate(&mut rng());
        let file = seal(&[&identity.recipient()], b"keys", &mut rng()).unwrap();
        let armored = armor::put_on(&file).unwrap();
        assert_eq!(open(&[&identity], &armored, 4).unwrap_err(), WrapError::Header);
        let x25519 = X25519_RECIPIENT.parse().unwrap();
        let file = seal_outside(&[&x25519], b"keys", Form::Binary, &mut rng()).unwrap();
        assert_eq!(open(&[&identity], &file, 4).unwrap_err(), WrapError::Mixed);
    }

    #[test]
    fn work_factors_outside_the_range_are_refused() {
        for asked in [0, MAX_WORK_FACTOR + 1, 64, u8::MAX] {
            let refused = Recipient::passphrase("open sesame", asked).unwrap_err();
            assert_eq!(
                refused,
                WrapError::WorkFactor {
                    asked,
                    ceiling: MAX_WORK_FACTOR
                }
            );
        }
        let file = "age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ 21\n\
                    gUjEymFKMVXQEKdMMHL24oYexjE3TIC0O0zGSqJ2aUY\n\
                    --- HK2NmOBN9Dpq0Gw6xMCuhFcQlQLvZ/wQUi/2scLG75s\n0123456789abcdef0123456789abcdef";
        let refused = open_outside(&[&Identity::passphrase("x")], file.as_bytes(), 99).unwrap_err();
        assert_eq!(
            refused,
            WrapError::WorkFactor {
                asked: 21,
                ceiling: MAX_WORK_FACTOR
            }
        );
    }

    #[test]
    fn recipients_of_low_order_are_refused_before_the_library_panics() {
        let low_order = text::encode_lower("age", &[0; 32]).unwrap();
        assert_eq!(
            low_order.parse::<Recipient>().unwrap_err(),
            WrapError::MalformedRecipient
        );
        assert_eq!(
            X25519_IDENTITY.parse::<Recipient>().unwrap_err(),
            WrapError::MalformedRecipient
        );
        assert_eq!(
            Identity::from_text(X25519_RECIPIENT).unwrap_err(),
            WrapError::MalformedIdentity
        );
    }
}
