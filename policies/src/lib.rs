//! The agency's rules as data, and the loading and checking of them: at present the templates of records.
//!
//! Nothing here knows how a note is stored; whoever reads a template turns it into what the note's text form needs.

pub mod template;

pub use template::{Field, Heading, SegmentKind, Set, Template, TemplateError};
