//! A note in its text form: what is read is printed and read as the same text.
#![no_main]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use vault_core::note::text;
use vault_core::note::text::Outline;
use vault_core::note::when::Now;

fuzz_target!(|input: &str| {
    let now = Now::new(Timestamp::UNIX_EPOCH, TimeZone::UTC);
    let outline = Outline::default();
    if let Ok(note) = text::parse(input, &outline, &now) {
        let printed = text::print(&note, &outline);
        let again = text::parse(&printed, &outline, &now).expect("read again");
        assert_eq!(text::print(&again, &outline), printed);
    }
});
