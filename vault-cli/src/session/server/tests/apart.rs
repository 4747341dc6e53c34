//! Two who write apart: what each opens, cites and has to put aside.

use super::further;
use super::office::Office;
use super::office::sync;
use super::require_sound;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::request::AsideDiscardRequest;
use crate::session::request::AsideListRequest;
use crate::session::request::AsideRestoreRequest;
use crate::session::request::AsideShowRequest;
use crate::session::request::NoteAddRequest;
use crate::session::request::NoteInput;
use crate::session::request::ReadPurpose;
use crate::session::tests::Vault;
use vault_core::access::AccessState;
use vault_core::agency_state::AgencyState;
use vault_core::check::Check;
use vault_core::growing;
use vault_core::id::MemberId;
use vault_core::keyring;
use vault_core::parcel::OpenParcel;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

#[test]
fn two_authors_who_open_a_private_section_apart_keep_both() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.grant(&case);
    office.meet();
    let text = |who: &str| format!("obs: Rang.\npriv: I was tired, says {who}.");
    let by_ann = office.ann.note(&case, &text("Ann"));
    let by_ben = office.ben.note(&case, &text("Ben"));
    office.meet();
    for vault in [&mut office.ann, &mut office.ben] {
        let aside = vault.s().aside_list(AsideListRequest {}).unwrap().aside;
        assert!(aside.is_empty(), "{aside:?}");
        require_sound(vault);
    }
    let private = |vault: &mut Vault, note: &str| {
        let shown = vault.show(note).unwrap().view.content;
        shown.segments.iter().any(|segment| segment.text.contains("tired"))
    };
    assert!(private(&mut office.ann, &by_ann) && !private(&mut office.ann, &by_ben));
    assert!(private(&mut office.ben, &by_ben) && !private(&mut office.ben, &by_ann));
}

#[test]
fn a_private_sections_number_is_the_first_that_is_free_from_its_authors_own_on() {
    let number = |author: [u8; 16], taken: &[u16]| {
        let is_taken = |section: Section| taken.contains(&section.0);
        crate::session::writing::private_number(MemberId(author), is_taken).map(|section| section.0)
    };
    let author = |high, low| {
        let mut id = [9; 16];
        (id[0], id[1]) = (high, low);
        id
    };
    assert_eq!(number(author(0, 3), &[]), Some(0x8003));
    assert_eq!(number(author(0, 3), &[0x8003, 0x8004]), Some(0x8005));
    // 0xffff is the role key's.
    assert_eq!(number(author(0x7f, 0xfe), &[]), Some(0xfffe));
    assert_eq!(number(author(0x7f, 0xfe), &[0xfffe]), Some(0x8000));
    assert_eq!(number(author(0xff, 0xff), &[]), Some(0x8001));
    let all: Vec<u16> = (0x8000..0xffff).collect();
    assert_eq!(number(author(1, 1), &all), None);
}

/// Gives a member a further role, with the role key's next epoch.
fn reviewer(session: &mut Session, member: MemberId) {
    let roles = Roles::CASEWORKER.with(Roles::REVIEWER);
    let changed = session
        .write(|holder, tx| holder.administer(tx, |agency, by| growing::change_roles(agency, by, member, roles)));
    changed.unwrap();
}

#[test]
fn a_role_key_that_has_no_place_is_dropped_and_entries_stay_under_the_one_that_they_cite() {
    let mut office = Office::founded();
    let ben = office.ben.s().holder.member;
    let case = office.ann.case("ext-1");
    let note = office.ann.note(&case, "obs: Rang.");
    let mut desk = further(&mut office.ann);
    office.meet();
    sync(&mut desk, &mut office.served).unwrap();
    // Both make Ben a reviewer, each with a role key of its own making, and read.
    for vault in [&mut office.ann, &mut desk] {
        reviewer(vault.s(), ben);
        vault.show(&note).unwrap();
    }
    sync(&mut office.ann, &mut office.served).unwrap();
    sync(&mut desk, &mut office.served).unwrap();
    office.meet();
    sync(&mut desk, &mut office.served).unwrap();

    let session = desk.s();
    let named = session.holder.agency.dpo_epoch(1).unwrap().clone();
    for (epoch, seed) in &session.holder.secrets.dpo {
        let known = session.holder.agency.dpo_epoch(*epoch).unwrap();
        assert_eq!(keyring::recipient_key(seed), *known);
    }
    let holder = &session.holder;
    let seed = session.store.read(|tx| holder.role_seed(tx, 1)).unwrap().unwrap();
    assert_eq!(keyring::recipient_key(&seed), named);

    require_accesses(&mut office, &mut desk);
}

/// Follows the streams of accesses of Ann's two devices, as a reviewer does.
fn require_accesses(office: &mut Office, desk: &mut Vault) {
    let session = desk.s();
    let agency: &AgencyState = &session.holder.agency;
    for device in [office.ann.s().holder.device, session.holder.device] {
        let mut state = AccessState::empty(device);
        let chain = office.served.chains.get(&StreamId::access(device));
        for (_, _, parcel) in chain.into_iter().flatten() {
            let open = OpenParcel::open(parcel.clone()).unwrap();
            state.judge(agency, open.link()).unwrap();
        }
    }
}

#[test]
fn entries_that_cite_what_waits_stay_under_the_role_key_that_they_are_sealed_to() {
    let mut office = Office::founded();
    let ben = office.ben.s().holder.member;
    let case = office.ann.case("ext-1");
    let note = office.ann.note(&case, "obs: Rang.");
    let mut desk = further(&mut office.ann);
    office.meet();
    sync(&mut desk, &mut office.served).unwrap();
    // A segment is begun, and goes on after a change of the agency that waits.
    desk.show(&note).unwrap();
    let renamed = desk.s().write(|holder, tx| {
        let mut kept = holder.settings(tx)?;
        kept.settings.put_name(ben, "Benjamin");
        holder.put_settings(tx, &kept)
    });
    renamed.unwrap();
    desk.show(&note).unwrap();
    // Meanwhile there is another role key.
    reviewer(office.ann.s(), ben);
    sync(&mut office.ann, &mut office.served).unwrap();
    sync(&mut desk, &mut office.served).unwrap();
    require_accesses(&mut office, &mut desk);
    desk.show(&note).unwrap();
    sync(&mut desk, &mut office.served).unwrap();
    require_accesses(&mut office, &mut desk);
}

#[test]
fn an_amendment_that_was_set_aside_is_not_written_again_as_a_note_of_its_own() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    let grant = office.grant(&case);
    let by_ann = office.ann.note(&case, "obs: Seen by Ann.");
    office.meet();
    office.ben.amend(&by_ann, "obs: Seen by Ann, says Ben.");
    office.revoke(&case, grant);
    sync(&mut office.ann, &mut office.served).unwrap();
    sync(&mut office.ben, &mut office.served).unwrap();
    let listed = office.ben.s().aside_list(AsideListRequest {}).unwrap().aside;
    let row = listed.iter().find(|row| row.note.as_deref() == Some(&by_ann)).unwrap();
    assert!(!row.can_be_restored, "{row:?}");
    office.grant(&case);
    office.meet();
    let aside = row.aside.clone();
    let refused = office.ben.s().aside_restore(AsideRestoreRequest { aside });
    assert!(matches!(refused, Err(SessionError::Conflict { .. })), "{refused:?}");
    assert_eq!(office.ben.list(&case).unwrap().notes.len(), 1);
}

#[test]
fn what_was_set_aside_is_shown_written_again_or_dropped() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    let grant = office.grant(&case);
    office.meet();
    // Ben writes while his access ends.
    let lost = office.ben.note(&case, "obs: Written too late.");
    office.ben.note(&case, "obs: And another.");
    office.revoke(&case, grant);
    sync(&mut office.ann, &mut office.served).unwrap();
    sync(&mut office.ben, &mut office.served).unwrap();
    let listed = office.ben.s().aside_list(AsideListRequest {}).unwrap().aside;
    assert_eq!(listed.len(), 2, "{listed:?}");
    let row = listed.iter().find(|row| row.note.as_deref() == Some(&lost)).unwrap();
    assert_eq!(
        (row.can_be_restored, row.check),
        (true, Some(Check::WriteRight.number()))
    );
    let shown = office.ben.s().aside_show(AsideShowRequest {
        aside: row.aside.clone(),
        purpose: ReadPurpose::default(),
    });
    assert_eq!(shown.unwrap().text, ["observation: Written too late."]);
    // As long as he may not write there, it stays.
    let restore = |vault: &mut Vault| {
        let aside = row.aside.clone();
        vault.s().aside_restore(AsideRestoreRequest { aside })
    };
    assert!(restore(&mut office.ben).is_err());
    let other = listed.iter().find(|row| row.note.as_deref() != Some(&lost)).unwrap();
    let dropped = office.ben.s().aside_discard(AsideDiscardRequest {
        aside: other.aside.clone(),
        reason: "said on the phone".to_owned(),
    });
    dropped.unwrap();
    office.grant(&case);
    office.meet();
    let again = restore(&mut office.ben).unwrap();
    assert_ne!(again.note, lost);
    assert!(restore(&mut office.ben).is_err());
    office.meet();
    assert!(office.ben.s().aside_list(AsideListRequest {}).unwrap().aside.is_empty());
    let read = office.ann.show(&again.note).unwrap().view.content;
    assert_eq!(read.segments[0].text.trim(), "Written too late.");
    for vault in [&mut office.ann, &mut office.ben] {
        require_sound(vault);
    }
}

#[test]
fn which_notes_are_one_is_looked_for_anew_when_others_wrote() {
    let mut office = Office::founded();
    let (one, two) = (office.ann.case("ext-1"), office.ann.case("ext-2"));
    let added = office.ann.s().note_add(NoteAddRequest {
        case: one.clone(),
        also: vec![two.clone()],
        note: NoteInput {
            text: "obs: Both were at home.".into(),
            ..NoteInput::default()
        },
        ..NoteAddRequest::default()
    });
    let note = added.unwrap().note;
    office.grant(&one);
    office.meet();
    let others = |vault: &mut Vault| {
        let joined = vault.show(&note).unwrap().view.content.joined;
        let session = vault.s();
        let case = session.store.read(|tx| session.holder.resolve_case(tx, &one)).unwrap();
        session.joined_as_any(case, joined.into_iter().collect()).unwrap().len()
    };
    assert_eq!(others(&mut office.ben), 0, "the other case is not Ben's yet");
    office.grant(&two);
    office.meet();
    assert_eq!(others(&mut office.ben), 1);
}
