//! The store's contract, on real files.

mod contract;
mod fixture;
mod tamper;
mod versions;
