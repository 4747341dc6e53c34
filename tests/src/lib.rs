//! CaseVault.
