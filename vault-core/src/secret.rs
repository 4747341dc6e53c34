//! One key type a purpose, wiped when dropped, never printed, copied, compared in variable time or serialised.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes 32 bytes as the key; the caller's copy is wiped.
            pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
                let key = Self(bytes);
                bytes.zeroize();
                key
            }

            /// Returns the 32 bytes.
            ///
            /// # Security
            /// For derivation and for the keystore alone.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }

            /// Returns a second owner of the same key.
            pub fn duplicate(&self) -> Self {
                Self(self.0)
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

keys! {
    /// What Argon2id makes of a passphrase; opens the keystore.
    UnlockKey;
    /// A device's share in every record key that it makes.
    SealSecret;
    /// Keys all local state: heads, index, sealed values.
    StoreKey;
    /// Key of (stream, section, epoch).
    EpochKey;
    /// The server's share of a section key for one month.
    ReleaseHalf;
    /// Key of (stream, section, epoch, month).
    SectionKey;
    /// Key of one version of one record.
    RecordKey;
    /// Key of one attachment's content.
    AttachmentKey;
    /// State of an access stream's ratchet.
    RatchetState;
    /// Seals local values.
    LocalStateKey;
    /// Keys the local index.
    LocalIndexKey;
    /// Authenticates stream and store heads.
    LocalHeadKey;
    /// Seed of an Ed25519 key.
    SigningSeed;
    /// Seed of an X-Wing key.
    RecipientSeed;
    /// Gives both halves of a recovery key; what cards are made of.
    RecoverySeed;
    /// Seed of the recipient that one backup is sealed to; sealed under the passphrase.
    BackupSeed;
}

impl ReleaseHalf {
    /// The all-zero half that stands for `none`.
    pub fn none() -> Self {
        Self([0; 32])
    }
}
