//! A note typed as JSON, and the payload of a seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::note::Note;
use vault_core::note::json;

fuzz_target!(|text: &str| {
    let _ = json::is_json(text);
    let typed = json::parse(text).ok();
    let sealed = Note::from_json(text.as_bytes()).ok();
    for note in [typed, sealed].into_iter().flatten() {
        let payload = note.to_json().expect("written");
        assert_eq!(Note::from_json(&payload).expect("read again"), note);
    }
});
