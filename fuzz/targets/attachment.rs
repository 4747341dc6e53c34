//! An attachment's payload, its file, the name that is made safe, and the photograph that is taken apart.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault_core::attachment::Attachment;
use vault_core::attachment::AttachmentContext;
use vault_core::attachment::media_type;
use vault_core::attachment::open_whole;
use vault_core::attachment::photo::Recognised;
use vault_core::attachment::photo::recognise;
use vault_core::attachment::photo::without_metadata;
use vault_core::attachment::safe_name;
use vault_core::id::AgencyId;
use vault_core::id::CaseId;
use vault_core::id::RecordId;
use vault_core::secret::AttachmentKey;
use vault_core::wire::v1::stream::StreamId;

fuzz_target!(|data: &[u8]| {
    if let Ok(read) = Attachment::from_json(data) {
        let written = read.to_json().expect("what was read is within its limits");
        let again = Attachment::from_json(&written).expect("what was written is read");
        assert_eq!(again.to_json().as_deref(), Ok(written.as_slice()));
    }
    if let Ok(name) = std::str::from_utf8(data) {
        let safe = safe_name(name);
        assert!(!safe.is_empty() && safe.len() <= 220 && !safe.starts_with('.'));
        assert!(!safe.contains(['/', '\\', '\0', '\u{1b}', '\u{202e}']));
        assert_eq!(safe_name(&safe), safe, "what is safe stays as it is");
    }
    let _ = media_type(data, "x.txt");
    if let Some(Recognised::Photo(form)) = recognise(data)
        && let Ok(copied) = without_metadata(form, data)
    {
        let copy = copied.pieces.concat();
        assert!(copy.len() <= data.len() + 8);
        let again = without_metadata(form, &copy).expect("a copy is a photograph");
        assert!(again.pieces.concat() == copy && again.left_out.is_empty() && again.turned.is_none());
    }
    // A file that nobody sealed opens under no key, whatever length its record says.
    let context = AttachmentContext {
        agency: AgencyId([1; 32]),
        stream: StreamId::case(CaseId([2; 16])),
        record: RecordId([3; 16]),
    };
    for length in [0, 255, 65_535, data.len() as u64] {
        let attachment = Attachment {
            note: RecordId([4; 16]),
            name: String::new(),
            media_type: String::new(),
            length,
            sha256: [0; 32],
            at: String::new(),
            is_original: false,
            key: AttachmentKey::from_bytes([5; 32]),
        };
        assert!(open_whole(&attachment, &context, data).is_err());
    }
});
