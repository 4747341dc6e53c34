//! What a server says was erased, or a writer places without its bytes.

use super::office::Office;
use super::office::asked;
use super::office::follow;
use super::office::stream_of;
use super::office::sync;
use super::require_sound;
use crate::session::request::NoteWithdrawRequest;
use vault_core::crypto::hash::hash;
use vault_core::sync::Request;
use vault_core::wire;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::sync::CarriedBody;
use vault_core::wire::v1::sync::ErasedBody;
use vault_core::wire::v1::sync::StreamPage;

/// Says of every note of a stream that it was erased.
fn without_bytes(stream: StreamId) -> impl Fn(Request, Vec<u8>) -> Vec<u8> {
    move |request, answer| {
        let Request::Page { stream: of, .. } = request else {
            return answer;
        };
        if of != stream {
            return answer;
        }
        let mut page: StreamPage = wire::decode(&answer, limit::APPEND).unwrap();
        for placed in &mut page.parcels {
            let link = vault_core::parcel::OpenParcel::open(placed.parcel.clone()).unwrap();
            let LinkBody::Record(placement) = link.link().link().body else {
                continue;
            };
            let record = &mut placed.parcel.records[0];
            if let CarriedBody::Kept(body) = &record.body {
                let ciphertext = hash(vault_core::context::Label::CiphertextHash, &[&body.ciphertext]);
                record.body = CarriedBody::Erased(ErasedBody {
                    ciphertext: vault_core::id::CiphertextHash(ciphertext),
                    wrap: placement.wrap_hash,
                });
            }
        }
        wire::encode(&page).unwrap()
    }
}

#[test]
fn what_is_said_to_be_erased_and_no_erasure_names_is_withheld() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    let grant = office.grant(&case);
    office.meet();
    let notes: Vec<_> = (0..5)
        .map(|n| office.ann.note(&case, &format!("obs: Number {n}.")))
        .collect();
    sync(&mut office.ann, &mut office.served).unwrap();
    let stream = stream_of(&mut office.ann, &case);
    let lie = without_bytes(stream);
    let (told, requests) = asked(&mut office.ben, &office.served, &lie);
    assert!(told.unwrap_err().to_string().contains("no erasure names it"));
    // It is told after a look whether the log went on.
    assert_eq!(requests.last(), Some(&Request::Checkpoint));
    assert!(office.ben.list(&case).unwrap().notes.is_empty());
    sync(&mut office.ben, &mut office.served).unwrap();
    for note in &notes {
        office.ben.show(note).unwrap();
    }
    require_sound(&mut office.ben);

    // The last page may be all that there is to see of a case that was left; its erasures are not.
    office.ann.note(&case, "obs: Erased later.");
    office.revoke(&case, grant);
    office.ann.note(&case, "obs: Not for Ben.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let shown = office.served.chains[&stream].len() - 1;
    office.served.ended.insert(stream, shown - 1);
    assert!(follow(&mut office.ben, &office.served, &lie).is_err());
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 5);
    office.served.ended.insert(stream, shown);
    follow(&mut office.ben, &office.served, &lie).unwrap();
}

#[test]
fn what_is_erased_while_it_is_fetched_is_taken_in_with_its_erasure() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.grant(&case);
    office.meet();
    let gone = office.ann.note(&case, "obs: Goes.");
    office.ann.note(&case, "obs: Stays.");
    let note = NoteWithdrawRequest { note: gone };
    office.ann.s().note_withdraw(note).unwrap();
    let before = office.served.clone();
    sync(&mut office.ann, &mut office.served).unwrap();
    // The server erased it behind the checkpoint that Ben got first.
    let stream = stream_of(&mut office.ann, &case);
    let mut older = office.served.clone();
    older.entries.truncate(older.entries.len() - 1);
    assert!(older.entries.len() > before.entries.len());
    let first = std::cell::Cell::new(true);
    let lie = |request: Request, answer: Vec<u8>| match request {
        Request::Checkpoint if first.replace(false) => older.note(),
        _ => answer,
    };
    let is_last = office.served.chains[&stream].last().unwrap().0 + 1 == office.served.entries.len() as u64;
    assert!(is_last);
    follow(&mut office.ben, &office.served, &lie).unwrap();
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 1);
    require_sound(&mut office.ben);
}
