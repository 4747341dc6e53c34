//! What links say that their author had seen of the log.

use super::office::Office;
use super::office::follow;
use super::office::send;
use super::office::stream_of;
use super::office::sync;
use super::require_sound;
use crate::session::tests::Vault;
use crate::store::Row;
use vault_core::check::Check;
use vault_core::id::LinkId;
use vault_core::sync::Request;
use vault_core::tlog::entry::Entry;
use vault_core::wire::v1::link::Seen;
use vault_core::wire::v1::stream::StreamId;

/// What the last link of a stream says.
fn seen_in(vault: &mut Vault, stream: StreamId) -> Option<Seen> {
    let read = vault.s().store.read(|tx| {
        let (seq, _) = tx.chain(stream)?.head().unwrap();
        let row = tx.row_at(tx.position_of(stream, seq)?)?;
        Ok::<_, crate::session::SessionError>(match row {
            Row::Record(record) => record.seen,
            Row::Link(link) => link.link.link().seen,
        })
    });
    read.unwrap()
}

/// What is verified of the log.
fn followed(vault: &mut Vault) -> Option<Seen> {
    let agency = vault.s().holder.agency.id();
    super::kept(vault.s()).follower(agency).unwrap().seen()
}

fn stranger(number: u8) -> Entry {
    Entry::of(
        StreamId::case(vault_core::id::CaseId([number; 16])),
        0,
        LinkId([number; 32]),
    )
}

/// An office with a case that both are in.
fn shared() -> (Office, String, StreamId) {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.grant(&case);
    office.meet();
    let stream = stream_of(&mut office.ann, &case);
    (office, case, stream)
}

#[test]
fn every_link_says_what_its_author_had_verified_of_the_log() {
    let (mut office, case, stream) = shared();
    let mut last = 0;
    for turn in 0..3 {
        for ann in [true, false] {
            let vault = if ann { &mut office.ann } else { &mut office.ben };
            vault.note(&case, &format!("obs: Turn {turn}."));
            let own = StreamId::access(vault.s().holder.device);
            vault.list(&case).unwrap();
            let verified = followed(vault);
            assert!(verified.is_some());
            assert_eq!(seen_in(vault, stream), verified);
            assert_eq!(seen_in(vault, own), verified);
            office.meet();
            let size = verified.unwrap().size;
            assert!(size > last, "{size} after {last}");
            last = size;
        }
    }
    // An administrator's event too.
    let ann = &mut office.ann;
    let agency = StreamId::agency(&ann.s().holder.agency.id());
    ann.s()
        .write(|holder, tx| {
            let kept = holder.settings(tx)?;
            holder.put_settings(tx, &kept)
        })
        .unwrap();
    assert_eq!(seen_in(ann, agency), followed(ann));
    office.meet();
    for vault in [&mut office.ann, &mut office.ben] {
        require_sound(vault);
        assert_eq!(vault.list(&case).unwrap().notes.len(), 6);
    }
}

/// Links of others are kept before the run ends that brought them: what is written then says as much as they do.
#[test]
fn what_is_written_after_a_run_that_was_cut_off_says_no_less_than_what_came() {
    let (mut office, case, stream) = shared();
    for number in 0..8 {
        office.ann.note(&case, &format!("obs: Number {number}."));
        sync(&mut office.ann, &mut office.served).unwrap();
        follow(&mut office.ann, &office.served, &|_, answer| answer).unwrap();
    }
    // No second page comes.
    let before = followed(&mut office.ben).unwrap();
    let pages = std::cell::Cell::new(0);
    let cut = |request: Request, answer: Vec<u8>| match request {
        Request::Page { .. } if pages.replace(pages.get() + 1) > 0 => Vec::new(),
        _ => answer,
    };
    follow(&mut office.ben, &office.served, &cut).unwrap_err();
    assert_eq!(followed(&mut office.ben).unwrap(), before);
    let came = seen_in(&mut office.ben, stream).unwrap();
    assert!(came.size > before.size);
    office.ben.note(&case, "obs: Of Ben.");
    assert!(seen_in(&mut office.ben, stream).unwrap().size >= came.size);
    // An older log than that is none any more, although less was followed of it.
    let mut older = office.served.clone();
    older.entries.truncate(usize::try_from(before.size).unwrap() + 1);
    let refused = follow(&mut office.ben, &older, &|_, answer| answer).unwrap_err();
    assert_eq!(refused.check(), Some(Check::LogConsistency));
    // Nor is a longer one that is another from where it was followed on: what was verified then is held against it.
    let mut forked = older.clone();
    while forked.entries.len() <= office.served.entries.len() {
        let number = u8::try_from(forked.entries.len()).unwrap();
        forked.entries.push(stranger(number));
    }
    let refused = follow(&mut office.ben, &forked, &|_, answer| answer).unwrap_err();
    assert_eq!(refused.check(), Some(Check::LogConsistency));
}

/// What waited is made anew behind what came, and carries no less than that.
#[test]
fn what_waits_carries_no_less_than_what_it_is_put_behind() {
    let (mut office, case, stream) = shared();
    office.ben.note(&case, "obs: Of Ben, who is away.");
    for number in 0..3 {
        office.ann.note(&case, &format!("obs: Number {number}."));
        sync(&mut office.ann, &mut office.served).unwrap();
        follow(&mut office.ann, &office.served, &|_, answer| answer).unwrap();
    }
    follow(&mut office.ben, &office.served, &|_, answer| answer).unwrap();
    assert_eq!(seen_in(&mut office.ben, stream), followed(&mut office.ben));
    require_sound(&mut office.ben);
    office.meet();
    require_sound(&mut office.ann);
}

/// As above, of an honest server.
#[test]
fn a_run_that_was_cut_off_goes_on() {
    let (mut office, case, _) = shared();
    for number in 0..8 {
        office.ann.note(&case, &format!("obs: Number {number}."));
        sync(&mut office.ann, &mut office.served).unwrap();
        follow(&mut office.ann, &office.served, &|_, answer| answer).unwrap();
    }
    let pages = std::cell::Cell::new(0);
    let cut = |request: Request, answer: Vec<u8>| match request {
        Request::Page { .. } if pages.replace(pages.get() + 1) > 0 => Vec::new(),
        _ => answer,
    };
    follow(&mut office.ben, &office.served, &cut).unwrap_err();
    office.ben.note(&case, "obs: Of Ben.");
    office.meet();
    for vault in [&mut office.ann, &mut office.ben] {
        require_sound(vault);
        assert_eq!(vault.list(&case).unwrap().notes.len(), 9);
    }
}

/// Ann is told another history, behind what both have followed, and writes; `between` is what of Ben's is in the log of the
/// others before what she wrote.
fn forked(between: usize) -> (Office, String) {
    let (mut office, case, _) = shared();
    let mut forked = office.served.clone();
    forked.entries.push(stranger(1));
    // Nothing that she holds contradicts it.
    follow(&mut office.ann, &forked, &|_, answer| answer).unwrap();
    office.ann.note(&case, "obs: Written by whom a fork was shown.");
    if between > 0 {
        let own = office.ben.case("ext-ben");
        for number in 0..between {
            office.ben.note(&own, &format!("obs: Number {number}."));
        }
        send(&mut office.ben, &mut office.served);
    }
    send(&mut office.ann, &mut office.served);
    (office, case)
}

#[test]
fn attack_44_a_link_shows_that_its_author_was_told_another_history() {
    let (mut office, case) = forked(9);
    // It is so each time; what came is taken in by then, and can be read.
    for _ in 0..2 {
        let refused = follow(&mut office.ben, &office.served, &|_, answer| answer).unwrap_err();
        assert_eq!(refused.check(), Some(Check::LogConsistency));
        assert_eq!(office.ben.list(&case).unwrap().notes.len(), 1);
        require_sound(&mut office.ben);
    }
    vault_core::forge::guard::without(Check::LogConsistency, || {
        follow(&mut office.ben, &office.served, &|_, answer| answer).unwrap();
    });
}

#[test]
fn attack_44_nothing_is_taken_of_a_link_that_has_seen_more_of_the_log_than_is_below_it() {
    let (mut office, case) = forked(0);
    for _ in 0..2 {
        let refused = follow(&mut office.ben, &office.served, &|_, answer| answer).unwrap_err();
        assert_eq!(refused.check(), Some(Check::LogConsistency));
        assert_eq!(office.ben.list(&case).unwrap().notes.len(), 0);
    }
}
