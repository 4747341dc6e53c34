//! The caseworker's command: session facade, local store, commands, one printer.

pub mod places;
pub mod session;
//! CaseVault.

pub mod store;
