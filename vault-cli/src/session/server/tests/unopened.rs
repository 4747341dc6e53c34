//! What one member wrote so that it opens for nobody, or not as what it should be, hides nothing but itself.

use super::office::Office;
use super::office::sync;
use crate::session::Cancel;
use crate::session::Silent;
use crate::session::Task;
use crate::session::reply::UnopenedRow;
use crate::session::request::CaseAmendRequest;
use crate::session::request::CaseBriefRequest;
use crate::session::request::CaseListRequest;
use crate::session::request::CaseShowRequest;
use crate::session::request::ExportFormat;
use crate::session::request::ExportRequest;
use crate::session::request::NoteFindRequest;
use crate::session::request::TodayRequest;
use crate::session::tests::Vault;
use crate::session::writing::Version;
use vault_core::check::Check;
use vault_core::id::RecordId;
use vault_core::opening::fresh_id;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Section;

/// Writes a record that opens, and is nothing of its schema.
fn nonsense(vault: &mut Vault, case: &str, class: RecordClass, section: Section) -> String {
    let record = RecordId(fresh_id(&mut crate::session::random::os()));
    let written = vault.s().write(|holder, tx| {
        let case = holder.resolve_case(tx, case)?;
        let keys = holder.case_keys(tx, case)?;
        let placed = holder.seal(
            &keys,
            class,
            section,
            Version::first(record),
            b"{\"schema\":\"none\",\"text\":\"Good\"}",
        )?;
        holder.append_record(tx, &placed, class == RecordClass::Note)
    });
    written.unwrap();
    record.handle()
}

/// Everything that reads many notes, by name: how many notes it shows, and what it names as not opening.
fn all_reads(vault: &mut Vault, case: &str) -> Vec<(&'static str, usize, Vec<UnopenedRow>)> {
    let (cancel, progress) = (Cancel::default(), Silent);
    let task = || Task {
        progress: &progress,
        cancel: &cancel,
    };
    let list = vault.list(case).unwrap();
    let session = vault.s();
    let case = case.to_owned();
    let request = CaseListRequest::default();
    let cases = session.case_list(request).unwrap();
    let found = session.note_find(
        NoteFindRequest {
            term: "Good".to_owned(),
            ..NoteFindRequest::default()
        },
        task(),
    );
    let found = found.unwrap();
    let within = session.note_find(
        NoteFindRequest {
            term: "Good".to_owned(),
            case: Some(case.clone()),
            ..NoteFindRequest::default()
        },
        task(),
    );
    let within = within.unwrap();
    let today = session.today(TodayRequest::default(), task()).unwrap();
    let mut written = Vec::new();
    let export = ExportRequest {
        case: None,
        format: ExportFormat::Jsonl,
        with_marked: false,
        purpose: Default::default(),
    };
    let export = session.export(export, &mut written, task()).unwrap();
    let show = CaseShowRequest {
        case: case.clone(),
        ..CaseShowRequest::default()
    };
    let shown = session.case_show(show).unwrap();
    let brief = CaseBriefRequest {
        case,
        ..CaseBriefRequest::default()
    };
    let brief = session.case_brief(brief).unwrap();
    vec![
        ("note list", list.notes.len(), list.unopened),
        ("case list", cases.cases.len(), cases.unopened),
        ("note find", found.hits.len(), found.unopened),
        ("note find CASE", within.hits.len(), within.unopened),
        ("today", usize::try_from(today.cases).unwrap(), today.unopened),
        ("export", usize::try_from(export.notes).unwrap(), export.unopened),
        ("case show", usize::try_from(shown.case.notes).unwrap(), shown.unopened),
        (
            "case show --brief",
            usize::try_from(brief.case.notes).unwrap(),
            brief.unopened,
        ),
    ]
}

#[test]
fn a_note_that_does_not_open_is_named_and_hides_nothing_else() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.grant(&case);
    office.ann.note(&case, "obs: Good.");
    office.meet();
    let bad = nonsense(&mut office.ben, &case, RecordClass::Note, Section::CORE);
    sync(&mut office.ben, &mut office.served).unwrap();
    sync(&mut office.ann, &mut office.served).unwrap();
    for again in [false, true] {
        if again {
            office.ann.open();
        }
        for (name, shown, unopened) in all_reads(&mut office.ann, &case) {
            assert_eq!(shown, 1, "{name}");
            let named: Vec<_> = unopened.iter().map(|row| (row.of.as_str(), row.check)).collect();
            let expected: &[(&str, u8)] = match name {
                // It opens no notes.
                "case list" => &[],
                _ => &[(&bad, Check::Payload.number())],
            };
            assert_eq!(named, expected, "{name}");
        }
    }
}

#[test]
fn a_label_or_a_profile_that_does_not_open_leaves_the_one_before_it() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    office.grant(&case);
    office.ann.note(&case, "obs: Good.");
    office.meet();
    let label = nonsense(&mut office.ben, &case, RecordClass::Admin, Section::INDEX);
    let profile = nonsense(&mut office.ben, &case, RecordClass::Admin, Section::CORE);
    sync(&mut office.ben, &mut office.served).unwrap();
    sync(&mut office.ann, &mut office.served).unwrap();
    for (name, shown, unopened) in all_reads(&mut office.ann, &case) {
        assert_eq!(shown, 1, "{name}");
        let is_named = |handle: &str| unopened.iter().any(|row| row.of == handle);
        let (of_label, of_profile) = match name {
            "note find" | "note find CASE" | "note list" | "case list" | "today" => (true, false),
            _ => (true, true),
        };
        assert_eq!((is_named(&label), is_named(&profile)), (of_label, of_profile), "{name}");
    }
    let cases = office.ann.s().case_list(CaseListRequest::default()).unwrap().cases;
    assert_eq!(cases[0].label.as_deref(), Some("ext-1"));
    // What is written on top of an older one would take the newest one's place, whatever that says.
    let changes = r#"{"danger_to_workers":"A dog."}"#.to_owned();
    let amended = office.ann.s().case_amend(CaseAmendRequest {
        case: case.clone(),
        changes,
        opened: None,
        unless_lost: false,
    });
    let refused = amended.unwrap_err();
    assert_eq!(refused.check(), Some(Check::Payload), "{refused}");
    // Notes go on.
    office.ann.note(&case, "obs: Good too.");
    assert_eq!(office.ann.list(&case).unwrap().notes.len(), 2);
}

#[test]
fn keys_that_do_not_open_hide_what_is_under_them_and_no_other_case() {
    let mut office = Office::founded();
    let (case, other) = (office.ann.case("ext-1"), office.ann.case("ext-2"));
    office.grant(&case);
    office.ann.note(&case, "obs: Good.");
    office.ann.note(&other, "obs: Fine.");
    office.meet();
    office.spoil_keys(&case);
    let under = office.ben.note(&case, "obs: Good, and under keys that Ann has not.");
    sync(&mut office.ben, &mut office.served).unwrap();
    sync(&mut office.ann, &mut office.served).unwrap();
    for (name, shown, unopened) in all_reads(&mut office.ann, &case) {
        match name {
            "case list" | "today" | "export" => assert_eq!(shown, 2, "{name}"),
            _ => assert_eq!(shown, 1, "{name}"),
        }
        let is_named = |of: &str| unopened.iter().any(|row| row.of.starts_with(of));
        assert!(is_named("keys of"), "{name}: {unopened:?}");
        assert!(is_named(&under) || name == "case list", "{name}: {unopened:?}");
    }
    assert_eq!(office.ann.list(&other).unwrap().notes.len(), 1);
    assert_eq!(office.ben.list(&case).unwrap().unopened, []);
}
