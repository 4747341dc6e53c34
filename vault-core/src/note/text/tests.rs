#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::note::model::{Names, Segment};

fn now() -> Now {
    Now::new("2026-03-12T16:05:00Z".parse().unwrap(), TimeZone::UTC)
}

fn outline() -> Outline {
    let heading = |title: &str, kind, section: Option<&str>| Heading {
        title: title.into(),
        kind,
        section: section.map(str::to_owned),
        guidance: vec!["What did you see?".into()],
    };
    Outline {
        template: Some("adult-social-care".into()),
        version: Some(1),
        kind: NoteKind::new("home-visit"),
        headings: vec![
            heading("Interviews", SegmentKind::Observation, None),
            heading("Health", SegmentKind::Observation, Some("health")),
            heading("Interventions", SegmentKind::Intervention, None),
            heading("Progress", SegmentKind::Narrative, None),
            heading("Plans", SegmentKind::Plan, None),
        ],
        prompts: vec!["What surprised me?".into()],
        others: vec!["Home conditions".into()],
    }
}

fn read(text: &str) -> Note {
    parse(text, &outline(), &now()).unwrap_or_else(|e| panic!("{e:?}"))
}

/// The founding document's example of session notes: stressors, then plan.
#[test]
fn golden_1_stressors_then_plan() {
    let note = read(include_str!("golden_1.note"));
    assert_eq!(note.kind.as_str(), "interview");
    assert_eq!(note.occurred_at.as_ref().unwrap().as_str(), "2026-03-12T14:00:00Z");
    assert_eq!(note.duration_minutes, Some(50));
    assert_eq!(
        (note.seen_alone, note.seen_alone_why_not.as_deref()),
        (Some(false), Some("her sister stayed"))
    );
    let json = serde_json::to_string_pretty(&note).unwrap();
    assert_eq!(json.trim(), include_str!("golden_1.json").trim(), "{json}");
    assert_eq!(read(&print(&note, &outline())), note);
}

#[test]
fn prefixes_override_and_each_starts_a_segment() {
    let note = read(concat!(
        "Just text.\nsecond line\nobs: saw {about mother, son} it\nsaid client via interpreter: “No.”\nrep GP: is ill\n",
        "int: sad [1, 2]\nint [2]: glad\nact: called\ndec: go\nplan: ring\npriv: hm\nPlan: more\nplan B: no prefix\n",
        "said goodbye at 14:00 to all\n"
    ));
    let kinds: Vec<&str> = note.segments.iter().map(|s| s.kind.short()).collect();
    assert_eq!(
        kinds,
        [
            "nar", "obs", "said", "rep", "int", "int", "act", "dec", "plan", "priv", "plan"
        ]
    );
    assert_eq!(note.segments[0].text, "Just text.\nsecond line");
    assert!(note.segments.iter().all(|s| !s.default_kind && s.section.is_none()));
    assert_eq!(note.segments[1].text, "saw it");
    assert_eq!(
        note.segments[1].about,
        Some(Names::Many(vec!["mother".into(), "son".into()]))
    );
    let said = &note.segments[2];
    assert_eq!(
        (said.text.as_str(), said.speaker.as_deref(), said.through_interpreter),
        ("No.", Some("client"), true)
    );
    assert_eq!(note.segments[3].from.as_deref(), Some("GP"));
    assert_eq!(
        (note.segments[4].text.as_str(), &note.segments[4].cites[..]),
        ("sad", &[1, 2][..])
    );
    assert_eq!(
        (note.segments[5].text.as_str(), &note.segments[5].cites[..]),
        ("glad", &[2][..])
    );
    assert_eq!(
        note.segments[10].text,
        "more\nplan B: no prefix\nsaid goodbye at 14:00 to all"
    );
}

#[test]
fn headings_give_kind_and_section() {
    let note = read("## health\nCough.\n\nint: Cold?\n#! guidance\n\n## Neighbours\nLoud.\n\n## Aside\n\n## Plans\n");
    let of = |s: &Segment| {
        (
            s.kind,
            s.default_kind,
            s.section.clone(),
            s.heading.clone(),
            s.text.clone(),
        )
    };
    let (health, aside) = (Some("Health".to_owned()), Some("Neighbours".to_owned()));
    let section = Some("health".to_owned());
    assert_eq!(
        of(&note.segments[0]),
        (
            SegmentKind::Observation,
            true,
            section.clone(),
            health.clone(),
            "Cough.".into()
        )
    );
    assert_eq!(
        of(&note.segments[1]),
        (SegmentKind::Interpretation, false, section, health, "Cold?".into())
    );
    assert_eq!(
        of(&note.segments[2]),
        (SegmentKind::Narrative, false, None, aside, "Loud.".into())
    );
    assert_eq!(note.segments[3].text, "Aside");
    assert_eq!(note.segments.len(), 4);
}

#[test]
fn fields_and_flags() {
    let note = read(concat!(
        "dec: Refer. {significant} {label health}\n  why: falls\n    and the stairs\n  options: refer; wait\n",
        "  by: team\n  authority: manager\n\n  {third-party}\n\nplan: Ring. {hide-from father}\n",
        "\towner: w001\n\tdue: friday\n  cites: 1\n  more text\nobs: x {withheld legal advice} y {from GP}.\n"
    ));
    let dec = &note.segments[0];
    assert_eq!(
        (dec.why.as_deref(), dec.significant),
        (Some("falls and the stairs"), true)
    );
    assert_eq!(dec.options, Some(Names::Many(vec!["refer".into(), "wait".into()])));
    assert_eq!(
        (dec.decided_by.as_deref(), dec.authority.as_deref()),
        (Some("team"), Some("manager"))
    );
    let plan = &note.segments[1];
    assert_eq!(plan.text, "Ring.\nmore text");
    assert_eq!(
        (plan.owner.as_deref(), plan.due.as_deref()),
        (Some("w001"), Some("2026-03-13"))
    );
    assert_eq!(plan.hide_from, Some(Names::One("father".into())));
    assert_eq!(note.segments[2].text, "x y.");
    assert_eq!(note.segments[2].withheld.as_deref(), Some("legal advice"));
}

#[test]
fn what_is_not_understood_has_a_place() {
    let faults = |text: &str| -> Vec<(usize, usize, Fault)> {
        let list = parse(text, &outline(), &now()).unwrap_err();
        list.into_iter().map(|e| (e.line, e.column, e.fault)).collect()
    };
    assert_eq!(faults(""), [(1, 1, Fault::Empty)]);
    assert_eq!(faults("#! only\n## Plans\nplan:\n"), [(1, 1, Fault::Empty)]);
    assert_eq!(
        faults("Łódź {sigificant}\nok {about}"),
        [
            (1, 6, Fault::UnknownFlag("sigificant".into())),
            (2, 4, Fault::EmptyFlag("about".into())),
        ]
    );
    assert_eq!(faults("a {significant"), [(1, 3, Fault::UnclosedFlag)]);
    assert_eq!(
        faults("at: soon\n\nx"),
        [(1, 5, Fault::When(WhenError::Form("soon".into())))]
    );
    assert_eq!(
        faults("---\nwhen: now\n---\nx"),
        [(2, 1, Fault::UnknownField("when".into()))]
    );
    let beside = |field: &'static str, words: &str| [(1, field.len() + 3, Fault::Beside(field, words.into()))];
    assert_eq!(
        faults("seen-alone: yes, ten minutes in the kitchen\n\nx"),
        beside("seen-alone", "ten minutes in the kitchen")
    );
    assert_eq!(faults("seen: no (asleep)\n\nx"), beside("seen", "asleep"));
    assert_eq!(read("seen-alone: yes.\n\nx").seen_alone, Some(true));
    assert_eq!(faults("seen: maybe\n\nx"), [(1, 7, Fault::YesOrNo("maybe".into()))]);
    assert_eq!(faults("  why: x"), [(1, 3, Fault::FieldWithoutSegment("why".into()))]);
    assert_eq!(
        faults("dec: x\n  why: a\n  why: b"),
        [(3, 3, Fault::Twice("why".into()))]
    );
    assert_eq!(faults("int: x\n  cites: 1 two"), [(2, 10, Fault::Number("two".into()))]);
    assert_eq!(
        faults("plan: x\n  due: soon"),
        [(2, 8, Fault::When(WhenError::Day("soon".into())))]
    );
    let shown = TextError {
        line: 3,
        column: 5,
        fault: Fault::UnclosedFlag,
    }
    .to_string();
    assert_eq!(
        shown,
        "line 3, column 5: the brace is not closed; for a plain brace write \\{"
    );
}

#[test]
fn escapes_keep_text_as_it_is() {
    let note = read("\\obs: not a prefix\n\\# nor a heading\n\\\nafter an empty line, \\{brace} \\\\ C:\\temp");
    assert_eq!(note.segments.len(), 1);
    assert_eq!(
        note.segments[0].text,
        "obs: not a prefix\n# nor a heading\n\nafter an empty line, {brace} \\ C:\\temp"
    );
}

#[test]
fn front_matter_needs_a_known_name() {
    let note = read("Weather: fine\nat: noon");
    assert_eq!(note.segments[0].text, "Weather: fine\nat: noon");
    let note = read("\n#! x\n---\nat: 2026-03-01\n\npresent: A, B\n---\nx");
    assert_eq!(note.occurred_at.unwrap().as_str(), "2026-03-01");
    assert_eq!(note.present, ["A", "B"]);
}

#[test]
fn a_blank_holds_nothing() {
    let text = blank(&Note::new(NoteKind::new("phone").unwrap()), &outline());
    assert!(text.contains("kind: phone\n") && text.contains("## Health\n#! What did you see?"));
    assert_eq!(parse(&text, &outline(), &now()).unwrap_err()[0].fault, Fault::Empty);
    let filled = text.replace("## Progress\n", "## Progress\nBetter.\n");
    assert_eq!(read(&filled).segments[0].heading.as_deref(), Some("Progress"));
}

fn line() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "obs: x",
        "said client: \"a\"",
        "said \"a\" \"b\"",
        "“a\"b”",
        "\"q\"",
        "## Health",
        "#! x",
        "at: now",
        "---",
        "{significant}",
        "\\",
        "\\{",
        "[1,2]",
        "x [1]",
        "  why: x",
        "\tb",
        "plan:",
        "}",
        "a}b{c",
        "kind: x",
    ]);
    prop_oneof![odd.prop_map(str::to_owned), "[a-zŁ .,:{}\\[\\]\"“”#-]{0,12}"].prop_map(|l| l.trim_end().to_owned())
}

fn segments() -> impl Strategy<Value = Vec<Segment>> {
    let word = || prop::option::of("[a-z]{1,5}( [a-z]{1,5})?");
    let names = || prop::collection::vec("[a-z]{1,6}", 0..3).prop_map(Names::from_list);
    let text = prop::collection::vec(line(), 1..4)
        .prop_map(|l| l.join("\n"))
        .prop_filter("ends in text", |t| {
            !t.trim().is_empty() && !t.ends_with('\n') && !t.starts_with('\n')
        });
    let heading = prop::option::of(prop::sample::select(vec!["Interviews", "Health", "Plans", "Own words"]));
    let head = (
        prop::sample::select(SegmentKind::ALL.to_vec()),
        text,
        heading,
        any::<bool>(),
        word(),
        word(),
    );
    let rest = (
        names(),
        names(),
        names(),
        any::<[bool; 3]>(),
        (word(), word(), word(), prop::option::of(1..29_u8)),
        prop::collection::vec(1..5_u32, 0..3),
    );
    let one = (head, rest).prop_map(
        |(
            (kind, text, heading, default_kind, who, why),
            (about, hide, options, is, (withheld, outcome, done_by, day), cites),
        )| {
            let mut s = Segment::new(0, kind, text);
            s.heading = heading.map(str::to_owned);
            s.section = (heading == Some("Health")).then(|| "health".to_owned());
            s.default_kind = default_kind && kind != SegmentKind::Narrative;
            s.speaker = who.clone().filter(|_| kind == SegmentKind::Quote);
            s.from = who.filter(|_| kind != SegmentKind::Quote);
            s.why = why;
            (s.about, s.hide_from, s.options) = (about, hide, options);
            [s.significant, s.third_party, s.through_interpreter] = is;
            s.withheld = withheld;
            (s.outcome, s.done_by) = (outcome, done_by);
            s.done = day.map(|day| format!("2026-02-{day:02}"));
            s.labels = cites.iter().map(|c| format!("l{c}")).collect();
            s.cites = cites;
            s
        },
    );
    prop::collection::vec(one, 1..5).prop_map(|mut list| {
        // The text form is one run of headings; what comes after the first heading is under one.
        let mut last: Option<String> = None;
        for (segment, n) in list.iter_mut().zip(1..) {
            segment.n = n;
            if segment.heading.is_none() && last.is_some() {
                segment.heading = last.clone();
                segment.section = (last.as_deref() == Some("Health")).then(|| "health".to_owned());
            }
            last = segment.heading.clone();
        }
        let count = u32::try_from(list.len()).unwrap();
        list.iter_mut().for_each(|s| s.cites.retain(|c| *c <= count));
        list
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_again(segments in segments(), place in prop::option::of("[a-z]{1,8}")) {
        let outline = outline();
        let note = Note { template: outline.template.clone(), template_version: Some(1), segments, place, ..Note::default() };
        let text = print(&note, &outline);
        let again = parse(&text, &outline, &now());
        prop_assert_eq!(again.as_ref(), Ok(&note), "{}", text);
    }

    #[test]
    fn what_was_read_from_an_odd_text_is_printed_and_read_as_the_same(
        text in "(\\PC|[\n\t\u{c}\u{b} #!{}:\\[\\]\"\\\\]|obs: |said |why: |\\{significant\\}|\\{label a\\}){0,60}",
    ) {
        prop_assert_eq!(printed_and_read(&text), Ok(()));
    }

    #[test]
    fn no_text_is_too_odd(text in "(\\PC|[\n\t#!{}:\\[\\]\"\\\\ ]|obs: |said |why: ){0,60}") {
        if let Err(faults) = parse(&text, &outline(), &now()) {
            for fault in faults {
                let line = text.split('\n').nth(fault.line - 1).unwrap();
                prop_assert!(fault.column <= line.chars().count() + 1);
            }
        }
    }
}

/// Checks that what a text says is what its printed form says, white space apart; a text that is refused says nothing.
fn printed_and_read(text: &str) -> Result<(), String> {
    let Ok(note) = parse(text, &outline(), &now()) else {
        return Ok(());
    };
    let printed = print(&note, &outline());
    let again = parse(&printed, &outline(), &now()).map_err(|faults| format!("{printed:?}: {faults:?}"))?;
    let twice = print(&again, &outline());
    (twice == printed)
        .then_some(())
        .ok_or(format!("{printed:?} became {twice:?}"))
}

/// Found by fuzzing: who was named went with the empty text, once a field of no value was printed away.
#[test]
fn a_name_that_nothing_is_written_after_stays_with_its_gap() {
    let note = read("obs: One.\n\nrep sister:\n\nsaid client:\n  why: \n\nobs:\n");
    let named: Vec<_> = note
        .segments
        .iter()
        .map(|s| s.from.as_deref().or(s.speaker.as_deref()))
        .collect();
    assert_eq!(named, [None, Some("sister"), Some("client")]);
    for text in [
        "obs: One.\n\nrep sister:\n  why: ",
        "obs: One.\n\nrep :\n  why: ",
        "obs: One.\n\ndec:\n  why:\n",
    ] {
        assert_eq!(printed_and_read(text), Ok(()));
    }
}

/// Found by fuzzing: a name in a flag closed the bracket that the line had opened.
#[test]
fn a_line_means_nothing_else_with_its_flags() {
    for text in [
        "int[\0\\\n  about: ]: 0o",
        "said you\n  about: x: y",
        "dec [\n  labels: ]: a",
    ] {
        assert_eq!(printed_and_read(text), Ok(()));
    }
}

/// Found by fuzzing: a brace in a name ended its flag.
#[test]
fn what_holds_a_brace_stands_in_a_field() {
    for text in [
        "a:\n  about: }",
        "obs: One.\n  about: mother, x}y\n  withheld: the {reason}\n  section: a}\n  labels: }, health\n  hide-from: }{\n",
    ] {
        assert_eq!(printed_and_read(text), Ok(()));
    }
}

/// Found by fuzzing.
#[test]
fn no_space_of_any_kind_is_left_before_a_flag_at_the_end_of_a_line() {
    for text in ["one\u{c}{label health}\ntwo", "one\u{b}\u{a0} {significant}\n{label a}"] {
        assert_eq!(printed_and_read(text), Ok(()));
    }
}
/// Found by fuzzing.
#[test]
fn a_quotation_that_ends_in_an_empty_line_keeps_its_marks_apart() {
    for text in ["No.\n", "No.\n\n", "\"No\"\n", "\n"] {
        let mut note = Note::new(NoteKind::default());
        let mut quote = Segment::new(1, SegmentKind::Quote, text);
        quote.speaker = Some("client".into());
        note.segments.push(quote);
        let again = read(&print(&note, &outline()));
        assert_eq!(again.segments[0].text.trim_end(), text.trim_end(), "{text:?}");
    }
}

/// Found by fuzzing: a name that cannot stand before the colon was dropped, or lost its end.
#[test]
fn every_speaker_and_source_comes_back_from_the_text() {
    let names = [
        "client",
        "Dr. Jones",
        "who?",
        "mother via interpreter",
        "x through interpreter through interpreter",
    ];
    for name in names {
        for (kind, through) in [
            (SegmentKind::Quote, false),
            (SegmentKind::Quote, true),
            (SegmentKind::Reported, false),
        ] {
            let mut note = Note::new(NoteKind::default());
            let mut segment = Segment::new(1, kind, "No.");
            segment.through_interpreter = through;
            match kind {
                SegmentKind::Quote => segment.speaker = Some(name.into()),
                _ => segment.from = Some(name.into()),
            }
            note.segments.push(segment.clone());
            let again = read(&print(&note, &outline()));
            assert_eq!(again.segments[0].speaker, segment.speaker);
            assert_eq!(again.segments[0].from, segment.from);
            assert_eq!(again.segments[0].through_interpreter, through, "{name}");
        }
    }
}

#[test]
fn what_may_not_have_been_meant_is_doubted_and_read_as_ever() {
    let doubted = |text: &str| {
        let all = doubts(text, &Outline::default(), &now());
        all.into_iter().map(|d| (d.line, d.read)).collect::<Vec<_>>()
    };
    let pasted =
        "rep daughter: She wrote:\nplease read\nplan: the builder comes\ndone: on Monday\n  due: friday\n\nBye.\n";
    assert_eq!(
        doubted(pasted),
        [
            (
                3,
                Meant::Mark {
                    mark: "plan",
                    of: SegmentKind::Reported
                }
            ),
            (4, Meant::Text("done")),
        ]
    );
    let under = "rep daughter: The boiler is out.\n  done: on Monday\n  from: her\nOwner: nobody\n";
    assert_eq!(
        doubted(under),
        [
            (
                2,
                Meant::Field {
                    name: "done",
                    of: SegmentKind::Reported
                }
            ),
            (4, Meant::Text("owner")),
        ]
    );
    let low = "for: 50m\n\nkind: home-visit\nobs: The hall was cold.\n  at: yesterday 9am\n\nAt: noon\n\\place: here\n";
    assert_eq!(
        doubted(low),
        [(3, Meant::Head("kind")), (5, Meant::Head("at")), (7, Meant::Head("at"))]
    );
    for meant in [
        "said client: \"No.\"\nrep daughter: It is out.\nint: She is tired. [1]\n",
        "rep daughter: It is out.\nIt is cold.\n\nplan: Ring him.\n  owner: me\n  due: friday\n",
        "rep daughter: She wrote:\n\\plan: a\n\\done: b\n",
        "dec: Stop.\n  why: it is late\n  by: me\nplan: Ring.\n",
        "plan: Ring him.\ndue: friday\n",
        "From: here it is the second.\nBy: bus\n",
    ] {
        assert_eq!(doubted(meant), [], "{meant}");
    }
}

#[test]
fn a_heading_that_is_nearly_one_and_a_bold_mark_are_pointed_out_with_the_mark_to_write() {
    let own = |title: &str, kind| Heading {
        title: title.into(),
        kind,
        section: None,
        guidance: Vec::new(),
    };
    let outline = Outline {
        headings: vec![own("Plans", SegmentKind::Plan), own("Health", SegmentKind::Observation)],
        ..Outline::default()
    };
    let said = |text: &str| {
        let all = doubts(text, &outline, &now());
        all.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        said("## Plan\nRing him.\n\n## Decisions made\nStop.\n"),
        [
            "line 1: `## Plan` is no heading of the template (`## Plans` is), so that what stands under it is of no kind: begin \
             it with `plan:`",
            "line 4: `## Decisions made` is no heading of the template, so that what stands under it is of no kind: begin it \
             with `dec:`",
        ]
    );
    for bold in [
        "**Decision:** we stop",
        "**Decision**: we stop",
        "__Decision:__ we stop",
    ] {
        let said = said(bold);
        assert!(
            said.len() == 1 && said[0].ends_with("; `dec:` at the beginning of the line says what it is"),
            "{said:?}"
        );
    }
    for meant in [
        "## Plans\nRing him.\n",
        "## Decisions\ndec: Stop.\n  why: it is late\n",
        "## Planet\nMars.\n",
        "## Garden\nIt is wet.\n",
        "**Decision** was taken.\n",
        "**She** came: late.\n",
    ] {
        assert_eq!(said(meant), [""; 0], "{meant}");
    }
}

#[test]
fn a_heading_of_another_template_that_nothing_was_written_under_is_left_out() {
    let note = read("## Home conditions\n\n## Health\nShe coughs.\n\n## He fell down the stairs\n");
    let texts: Vec<&str> = note.segments.iter().map(|segment| segment.text.as_str()).collect();
    assert_eq!(
        texts,
        ["She coughs.", "He fell down the stairs"],
        "words of the worker's own stay"
    );
    let note = read("## home conditions\nThe kitchen was cold.\n");
    assert_eq!(note.segments[0].heading.as_deref(), Some("home conditions"));
}
