//! Overviews: the day, steps of plans, cases that want looking at, a case before a session, its people.

use vault_core::note::brief::Contact;
use vault_core::note::display::escape_line;
use vault_core::note::overview::Item;
use vault_core::note::people::Part;
use vault_core::note::plan::Step;
use vault_core::note::when;

use super::{count, number, or_dash, table, table_or_lines, time, worker};
use crate::note_input::hiding;
use crate::session::CLOSED;
use crate::session::reply::{
    BreachRow, CaseBriefReply, CaseName, CasePeopleReply, CaseStaleReply, DraftRow, Few, GapRow, HouseholdDanger,
    JotRow, PlanDoneReply, PlanListReply, StaleRow, StepRow, TodayReply, VisitRow,
};

/// Writes the first of some things under a title, and what shows the others; nothing where there are none.
fn block<T>(title: &str, few: &Few<T>, rows: impl Fn(&[T]) -> String, more: &str) -> String {
    if few.total == 0 {
        return String::new();
    }
    let mut out = format!("\n{title}: {}\n{}", number(few.total), rows(&few.rows));
    let left = few
        .total
        .saturating_sub(u64::try_from(few.rows.len()).unwrap_or(u64::MAX));
    if left > 0 {
        out.push_str(&format!("and {} more: {more}\n", number(left)));
    }
    out
}

/// Writes what the day holds; of what there is nothing, nothing is said.
pub fn today(reply: &TodayReply) -> String {
    let mut out = format!(
        "{}, {}\n",
        weekday(&reply.day),
        count(reply.cases, "open case", "open cases")
    );
    let all = "casevault today --all";
    out.push_str(&block("Visits ahead", &reply.visits, visits, all));
    out.push_str(&block(
        "Due today",
        &reply.due,
        steps,
        "casevault plan list --due today",
    ));
    out.push_str(&block(
        "Overdue",
        &reply.overdue,
        steps,
        "casevault plan list --overdue",
    ));
    let jots = |rows: &[JotRow]| {
        let rows = rows.iter().map(|jot| {
            [
                jot.jot.clone(),
                or_dash(jot.case.as_deref()),
                time(&jot.occurred_at),
                format!("{}{}", hiding::before(&jot.text), cut(&jot.text)),
            ]
        });
        table(["JOT", "CASE", "OCCURRED", "WORDS"], rows)
    };
    out.push_str(&block("Jots to expand", &reply.jots, jots, "casevault note jot --list"));
    let drafts = |rows: &[DraftRow]| {
        let rows = rows.iter().map(|draft| {
            [
                draft.draft.clone(),
                or_dash(draft.case.as_deref()),
                time(&draft.saved_at),
                cut(&draft.words),
            ]
        });
        table(["DRAFT", "CASE", "KEPT", "BEGINS"], rows)
    };
    out.push_str(&block("Drafts left", &reply.drafts, drafts, "casevault note draft"));
    let questions = |rows: &[BreachRow]| {
        let rows = rows.iter();
        let rows = rows.map(|one| [one.note.clone(), one.case.clone(), time(&one.at), cut(&one.reason)]);
        table(["NOTE", "HIDDEN IN", "MARKED", "REASON"], rows)
    };
    let (few, title) = (&reply.breach_questions, "Misfiled, breach question open");
    out.push_str(&block(title, few, questions, "casevault note misfiled --list"));
    if !reply.missing_questions.is_empty() {
        out.push_str(&format!(
            "\nMisfiled, breach question taken out of the file: {}\n{}\n`casevault verify` says what else was changed\n",
            number(reply.missing_questions.len() as u64),
            reply.missing_questions.join("\n")
        ));
    }
    out.push_str(&block("Incomplete notes", &reply.incomplete, gaps, all));
    out.push_str(&block(
        "Cases to look at",
        &reply.stale,
        stale_rows,
        "casevault case stale",
    ));
    if reply.due_ahead > 0 {
        out.push_str(&format!(
            "\n{} due in the next 7 days: casevault plan list --due 7d\n",
            count(reply.due_ahead, "step is", "steps are")
        ));
    }
    let is_quiet = out.lines().count() == 1;
    if let Some(unsent) = reply.unsent.filter(|unsent| *unsent > 0) {
        let waiting = count(unsent, "entry waits", "entries wait");
        out.push_str(&format!("\n{waiting} to be sent to the server: casevault sync\n"));
    }
    if is_quiet {
        let nothing = if out.lines().count() == 1 {
            "nothing"
        } else {
            "nothing else"
        };
        out.push_str(&format!("\n{nothing} waits\n"));
    }
    out
}

/// Writes steps of plans.
pub fn plans(reply: &PlanListReply) -> String {
    if reply.steps.is_empty() {
        return "no steps".to_owned();
    }
    let mut out = steps(&reply.steps);
    let shown = u64::try_from(reply.steps.len()).unwrap_or(u64::MAX);
    match reply.total.checked_sub(shown) {
        Some(left) if left > 0 => out.push_str(&format!(
            "{} of {}\n",
            number(shown),
            count(reply.total, "step", "steps")
        )),
        _ => out.push_str(&format!("{}\n", count(reply.total, "step", "steps"))),
    }
    out
}

/// Writes what was said of a step.
pub fn done(reply: &PlanDoneReply) -> String {
    let step = format!("{}:{}", reply.note, reply.segment);
    let text = format!(
        "{}{}",
        escape_line(&reply.marks.to_string()),
        escape_line(&cut(&reply.text))
    );
    let mut out = match &reply.done {
        Some(day) if !reply.changed => format!("done already {step} on {day}: {text}\n"),
        None if !reply.changed => format!("not done as it was {step}: {text}\n"),
        Some(day) => format!("done {step} on {day}: {text}\n"),
        None => format!("not done {step}: {text}\n"),
    };
    out.push_str(&format!(
        "version {} of {}, of {}\n",
        reply.version,
        reply.note,
        super::whose(reply.label.as_deref(), &reply.case)
    ));
    for other in &reply.others {
        let (note, case) = (&other.note, &other.case);
        if other.differs {
            out.push_str(&format!(
                "{note} in case {case} stays as it is: it says something else of this step, or has none of these words\n"
            ));
            continue;
        }
        out.push_str(&match (other.saved, other.same) {
            (true, _) if reply.changed => format!("and of {note} in case {case}\n"),
            (true, _) => format!("said now of {note} in case {case}\n"),
            (false, true) => format!("{note} in case {case} says so already\n"),
            (false, false) => {
                format!("{note} in case {case} is one with it and stays as it is; `--others` says it there too\n")
            }
        });
    }
    out
}

/// Writes cases that want looking at.
pub fn stale(reply: &CaseStaleReply) -> String {
    let of = count(reply.of, "open case", "open cases");
    if reply.cases.is_empty() {
        return match reply.days {
            Some(days) => format!(
                "none of {of} is without contact for {}",
                count(days.into(), "day", "days")
            ),
            None => format!("none of {of} wants looking at"),
        };
    }
    format!(
        "{}{} of {of}\n",
        stale_rows(&reply.cases),
        number(reply.cases.len() as u64)
    )
}

/// Writes a case before a session: dangers first.
pub fn brief(reply: &CaseBriefReply) -> String {
    let (case, brief) = (&reply.case, &reply.brief);
    let closed = if case.status == CLOSED { "  (closed)" } else { "" };
    let name = or_dash(case.label.as_deref());
    let mut out = format!("{}  {}{closed}\n", case.case, escape_line(&name));
    out.push_str("\nDangers\n");
    let known = dangers(reply);
    let unclear = unclear(reply);
    out.push_str(match (known.is_empty(), unclear.is_empty()) {
        (true, true) => "  none recorded\n",
        (true, false) => "  none recorded in this case\n",
        (false, _) => &known,
    });
    out.push_str(&unclear);
    if !brief.person.is_empty() {
        out.push_str("\nTo know\n");
        for (what, known) in &brief.person {
            out.push_str(&format!("  {what}: {}\n", escape_line(known)));
        }
    }
    out.push_str("\nLast contact\n");
    let contact = |contact: &Contact| {
        let ago = match u64::try_from(contact.days) {
            Ok(0) => "today".to_owned(),
            Ok(days) => format!("{} ago", count(days, "day", "days")),
            Err(_) => "in a note of a day to come".to_owned(),
        };
        format!("{}, {ago}  ({})", time(&contact.at), contact.note)
    };
    out.push_str(&match &brief.last_contact {
        Some(last) => format!("  {}, {}\n", escape_line(&last.kind), contact(last)),
        None => "  none recorded\n".to_owned(),
    });
    for (what, last) in [
        ("last seen", &brief.last_seen),
        ("last seen alone", &brief.last_seen_alone),
    ] {
        if let Some(last) = last {
            out.push_str(&format!("  {what}: {}\n", contact(last)));
        }
    }
    out.push_str(&format!("\nTo be done: {}\n", brief.undone.len()));
    // By number, as `casevault` alone takes them.
    for (step, n) in brief.undone.iter().zip(1..) {
        out.push_str(&format!("  {n}. {}\n", one_step(step)));
    }
    let done: Vec<&Step> = brief.last_plan.iter().filter(|step| step.done.is_some()).collect();
    if !done.is_empty() {
        out.push_str("\nDone of the last plan\n");
        for step in done {
            out.push_str(&format!("  {}\n", one_step(step)));
        }
    }
    for (title, list) in [
        ("What sets it off", &brief.triggers),
        ("In the client's words", &brief.quotes),
    ] {
        out.push_str(&format!("\n{title}\n"));
        items(&mut out, "", list);
        if list.is_empty() {
            out.push_str("  not recorded yet\n");
        }
    }
    if !brief.not_recorded.is_empty() {
        out.push_str(&format!(
            "\nNot recorded\n  {}\n",
            escape_line(&brief.not_recorded.join(", "))
        ));
    }
    out
}

/// Writes what is dangerous in a case and in others of its household, a line each; nothing where nothing is known.
pub fn dangers(reply: &CaseBriefReply) -> String {
    let (case, brief) = (&reply.case, &reply.brief);
    let mut out = String::new();
    for flag in &case.flags {
        out.push_str(&format!("  [{}]\n", escape_line(flag)));
    }
    items(&mut out, "", &brief.dangers);
    if brief.more_dangers > 0 {
        out.push_str(&format!(
            "  and {} more on safety: casevault case show {} --all\n",
            brief.more_dangers, case.case
        ));
    }
    out.push_str(&household(&reply.household, reply.household_more));
    out
}

/// Writes what is dangerous in the other cases of a household, a line each; nothing where nothing is known.
pub fn household(others: &[HouseholdDanger], more: u64) -> String {
    let mut out = String::new();
    for other in others {
        let closed = if other.closed { ", closed" } else { "" };
        let name = other.label.as_deref().unwrap_or(&other.case);
        let of = format!("of {name} ({}{closed}): ", other.by.join(", "));
        for flag in &other.flags {
            out.push_str(&format!("  {}\n", escape_line(&format!("{of}[{flag}]"))));
        }
        items(&mut out, &of, &other.dangers);
        if other.more > 0 {
            out.push_str(&format!(
                "  and {} more on safety of {}: casevault case show {} --all\n",
                other.more,
                escape_line(name),
                other.case
            ));
        }
    }
    if more > 0 {
        let cases = count(more, "case", "cases");
        out.push_str(&format!("  {cases} more of the household were not looked at\n"));
    }
    out
}

/// Writes whom the household names of whom it is not known which case of one's own is theirs, if any is.
pub fn unclear(reply: &CaseBriefReply) -> String {
    let (none, several): (Vec<_>, Vec<_>) = reply.household_unclear.iter().partition(|name| name.may_be.is_empty());
    let mut out = String::new();
    for name in several {
        let cases = name.may_be.iter().map(|case| match &case.label {
            Some(label) => format!("{label} ({})", case.case),
            None => case.case.clone(),
        });
        let cases = cases.collect::<Vec<_>>().join(", ");
        let line = format!("look yourself: {} may be {cases}", name.name);
        out.push_str(&format!("  {}\n", escape_line(&line)));
    }
    if !none.is_empty() {
        let names: Vec<&str> = none.iter().map(|name| name.name.as_str()).collect();
        let line = format!("no case of yours for: {}", names.join("; "));
        out.push_str(&format!("  {}\n", escape_line(&line)));
    }
    out
}

/// Writes the people of a case.
pub fn people(reply: &CasePeopleReply) -> String {
    if reply.people.is_empty() {
        return "nobody is named yet".to_owned();
    }
    let rows = reply.people.iter().map(|person| {
        let parts: Vec<&str> = person.parts.iter().map(|part| Part::as_str(*part)).collect();
        [
            format!("{}{}", person.marks, person.name),
            or_dash(person.relation.as_deref()),
            number(person.notes),
            or_dash(person.first.as_deref()),
            or_dash(person.last.as_deref()),
            or_dash(person.note.as_deref()),
            parts.join(", "),
        ]
    });
    let mut out = table(
        ["NAME", "RELATION", "NOTES", "FIRST", "LAST", "LAST NOTE", "NAMED AS"],
        rows,
    );
    out.push_str(&format!("{}\n", count(reply.people.len() as u64, "name", "names")));
    out
}

/// Characters of a text in a row of a list.
const CHARS: usize = 72;

/// Cuts a text to one line of a list.
pub(crate) fn cut(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(CHARS) {
        Some((at, _)) => format!("{}…", words.get(..at).unwrap_or_default().trim_end()),
        None => words,
    }
}

/// Writes whose case it is, flags first, because they matter before a visit; the handle of a case without a name.
fn who(case: &CaseName) -> String {
    let mut words: Vec<&str> = Vec::new();
    let flags: Vec<String> = case.flags.iter().map(|flag| format!("[{flag}]")).collect();
    if case.danger {
        words.push("[danger]");
    }
    words.extend(flags.iter().map(String::as_str));
    let household: Vec<String> = case
        .household
        .iter()
        .map(|other| format!("[danger: {}]", other.label.as_deref().unwrap_or(&other.case)))
        .collect();
    words.extend(household.iter().map(String::as_str));
    words.push(case.label.as_deref().unwrap_or(&case.case));
    if case.same_name && case.label.is_some() {
        words.push(&case.case);
    }
    words.join(" ")
}

fn weekday(day: &str) -> String {
    let name = when::iso_date(day).map(|day| format!("{:?} ", day.weekday()));
    format!("{}{day}", name.unwrap_or_default())
}

fn steps(rows: &[StepRow]) -> String {
    let lines = rows.iter().map(|row| {
        let step = &row.step;
        let owner = step.owner.as_deref().map(|owner| format!("owner {}", worker(owner)));
        let first = [
            Some(format!("{}:{}", step.note, step.segment)),
            Some(lateness(step)),
            Some(who(&row.case)),
            owner,
        ];
        [facts(first), what(step)]
    });
    let lines: Vec<[String; 2]> = lines.collect();
    let rows = rows.iter().map(|row| {
        let step = &row.step;
        [
            format!("{}:{}", step.note, step.segment),
            or_dash(step.due.as_deref()),
            days(step),
            who(&row.case),
            or_dash(step.owner.as_deref().map(worker).as_deref()),
            what(step),
        ]
    });
    table_or_lines(["STEP", "DUE", "DAYS", "LABEL", "OWNER", "WHAT"], rows, lines)
}

/// Writes what is to be done, for whom that is not before it.
fn what(step: &Step) -> String {
    format!("{}{}", step.marks, cut(&step.text))
}

/// Writes what is known of a row in a line.
fn facts<const N: usize>(known: [Option<String>; N]) -> String {
    known.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

/// The days that are left, below zero where it is overdue; with no space in it, so that it stays in one line.
fn days(step: &Step) -> String {
    match (&step.done, step.days_left) {
        (Some(_), _) => "done".to_owned(),
        (None, Some(0)) => "today".to_owned(),
        (None, Some(left)) => {
            let sign = if left < 0 { "-" } else { "" };
            format!("{sign}{}", number(u64::from(left.unsigned_abs())))
        }
        (None, None) => "-".to_owned(),
    }
}

/// How a step stands on the day: `overdue 3 d`, `today`, `in 5 d`, `done 2026-03-12`.
fn lateness(step: &Step) -> String {
    match (&step.done, step.days_left) {
        (Some(day), _) => format!("done {day}"),
        (None, Some(0)) => "today".to_owned(),
        (None, Some(left)) if left < 0 => format!("overdue {} d", number(u64::from(left.unsigned_abs()))),
        (None, Some(left)) => format!("in {} d", number(u64::from(left.unsigned_abs()))),
        (None, None) => "no date".to_owned(),
    }
}

/// Says of a step on which day it was carried out, and what came of it.
pub fn carried_out(day: Option<&str>, outcome: Option<&str>) -> Option<String> {
    let day = day?;
    Some(match outcome {
        Some(outcome) => format!("done {day}: {}", cut(outcome)),
        None => format!("done {day}"),
    })
}

/// Writes a step in a line: what, by whom and when, how it stands, and its handle.
pub fn one_step(step: &Step) -> String {
    let mut facts = Vec::new();
    facts.extend(step.owner.as_deref().map(|owner| format!("owner: {}", worker(owner))));
    facts.extend(step.due.as_ref().map(|due| format!("due: {due}")));
    let done = carried_out(step.done.as_deref(), step.outcome.as_deref());
    facts.push(done.unwrap_or_else(|| lateness(step)));
    let line = format!(
        "{}  [{}]  ({}:{})",
        what(step),
        facts.join(", "),
        step.note,
        step.segment
    );
    escape_line(&line).into_owned()
}

fn visits(rows: &[VisitRow]) -> String {
    let lines = rows.iter().map(|row| {
        let first = [
            row.occurred_at.as_deref().map(time),
            Some(row.kind.to_string()),
            Some(who(&row.case)),
            row.place.clone(),
            Some(row.note.clone()),
        ];
        [facts(first), super::note::begins(row.begins_of.as_ref(), &row.begins)]
    });
    let lines: Vec<[String; 2]> = lines.collect();
    let rows = rows.iter().map(|row| {
        [
            row.occurred_at.as_deref().map_or_else(|| "-".to_owned(), time),
            row.kind.to_string(),
            who(&row.case),
            or_dash(row.place.as_deref()),
            row.note.clone(),
            super::note::begins(row.begins_of.as_ref(), &row.begins),
        ]
    });
    table_or_lines(["WHEN", "KIND", "LABEL", "PLACE", "NOTE", "NOTE BEGINS"], rows, lines)
}

fn gaps(rows: &[GapRow]) -> String {
    let missing = |row: &GapRow| {
        let first = row.incomplete.first().cloned().unwrap_or_default();
        match row.incomplete.len().saturating_sub(1) {
            0 => first,
            more => format!("{first}, and {more} more"),
        }
    };
    let lines = rows.iter().map(|row| {
        let first = [
            Some(row.note.clone()),
            row.occurred_at.as_deref().map(time),
            Some(who(&row.case)),
        ];
        [facts(first), missing(row)]
    });
    let lines: Vec<[String; 2]> = lines.collect();
    let rows = rows.iter().map(|row| {
        [
            row.note.clone(),
            row.occurred_at.as_deref().map_or_else(|| "-".to_owned(), time),
            who(&row.case),
            missing(row),
        ]
    });
    table_or_lines(["NOTE", "OCCURRED", "LABEL", "MISSING"], rows, lines)
}

fn stale_rows(rows: &[StaleRow]) -> String {
    let lines = rows.iter().map(|row| {
        let contact = row.last_contact.as_ref().map(|day| format!("contact {day}"));
        let first = [Some(row.case.case.clone()), Some(who(&row.case)), contact];
        [facts(first), row.reasons.join("; ")]
    });
    let lines: Vec<[String; 2]> = lines.collect();
    let rows = rows.iter().map(|row| {
        [
            row.case.case.clone(),
            who(&row.case),
            or_dash(row.last_contact.as_deref()),
            row.reasons.join("; "),
        ]
    });
    table_or_lines(["CASE", "LABEL", "CONTACT", "WHY"], rows, lines)
}

/// Writes things known, opinion and other people's words told apart; `of` says before them whose they are.
fn items(out: &mut String, of: &str, list: &[Item]) {
    for item in list {
        let text = match super::case::head_of(item) {
            Some(head) => super::attributed_in_full(&head, &cut(&item.text)),
            None => cut(&item.text),
        };
        let at = item.occurred_at.as_ref().map(|at| time(at.as_str()));
        let also = super::case::also_of(item);
        let from: Vec<String> = [at, item.note.clone(), also].into_iter().flatten().collect();
        let from = if from.is_empty() {
            String::new()
        } else {
            format!("  ({})", from.join(", "))
        };
        out.push_str(&format!("  {}\n", escape_line(&format!("{of}{text}{from}"))));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::session::reply;

    fn step(days_left: Option<i32>, done: Option<&str>) -> StepRow {
        StepRow {
            case: CaseName {
                case: "c-7fk2m9qd".into(),
                external_id: None,
                label: Some("Elin\u{1b}[31m\nFarrow".into()),
                flags: vec!["danger".into()],
                same_name: false,
                danger: false,
                household: Vec::new(),
            },
            step: Step {
                note: "n-19qd3m0x".into(),
                version: 1,
                segment: 5,
                planned_at: None,
                text: format!("Ring. {}", "x ".repeat(100)),
                owner: Some("m-0kf3z8xy0123456789abcdefg0".into()),
                due: Some("2026-03-09".into()),
                days_left,
                done: done.map(str::to_owned),
                done_by: None,
                outcome: None,
                incomplete: Vec::new(),
                marks: vault_core::note::mark::Marks::default(),
            },
        }
    }

    #[test]
    fn a_step_is_one_line_and_says_how_it_stands() {
        let rows = [
            step(Some(-3), None),
            step(Some(0), None),
            step(Some(5), None),
            step(None, None),
            step(None, Some("2026-03-10")),
        ];
        let text = plans(&PlanListReply {
            unopened: Vec::new(),
            schema: reply::PLAN_LIST,
            day: "2026-03-12".into(),
            case: None,
            total: 9,
            steps: rows.to_vec(),
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        for (line, word) in lines[1..].iter().zip([" -3 ", " today ", " 5 ", " - ", " done "]) {
            assert!(line.contains(word), "{word}: {line}");
            assert!(
                line.starts_with("n-19qd3m0x:5") && line.contains("m-0kf3z8xy "),
                "{line}"
            );
        }
        assert!(text.contains("[danger] Elin\\u{1b}[31m\\nFarrow "), "{text}");
        assert!(text.ends_with("5 of 9 steps\n"), "{text}");
    }

    #[test]
    fn a_day_that_holds_nothing_says_so() {
        fn none<T>() -> Few<T> {
            Few {
                total: 0,
                rows: Vec::new(),
            }
        }
        let mut reply = TodayReply {
            unopened: Vec::new(),
            schema: reply::TODAY,
            day: "2026-03-12".into(),
            cases: 1,
            visits: none(),
            due: none(),
            overdue: none(),
            due_ahead: 0,
            jots: none(),
            drafts: none(),
            breach_questions: none(),
            missing_questions: Vec::new(),
            unsent: None,
            incomplete: none(),
            stale: none(),
        };
        assert_eq!(today(&reply), "Thursday 2026-03-12, 1 open case\n\nnothing waits\n");
        reply.unsent = Some(1);
        assert_eq!(
            today(&reply),
            "Thursday 2026-03-12, 1 open case\n\n1 entry waits to be sent to the server: casevault sync\n\nnothing else waits\n"
        );
        reply.unsent = Some(0);
        reply.overdue = Few {
            total: 1200,
            rows: vec![step(Some(-3), None)],
        };
        reply.due_ahead = 1;
        let text = today(&reply);
        assert!(text.contains("\nOverdue: 1,200\nSTEP"), "{text}");
        assert!(
            text.contains("\nand 1,199 more: casevault plan list --overdue\n"),
            "{text}"
        );
        assert!(
            text.ends_with("\n1 step is due in the next 7 days: casevault plan list --due 7d\n"),
            "{text}"
        );
    }
}
