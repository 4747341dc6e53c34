//! The agency's rules as data, and the loading and checking of them: at present the templates of records, and after how long a case wants looking at.
//!
//! Nothing here knows how a note is stored; whoever reads a template turns it into what the note's text form needs.

pub mod oversight;
pub mod template;

pub use oversight::{Limits, Oversight, OversightError};
pub use template::{Field, Heading, Reason, SegmentKind, Set, Template, TemplateError};
