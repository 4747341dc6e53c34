//! CaseVault.

pub mod wrap;
