//! A line of an import: what is read is printed and read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::note::line;

fuzz_target!(|text: &str| {
    if let Ok(read) = line::parse(text) {
        let printed = line::print(&read).expect("printed");
        let again = line::parse(&printed).expect("read again");
        assert_eq!(line::print(&again).expect("printed again"), printed);
    }
});
