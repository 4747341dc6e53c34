//! CaseVault.

pub mod store;
