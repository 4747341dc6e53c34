//! The case note: what a worker writes, in typed segments, before it is sealed and after it is opened.
//!
//! Everything here is a pure function over values: no key, no store, no clock.
//!
//! ```text
//! text ──text──┐                      ┌─split─> parts (one a section) ─payload─> JSON for the seal
//! JSON ──json──┼─> Note ─> gaps       │
//! line ──line──┘      └───────────────┤
//!                                     └─render─> text, Markdown, HTML      chronology, decision, overview, danger, brief, plan, people, household, find
//! ```

pub mod brief;
pub mod chronology;
pub mod client;
pub mod danger;
pub mod decision;
pub mod display;
pub mod extra;
pub mod find;
pub mod gap;
pub mod household;
pub mod json;
pub mod line;
pub mod mark;
mod model;
pub mod overview;
mod payload;
pub mod people;
pub mod plan;
pub mod render;
pub mod spelling;
pub mod split;
pub mod text;
pub mod when;
pub mod workday;

pub use model::{
    BreachAnswer, Detached, Imported, Misfiled, Names, Note, NoteError, NoteKind, PartRef, Refiled, SCHEMA, Segment,
    SegmentKind,
};
