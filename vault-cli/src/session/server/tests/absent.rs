//! What a server says was erased, or a writer places without its bytes.

use super::office::Office;
use super::office::asked;
use super::office::follow;
use super::office::stream_of;
use super::office::sync;
use super::require_sound;
use crate::session::request::NoteWithdrawRequest;
use crate::session::server::kept::KeptRemote;
use crate::session::tests::Vault;
use std::collections::BTreeMap;
use vault_core::crypto::hash::hash;
use vault_core::id::LinkId;
use vault_core::sync::Request;
use vault_core::tlog::entry::Entry;
use vault_core::wire;
use vault_core::wire::v1::event::Erasure;
use vault_core::wire::v1::event::ErasureGround;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::sync::CarriedBody;
use vault_core::wire::v1::sync::ErasedBody;
use vault_core::wire::v1::sync::StreamPage;

/// Says of every note of a stream that it was erased.
fn without_bytes(stream: StreamId) -> impl Fn(Request, Vec<u8>) -> Vec<u8> {
    move |request, answer| match request {
        Request::Page { stream: of, from } if of == stream => without_bytes_from(answer, from, 0),
        _ => answer,
    }
}

/// Says in a page that begins at number `from` of every note from `first` on that it was erased.
pub(super) fn without_bytes_from(answer: Vec<u8>, from: u64, first: u64) -> Vec<u8> {
    let mut page: StreamPage = wire::decode(&answer, limit::APPEND).unwrap();
    for (placed, _) in page.parcels.iter_mut().zip(from..).filter(|(_, seq)| *seq >= first) {
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

/// The cases that are held back.
fn behind(vault: &mut Vault) -> BTreeMap<StreamId, u64> {
    super::kept(vault.s()).all_behind()
}

#[test]
fn a_case_that_is_held_back_keeps_no_other_from_coming_or_going() {
    let mut office = Office::founded();
    let (held, other) = (office.ann.case("ext-1"), office.ann.case("ext-2"));
    for case in [&held, &other] {
        office.grant(case);
        office.ann.note(case, "obs: Before.");
    }
    office.meet();
    let before = office.ann.note(&held, "obs: Comes whole.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let stream = stream_of(&mut office.ann, &held);
    let whole = office.served.chains[&stream].len();
    office.ann.note(&held, "obs: Comes without.");
    office.ann.note(&held, "obs: Behind it.");
    office.ann.note(&other, "obs: In the other case.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let lie = |request: Request, answer: Vec<u8>| match request {
        Request::Page { stream: of, from } if of == stream => without_bytes_from(answer, from, whole as u64),
        _ => answer,
    };
    // Written here before it is known, and after; in between, elsewhere.
    let mut by_ben = vec![office.ben.note(&held, "obs: Of Ben.")];
    by_ben.push(office.ben.note(&other, "obs: Of Ben in the other."));
    follow(&mut office.ben, &office.served, &lie).unwrap();
    by_ben.push(office.ben.note(&held, "obs: Of Ben, later."));
    by_ben.push(office.ben.note(&other, "obs: Of Ben in the other, later."));
    assert_eq!(behind(&mut office.ben), BTreeMap::from([(stream, whole as u64 + 1)]));
    office.ben.show(&before).unwrap();
    assert_eq!(office.ben.list(&held).unwrap().notes.len(), 4);
    assert_eq!(office.ben.list(&other).unwrap().notes.len(), 4);

    // What waits in it waits behind everything else, which goes out.
    let links = office.served.chains[&stream].len();
    let mut kept = super::kept(office.ben.s());
    assert!(office.ben.s().wait_behind(&mut kept).unwrap().is_empty());
    super::office::send(&mut office.ben, &mut office.served);
    assert_eq!(office.served.chains[&stream].len(), links);
    sync(&mut office.ann, &mut office.served).unwrap();
    assert_eq!(office.ann.list(&other).unwrap().notes.len(), 4);
    require_sound(&mut office.ben);

    // It comes as it is in the log, and what waited stands behind it.
    office.meet();
    for vault in [&mut office.ann, &mut office.ben] {
        assert!(behind(vault).is_empty());
        assert_eq!(vault.list(&held).unwrap().notes.len(), 6);
        for note in &by_ben {
            vault.show(note).unwrap();
        }
        require_sound(vault);
    }
}

/// A case that Ben holds back: its stream, and the number of its first link that came without bytes; one stands behind it.
fn held_back() -> (Office, String, StreamId, u64) {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.grant(&case);
    office.meet();
    let stream = stream_of(&mut office.ann, &case);
    let whole = office.served.chains[&stream].len() as u64;
    office.ann.note(&case, "obs: Comes without.");
    office.ann.note(&case, "obs: Behind it.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let lie = |request: Request, answer: Vec<u8>| match request {
        Request::Page { stream: of, from } if of == stream => without_bytes_from(answer, from, whole),
        _ => answer,
    };
    follow(&mut office.ben, &office.served, &lie).unwrap();
    assert_eq!(behind(&mut office.ben), BTreeMap::from([(stream, whole + 1)]));
    (office, case, stream, whole)
}

/// Shows no link of a stream from number `until` on.
fn shown_until(stream: StreamId, until: u64) -> impl Fn(Request, Vec<u8>) -> Vec<u8> {
    move |request, answer| match request {
        Request::Page { stream: of, from } if of == stream => {
            let mut page: StreamPage = wire::decode(&answer, limit::APPEND).unwrap();
            page.parcels.truncate(until.saturating_sub(from) as usize);
            wire::encode(&page).unwrap()
        }
        _ => answer,
    }
}

#[test]
fn attack_46_how_far_a_case_goes_that_is_held_back_the_log_says_and_not_the_server() {
    let (mut office, case, stream, whole) = held_back();
    office.ann.note(&case, "obs: Written meanwhile.");
    office.ann.note(&case, "obs: And the last.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let all = BTreeMap::from([(stream, whole + 3)]);
    // Nothing of it is shown; then as far as was known before; then all but the last.
    for until in [whole, whole + 2, whole + 3] {
        follow(&mut office.ben, &office.served, &shown_until(stream, until)).unwrap();
        assert_eq!(behind(&mut office.ben), all, "{until}");
    }
    office.meet();
    assert!(behind(&mut office.ben).is_empty());
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 4);
    require_sound(&mut office.ben);
}

#[test]
fn a_case_of_which_all_came_before_that_was_noted_is_not_held_back() {
    let (mut office, case, stream, whole) = held_back();
    office.meet();
    assert!(behind(&mut office.ben).is_empty());
    // As if it had ended between taking the links in and noting it.
    let note = |office: &mut Office| {
        let mut kept = super::kept(office.ben.s());
        kept.hold_back(&BTreeMap::from([(stream, whole + 1)]));
        office.ben.s().write(|_, tx| kept.store(tx)).unwrap();
    };
    note(&mut office);
    office.meet();
    assert!(behind(&mut office.ben).is_empty());
    note(&mut office);
    office.ann.note(&case, "obs: The next.");
    office.meet();
    assert!(behind(&mut office.ben).is_empty());
    office.ben.note(&case, "obs: Of Ben.");
    office.meet();
    assert_eq!(office.ann.list(&case).unwrap().notes.len(), 4);
    require_sound(&mut office.ben);
}

#[test]
fn chk_141_a_second_leaf_of_a_place_that_is_held_back_is_refused() {
    for behind in [0, 1] {
        let (mut office, _, stream, whole) = held_back();
        let other = LinkId([7; 32]);
        office.served.entries.push(Entry::of(stream, whole + behind, other));
        let refused = follow(&mut office.ben, &office.served, &|_, answer| answer).unwrap_err();
        assert!(refused.to_string().contains("CHK-141"), "{refused}");
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
    let first = office.served.chains[&stream].len() as u64 - 5;
    // Twice: it is asked for again although nothing of it is new.
    for _ in 0..2 {
        let (_, requests) = asked(&mut office.ben, &office.served, &lie);
        // It is held back after a look whether the log went on.
        assert_eq!(requests.last(), Some(&Request::Checkpoint));
        assert_eq!(behind(&mut office.ben), BTreeMap::from([(stream, first + 4)]));
        assert!(office.ben.list(&case).unwrap().notes.is_empty());
    }
    sync(&mut office.ben, &mut office.served).unwrap();
    assert!(behind(&mut office.ben).is_empty());
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

#[test]
fn what_is_withdrawn_long_after_it_was_written_goes_directly_before_its_erasure() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.grant(&case);
    office.meet();
    let gone = office.ann.note(&case, "obs: Goes.");
    let amended = office.ann.note(&case, "obs: Stays.");
    for n in 0..3 {
        office.ann.note(&case, &format!("obs: Between {n}."));
    }
    office.ann.note(&case, "obs: Last.");
    let note = NoteWithdrawRequest { note: gone };
    office.ann.s().note_withdraw(note).unwrap();

    // As a server has it that takes four links together with what comes without bytes.
    let most = (2, 4);
    let mut kept = super::kept(office.ann.s());
    let batch = |office: &mut Office, kept: &KeptRemote| {
        let session = office.ann.s();
        let total = session.sendable(kept).unwrap();
        let mut after = kept.pushed;
        let mut uncovered = 0;
        while after < total {
            let (batch, without) = session.batch_after(after, total, most).unwrap();
            after = batch.last().unwrap().pos;
            uncovered += without.len();
            if !without.is_empty() {
                return (uncovered, without);
            }
        }
        (uncovered, Default::default())
    };
    let (uncovered, without) = batch(&mut office, &kept);
    assert_eq!(uncovered, 1);
    let mut aside = Vec::new();
    let mut gathered = Default::default();
    let session = office.ann.s();
    assert!(session.gather(&mut kept, &without, &mut gathered, &mut aside).unwrap());
    assert!(aside.is_empty());
    assert_eq!(batch(&mut office, &kept).0, 0);
    require_sound(&mut office.ann);

    office.meet();
    for vault in [&mut office.ann, &mut office.ben] {
        assert!(behind(vault).is_empty());
        assert_eq!(vault.list(&case).unwrap().notes.len(), 5);
        vault.show(&amended).unwrap();
        require_sound(vault);
    }
}

#[test]
fn what_is_withdrawn_late_is_gathered_in_whichever_batch_it_goes() {
    let mut office = Office::founded();
    let cases = [office.ann.case("ext-1"), office.ann.case("ext-2")];
    for case in &cases {
        office.grant(case);
    }
    office.meet();
    for case in &cases {
        let note = office.ann.note(case, "obs: Goes.");
        for n in 0..4 {
            office.ann.note(case, &format!("obs: Between {n}."));
        }
        office.ann.s().note_withdraw(NoteWithdrawRequest { note }).unwrap();
    }
    // As a server has it that takes four links together with what comes without bytes.
    let sizes = (2, 4);
    let mut kept = super::kept(office.ann.s());
    let session = office.ann.s();
    let mut total = session.sendable(&kept).unwrap();
    let (mut gathered, mut aside, mut batches) = (Default::default(), Vec::new(), 0);
    while kept.pushed < total {
        let done = (&mut gathered, &mut aside);
        let (batch, without) = session.next_batch(&mut kept, &mut total, sizes, done).unwrap();
        assert!(without.is_empty(), "batch {batches}");
        let mut order = session.store.read(|tx| kept.order(tx)).unwrap();
        for one in &batch {
            order = order.then(&one.link.id());
        }
        kept.is_sent_to(batch.last().unwrap().pos, order, true);
        batches += 1;
    }
    assert!(batches > 4 && aside.is_empty(), "{batches} {aside:?}");
    assert_eq!(gathered.len(), 2);
    require_sound(&mut office.ann);
}

/// Erases versions of a note one by one, in the order in which they are named, as a ledger that is replayed does.
fn erased_singly(vault: &mut Vault, note: &str, versions: [usize; 2]) {
    let session = vault.s();
    let (case, record) = session.store.read(|tx| session.holder.resolve_note(tx, note)).unwrap();
    for version in versions {
        let erased = session.write(|holder, tx| {
            let mut keys = holder.case_keys(tx, case)?;
            let stored = tx.versions(record)?;
            let (hash, at) = (stored[version].hash()?, stored[version].at);
            let event = Event::Erasure(Erasure {
                records: vec![hash],
                ground: ErasureGround::Withdrawn,
            });
            holder.append_event(tx, &mut keys, event, &[])?;
            Ok(tx.erase(&[at])?)
        });
        erased.unwrap();
    }
}

#[test]
fn versions_that_are_erased_one_by_one_go_in_their_own_order_whichever_goes_first() {
    for versions in [[0, 1], [1, 0]] {
        let mut office = Office::founded();
        let case = office.ann.case("ext-1");
        office.grant(&case);
        office.meet();
        let note = office.ann.note(&case, "obs: First.");
        for n in 0..4 {
            office.ann.note(&case, &format!("obs: Between {n}."));
        }
        office.ann.amend(&note, "obs: Second.");
        erased_singly(&mut office.ann, &note, versions);
        let mut kept = super::kept(office.ann.s());
        let session = office.ann.s();
        let mut total = session.sendable(&kept).unwrap();
        let (mut gathered, mut aside) = (Default::default(), Vec::new());
        let done = (&mut gathered, &mut aside);
        session.next_batch(&mut kept, &mut total, (2, 4), done).unwrap();
        assert!(aside.is_empty(), "{versions:?}: {aside:?}");
        assert_eq!(gathered.len(), 1);
        office.meet();
        for vault in [&mut office.ann, &mut office.ben] {
            assert!(behind(vault).is_empty());
            assert_eq!(vault.list(&case).unwrap().notes.len(), 4);
            require_sound(vault);
        }
    }
}
