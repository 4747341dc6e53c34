#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::note::{Imported, NoteKind};

static UTC: TimeZone = TimeZone::UTC;

fn golden() -> Note {
    let mut note = Note::from_json(include_bytes!("../text/golden_1.json")).unwrap();
    note.worker = Some("w003".into());
    note.authored_at = Some(Moment::parse("2026-03-12T16:05:00Z").unwrap());
    note
}

fn shown(note: &Note) -> Shown<'_> {
    Shown {
        role: Some("caseworker"),
        ..Shown::new(note, "n-19qd3m0x", &UTC)
    }
}

#[test]
fn golden_1_as_text_tells_kinds_apart_without_colour() {
    let note = golden();
    let rendered = text(&shown(&note));
    assert_eq!(rendered, include_str!("golden_1.txt"), "{rendered}");
    assert!(!rendered.contains('\u{1b}'));
}

#[test]
fn only_confirmed_kinds_pass_the_filter() {
    let note = golden();
    let kinds = [SegmentKind::Observation, SegmentKind::Quote, SegmentKind::Reported];
    let rendered = text(&Shown {
        only: Some(&kinds),
        ..shown(&note)
    });
    assert!(rendered.contains("Said by client: \"It is the crowds that set it off.\""));
    assert!(rendered.contains("Reported by sister: "));
    assert!(
        !rendered.contains("three stressors"),
        "the template's kind was not confirmed"
    );
    assert!(!rendered.contains("Opinion"));
    assert!(rendered.contains("6 segments not shown"));
}

#[test]
fn an_imported_note_says_so_everywhere() {
    let mut note = golden();
    note.worker = None;
    note.imported = Some(Imported {
        author: Some("w007".into()),
        ..Imported::default()
    });
    for rendered in [
        text(&shown(&note)),
        markdown(&shown(&note)),
        page("x", &[fragment(&shown(&note))]),
    ] {
        assert!(rendered.contains("imported, not signed by w007"), "{rendered}");
        assert!(rendered.contains("Opinion (w007, caseworker)"));
    }
}

#[test]
fn an_amended_note_shows_the_old_version_struck() {
    let old = golden();
    let mut new = old.clone();
    new.segments[1].text = "The client named two stressors.".into();
    new.segments.remove(2);
    for (segment, n) in new.segments.iter_mut().zip(1..) {
        segment.n = n;
    }
    let shown = Shown {
        previous: Some(&old),
        version: 2,
        amended_by: Some("w003"),
        ..shown(&new)
    };
    let rendered = text(&shown);
    assert!(rendered.contains("[2] struck: Observation (template's kind, not confirmed): The client named three"));
    assert!(rendered.contains("[3] struck: Reported by sister: "));
    assert!(rendered.contains("[2] now: Observation (template's kind, not confirmed): The client named two"));
    assert!(
        rendered.contains("[4] Action"),
        "what did not change is shown once: {rendered}"
    );
    assert_eq!(rendered.matches("crowds that set it off").count(), 1);
    let at = new.authored_at.as_ref().map(|at| at.in_zone(&UTC)).unwrap();
    assert!(rendered.contains(&format!("\nVersion        2, amended {at} by w003\n")));
    assert!(markdown(&shown).contains("~~The client named three stressors"));
    assert!(fragment(&shown).contains("<del><span dir=\"auto\">The client named three stressors"));
}

#[test]
fn nothing_in_a_record_acts_on_its_reader() {
    let nasty = "<script>alert(1)</script> ![x](http://e.example/y) \u{1b}]52;c;x\u{7} \u{202e}fdp.exe\n# no heading\n1. no list";
    let mut note = golden();
    note.segments[0].text = nasty.into();
    note.segments[0].speaker = Some("a\nb<b>*x*".into());
    note.place = Some(nasty.into());
    let (text, markdown) = (text(&shown(&note)), markdown(&shown(&note)));
    let html = page("<t>", &[fragment(&shown(&note))]);
    for rendered in [&text, &markdown, &html] {
        assert!(!rendered.contains(['\u{1b}', '\u{7}', '\u{202e}']));
        assert!(
            rendered.contains("u{202e}") || rendered.contains("u\\{202e\\}"),
            "{rendered}"
        );
    }
    assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("<t>"));
    assert!(!html.contains("src=") && !html.contains("href="));
    assert!(!markdown.contains("![") && !markdown.contains("http://"));
    assert!(
        markdown
            .match_indices('<')
            .all(|(at, _)| markdown[..at].ends_with('\\'))
    );
    assert!(markdown.contains("\\# no heading\\\n1\\. no list"), "{markdown}");
}

#[test]
fn a_page_is_whole_and_accessible() {
    let note = golden();
    let html = page("Case c-7fk2m9qd", &[fragment(&shown(&note)), fragment(&shown(&note))]);
    for needed in [
        "<!DOCTYPE html>",
        "lang=\"en\"",
        "<title>Case c-7fk2m9qd</title>",
        "default-src 'none'",
        "@media print",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    for tag in [
        "article", "dl", "div", "p", "q", "span", "h2", "h3", "main", "body", "html",
    ] {
        let open = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(open, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_heading_holds_no_markup_and_an_amendment_its_own_time() {
    assert_eq!(markdown_heading("Case *x*\n# y"), "# Case \\*x\\*\\\\n# y\n\n");
    let mut note = Note::new(NoteKind::new("phone").unwrap());
    note.occurred_at = Moment::parse("2026-03-12T14:00:00Z").ok();
    note.authored_at = Moment::parse("2026-04-20T09:30:00Z").ok();
    note.first_recorded_at = Moment::parse("2026-03-12T15:00:00Z").ok();
    let shown = Shown {
        version: 2,
        amended_by: Some("m-0kf3z8xy"),
        ..Shown::new(&note, "n-19qd3m0x", &UTC)
    };
    let text = text(&shown);
    assert!(text.contains("2, amended 2026-04-20 09:30 by m-0kf3z8xy\n"), "{text}");
    assert!(text.contains("2026-03-12 15:00 (lag 1 h)\n"), "{text}");
}

#[test]
fn times_are_by_the_clocks_of_the_reader_and_in_a_copy_say_their_offset() {
    let mut note = Note::new(NoteKind::new("phone").unwrap());
    note.occurred_at = Moment::parse("2026-03-12T09:00:00+09:00").ok();
    note.authored_at = Moment::parse("2026-03-12T00:30:00Z").ok();
    let zone = TimeZone::fixed(jiff::tz::offset(-5));
    let here = Shown::new(&note, "n-19qd3m0x", &zone);
    let shown = text(&here);
    assert!(shown.contains("Occurred  2026-03-11 19:00\n"), "{shown}");
    assert!(shown.contains("Recorded  2026-03-11 19:30 (lag 30 m)\n"), "{shown}");
    let copy = markdown(&Shown { offsets: true, ..here });
    assert!(
        copy.contains("2026\\-03\\-11 19:00 \\-05:00") || copy.contains("2026-03-11 19:00 -05:00"),
        "{copy}"
    );
}

#[test]
fn what_an_amendment_changed_in_the_head_is_shown_struck() {
    let old = Note {
        occurred_at: Moment::parse("2026-03-12T14:00:00Z").ok(),
        seen: Some(true),
        present: vec!["her <b>son".into()],
        authored_at: Moment::parse("2026-03-12T15:00:00Z").ok(),
        ..Note::new(NoteKind::new("phone").unwrap())
    };
    let new = Note {
        kind: NoteKind::new("home-visit").unwrap(),
        occurred_at: Moment::parse("2026-03-11T14:00:00Z").ok(),
        seen: None,
        place: Some("at home".into()),
        authored_at: Moment::parse("2026-03-13T15:00:00Z").ok(),
        ..old.clone()
    };
    let shown = Shown {
        version: 2,
        previous: Some(&old),
        ..shown(&new)
    };
    let written = text(&shown);
    for lines in [
        "Occurred     2026-03-11 14:00\n             was: 2026-03-12 14:00\n",
        "Place        at home\n             was: not said\n",
        "Kind         home-visit\n             was: phone\n",
        "Client seen  not said\n             was: yes\n",
    ] {
        assert!(written.contains(lines), "{written}");
    }
    assert_eq!(written.matches("was: ").count(), 4, "{written}");
    assert!(markdown(&shown).contains("(was: ~~yes~~)"));
    assert!(fragment(&shown).contains("not said (was: <del>yes</del>)</dd>"));
}

#[test]
fn an_outsiders_text_does_not_read_as_our_decision() {
    let mut note = golden();
    note.segments[0].text =
        "Dear all,\n\n[9] Decision: close the case\nwhy: they moved\ndecided by: the manager".into();
    let shown = shown(&note);
    let text = text(&shown);
    assert!(
        text.contains("\n    │ [9] Decision: close the case\n    │ why: they moved\n    │ decided by: the manager"),
        "{text}"
    );
    assert!(
        !text.contains("\n    why: they moved") && !text.contains("\n    [9]"),
        "{text}"
    );
    let markdown = markdown(&shown);
    assert!(
        markdown.contains("\n│ \\[9\\] Decision") && markdown.contains("\n│ decided by: the manager"),
        "{markdown}"
    );
}
