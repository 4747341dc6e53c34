//! A note in its text form: what is read is printed and read as the same.
#![no_main]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use vault_core::note::text;
use vault_core::note::text::Outline;
use vault_core::note::when::Now;

/// A text without its white space, which a control character may be, and without what escapes it.
fn inked(text: &str) -> String {
    text.replace(|c: char| c.is_whitespace() || c == '\\', "")
}

fuzz_target!(|input: &str| {
    let now = Now::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    let outline = Outline::default();
    if let Ok(note) = text::parse(input, &outline, &now) {
        let printed = text::print(&note, &outline);
        let again = text::parse(&printed, &outline, &now).expect("read again");
        assert_eq!(inked(&text::print(&again, &outline)), inked(&printed));
    }
});
