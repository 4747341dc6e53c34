//! CaseVault.
pub mod note;
