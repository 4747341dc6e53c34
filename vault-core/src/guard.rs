//! Guards of a client that no numbered check stands for: they compare an answer with what was asked, not with the format.
//!
//! They have names so that a test can take one out and see the attack succeed, as it takes a check out
//! (`docs/decisions/0010-a-client-with-one-guard-out.md`). Without the feature `forge` there is nothing here but the
//! condition.

/// A client's guard against what a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// An answer is no longer than an answer to that request may be.
    AnswerLength,
    /// What comes for a leaf is the link that the log has there.
    LinkOfLeaf,
    /// What comes without its bytes is named by an erasure that comes too.
    ErasureForAbsent,
    /// A log key is named as the agency's own.
    LogKeyName,
    /// An append is answered with as many outcomes as parcels were sent.
    OutcomeForEach,
    /// A link that was not tried is not taken for stored.
    NotTried,
    /// A cosignature that is not of the last day is said to be old.
    FreshCosignature,
}

impl Guard {
    /// Every guard.
    pub const ALL: &'static [Self] = &[
        Self::AnswerLength,
        Self::ErasureForAbsent,
        Self::LinkOfLeaf,
        Self::LogKeyName,
        Self::OutcomeForEach,
        Self::NotTried,
        Self::FreshCosignature,
    ];
}

/// Returns `condition`.
#[cfg(not(any(test, feature = "forge")))]
pub const fn holds(condition: bool, _: Guard) -> bool {
    condition
}

/// Returns `condition`, or true where a test has taken the guard out.
#[cfg(any(test, feature = "forge"))]
#[allow(missing_docs)]
pub fn holds(condition: bool, guard: Guard) -> bool {
    condition || crate::forge::guard::is_out(guard)
}
