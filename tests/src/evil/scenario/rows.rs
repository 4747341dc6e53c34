//! The rows of attacks that no scenario plays yet, and why.

/// Row and reason, by row.
pub const NOT_YET: &[(u8, &str)] = &[];
