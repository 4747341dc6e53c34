//! A member whose access to a case has ended, and begins again.

use super::absent::without_bytes_from;
use super::office::Office;
use super::office::asked;
use super::office::follow;
use super::office::stream_of;
use super::office::sync;
use super::require_sound;
use super::silent;
use crate::session::SessionError;
use crate::session::request::CaseListRequest;
use crate::session::request::CaseOpenRequest;
use crate::session::request::CaseShowRequest;
use crate::session::request::NoteFindRequest;
use crate::session::request::NoteWithdrawRequest;
use crate::session::request::TodayRequest;
use crate::session::tests::Vault;
use crate::session::unshown;
use std::collections::HashSet;
use vault_core::check::Check;
use vault_core::id::CaseId;
use vault_core::id::RecordHash;
use vault_core::sync::Request;
use vault_core::wire;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::sync::StreamPage;

#[test]
fn a_case_in_which_access_ended_is_read_as_far_as_it_went_and_keeps_nothing_away() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.ann.note(&case, "obs: Before.");
    let grant = office.grant(&case);
    let note = office.ann.note(&case, "obs: While Ben was there.");
    office.meet();
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 2);
    let by_ben = office.ben.note(&case, "obs: Of Ben.");
    office.meet();

    office.revoke(&case, grant);
    office.ann.note(&case, "obs: Not for Ben.");
    let other = office.ann.case("ext-2");
    office.grant(&other);
    office.ann.note(&other, "obs: In the other case.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let stream = stream_of(&mut office.ann, &case);
    let shown = office.served.chains[&stream].len() - 1;

    // One that ends nobody's access and is delivered no further is withheld, and nothing is left for it.
    let mut cut = office.served.clone();
    cut.ended.insert(stream, shown - 1);
    let withheld = follow(&mut office.ben, &cut, &|_, answer| answer).unwrap_err();
    assert!(withheld.to_string().contains("holds back"), "{withheld}");

    office.served.ended.insert(stream, shown);
    sync(&mut office.ben, &mut office.served).unwrap();
    assert_eq!(office.ben.list(&other).unwrap().notes.len(), 1);
    for note in [&note, &by_ben] {
        office.ben.show(note).unwrap();
    }
    require_sound(&mut office.ben);
    assert!(office.ben.add(&case, "obs: Too late.").is_err());

    // It is wanted no more, also after its store was opened anew.
    office.ann.note(&case, "obs: Later.");
    sync(&mut office.ann, &mut office.served).unwrap();
    office.ben.open();
    let (received, requests) = asked(&mut office.ben, &office.served, &|_, answer| answer);
    assert_eq!(received.unwrap(), 0);
    let of_it = |request: &Request| matches!(request, Request::Page { stream: of, .. } if *of == stream);
    assert!(!requests.iter().any(of_it));

    // Until there is a new grant.
    office.grant(&case);
    office.ann.note(&case, "obs: Ben is back.");
    sync(&mut office.ann, &mut office.served).unwrap();
    office.served.ended.clear();
    sync(&mut office.ben, &mut office.served).unwrap();
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 6);
    office.ben.note(&case, "obs: Of Ben again.");
    office.meet();
    assert_eq!(super::links(&mut office.ann).len(), super::links(&mut office.ben).len());
    for vault in [&mut office.ann, &mut office.ben] {
        require_sound(vault);
    }
}

#[test]
fn access_that_never_began_has_not_ended() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    for n in 0..4 {
        office.ann.note(&case, &format!("obs: Number {n}."));
    }
    sync(&mut office.ann, &mut office.served).unwrap();
    let stream = stream_of(&mut office.ann, &case);
    // Listed, as one that Ben was let into is, and said to end where nothing does.
    for shown in [2, 4] {
        let lie = |request: Request, answer: Vec<u8>| match request {
            Request::Page { stream: of, from } if of == stream => {
                let mut page: StreamPage = wire::decode(&answer, limit::APPEND).unwrap();
                page.parcels.truncate((shown - from.min(shown)) as usize);
                wire::encode(&page).unwrap()
            }
            _ => answer,
        };
        let told = follow(&mut office.ben, &office.served, &lie).unwrap_err();
        assert!(told.to_string().contains("holds back"), "{told}");
        assert!(super::kept(office.ben.s()).all_left().is_empty());
    }
}

#[test]
fn what_was_not_shown_of_a_case_that_was_left_hides_nothing_else_and_comes_with_a_new_grant() {
    let mut office = Office::founded();
    let (case, other) = (office.ann.case("ext-1"), office.ann.case("ext-2"));
    let grant = office.grant(&case);
    office.grant(&other);
    let shown = office.ann.note(&case, "obs: Ben has this.");
    office.ann.note(&other, "obs: In the other case.");
    office.meet();
    let stream = stream_of(&mut office.ann, &case);
    let had = office.served.chains[&stream].len() as u64;
    let gone = office.ann.note(&case, "obs: Not shown.");
    office.ann.note(&case, "obs: Not shown either.");
    office.revoke(&case, grant);
    sync(&mut office.ann, &mut office.served).unwrap();
    let all = office.served.chains[&stream].len();
    office.served.ended.insert(stream, all);
    let lie = |request: Request, answer: Vec<u8>| match request {
        Request::Page { stream: of, from } if of == stream => without_bytes_from(answer, from, had),
        _ => answer,
    };
    follow(&mut office.ben, &office.served, &lie).unwrap();
    assert_eq!(super::kept(office.ben.s()).all_left(), [stream]);

    // Everything that reads many goes on, and names what it has not.
    let listed = office.ben.list(&case).unwrap();
    assert_eq!(listed.notes.len(), 1);
    assert_eq!(listed.unopened.len(), 2);
    assert!(listed.unopened.iter().any(|row| row.of == gone && row.check == 82));
    assert!(listed.unopened[0].why.contains("not shown"));
    assert_eq!(office.ben.list(&other).unwrap().notes.len(), 1);
    office.ben.show(&shown).unwrap();
    let missed = office.ben.show(&gone);
    assert!(matches!(missed, Err(SessionError::NotShown { .. })));
    let session = office.ben.s();
    session.today(TodayRequest::default(), silent()).unwrap();
    let cases = session.case_list(CaseListRequest::default()).unwrap().cases;
    assert_eq!(cases.iter().filter(|row| row.left).count(), 1);
    let found = NoteFindRequest {
        term: "Ben has".to_owned(),
        ..NoteFindRequest::default()
    };
    let found = session.note_find(found, silent()).unwrap();
    assert_eq!((found.notes, found.unopened.len()), (1, 2));
    require_sound(&mut office.ben);

    // What is not marked so was taken out of the file.
    let (id, marks) = marks(&mut office);
    let mark = |office: &mut Office, marks: &HashSet<RecordHash>| {
        let marked = office.ben.s().write(|_, tx| unshown::store(tx, id, marks));
        marked.unwrap();
    };
    mark(&mut office, &HashSet::new());
    assert_eq!(office.ben.list(&case).unwrap_err().check(), Some(Check::BodyMissing));
    mark(&mut office, &marks);

    office.grant(&case);
    sync(&mut office.ann, &mut office.served).unwrap();
    office.served.ended.clear();
    sync(&mut office.ben, &mut office.served).unwrap();
    let listed = office.ben.list(&case).unwrap();
    assert_eq!((listed.notes.len(), listed.unopened.len()), (3, 0));
    office.ben.show(&gone).unwrap();
    require_sound(&mut office.ben);
}

#[test]
fn a_note_that_was_withdrawn_before_anybody_heard_that_access_ended_keeps_nothing_away() {
    let mut office = Office::founded();
    let (case, other) = (office.ann.case("ext-1"), office.ann.case("ext-2"));
    let grant = office.grant(&case);
    office.grant(&other);
    office.meet();
    let kept = office.ben.note(&case, "obs: Kept.");
    office.meet();
    let unsent = office.ben.note(&case, "obs: Never sent.");
    let withdraw = NoteWithdrawRequest { note: unsent };
    office.ben.s().note_withdraw(withdraw).unwrap();
    office.ben.note(&other, "obs: In the other case.");
    office.revoke(&case, grant);
    sync(&mut office.ann, &mut office.served).unwrap();
    let stream = stream_of(&mut office.ann, &case);
    let shown = office.served.chains[&stream].len();
    office.served.ended.insert(stream, shown);
    sync(&mut office.ben, &mut office.served).unwrap();
    sync(&mut office.ann, &mut office.served).unwrap();
    assert_eq!(office.ann.list(&other).unwrap().notes.len(), 1);
    // The note, and what erased it, are aside: of the case there is what was sent, whole.
    let listed = office.ben.list(&case).unwrap();
    assert_eq!((listed.notes.len(), listed.unopened.len()), (1, 0));
    office.ben.show(&kept).unwrap();
    require_sound(&mut office.ben);
    office.ben.open();
    require_sound(&mut office.ben);
}

#[test]
fn a_withdrawal_of_which_one_part_has_no_place_any_more_takes_the_rest() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    let grant = office.grant(&case);
    office.meet();
    let note = office
        .ben
        .note(&case, "obs: In the core.\n\nobs: Of health. {section health}");
    office.ben.s().note_withdraw(NoteWithdrawRequest { note }).unwrap();
    let other = office.ben.note(&case, "obs: Written after.");
    // From now on Ben holds the core alone.
    office.revoke(&case, grant);
    office.grant_of(&case, &|section| [Section::INDEX, Section::CORE].contains(&section));
    office.meet();
    for vault in [&mut office.ann, &mut office.ben] {
        vault.show(&other).unwrap();
        let listed = vault.list(&case).unwrap();
        assert_eq!((listed.notes.len(), listed.unopened.len()), (1, 0));
        require_sound(vault);
    }
}

/// What Ben was not shown.
fn marks(office: &mut Office) -> (CaseId, HashSet<RecordHash>) {
    let session = office.ben.s();
    let case = session.store.read(unshown::cases).unwrap()[0];
    (case, session.store.read(|tx| unshown::load(tx, case)).unwrap())
}

#[test]
fn a_case_that_was_left_is_of_no_household() {
    let mut office = Office::founded();
    let mut opened = |profile: &str| {
        let request = CaseOpenRequest {
            template: "adult-social-care".to_owned(),
            profile: format!(r#"{{"profile":{profile}}}"#),
            opened: None,
        };
        office.ann.s().case_open(request).unwrap().case
    };
    let left = opened(r#"{"name":"Ada Pike","danger_to_workers":"A dog."}"#);
    let stays = opened(r#"{"name":"Ben Pike","household":"Ada Pike (sister)"}"#);
    let grant = office.grant(&left);
    office.grant(&stays);
    office.meet();
    let told = |vault: &mut Vault| {
        let request = CaseShowRequest {
            case: stays.clone(),
            ..CaseShowRequest::default()
        };
        let household = vault.s().case_show(request).unwrap().household;
        household.into_iter().map(|one| one.case).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut office.ben), std::slice::from_ref(&left));
    office.revoke(&left, grant);
    office.ann.note(&left, "obs: Not for Ben.");
    sync(&mut office.ann, &mut office.served).unwrap();
    let stream = stream_of(&mut office.ann, &left);
    let shown = office.served.chains[&stream].len() - 1;
    office.served.ended.insert(stream, shown);
    sync(&mut office.ben, &mut office.served).unwrap();
    assert_eq!(super::kept(office.ben.s()).all_left(), [stream]);
    assert_eq!(told(&mut office.ben), [""; 0]);
    assert_eq!(told(&mut office.ann), [left]);
}
