//! `casevault case open`.

use clap::Args;
use jiff::civil::Date;
use serde_json::{Map, Value};
use vault_core::note::display::escape_line;

use crate::birth;
use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::render;
use crate::session::SessionError;
use crate::session::request::CaseOpenRequest;
use crate::unlock_prompt;

/// The longest profile, in bytes.
pub(super) const LONGEST_PROFILE: u64 = 1 << 20;

/// Opens a case
///
/// The profile is one JSON object: `name`, `date_of_birth` (`1941-03` is enough), `date_of_birth_estimated`, `gender`,
/// `language`, `label` (what lists show instead of the name), `identifiers`, and whatever else the template asks for. Nothing is forced. A field that looks like a known one is refused with the one
/// that was meant; others are kept and told, and those of your own go into an object `other`. On a terminal, without
/// `--file`, the fields are asked that `casevault template show` marks, a date of birth as it is said; all of it is shown before the case is opened. Where the caseload has a case of the same name already, that is told.
///
/// Example: `casevault case open --template adult-social-care --file profile.json`
#[derive(Args, Debug)]
pub struct OpenArgs {
    /// The template of the case's records (`casevault template list`); without it, on a terminal, it is asked for
    #[arg(long, value_name = "TEMPLATE", value_parser = value::template)]
    pub template: Option<String>,

    /// The client's profile as JSON, from a file or from standard input; at most 1 MiB
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// The day of opening, such as `2026-03-12` or `yesterday` [default: today]
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub opened: Option<Date>,
}

pub(super) fn run(args: OpenArgs, run: &Invocation) -> Result<(), CliError> {
    // Before anything is typed.
    match &args.template {
        Some(template) => crate::session::require_template(template)?,
        None if !Invocation::can_type() => return Err(NO_TEMPLATE),
        None => {}
    }
    let mut template = args.template;
    let (mut session, profile) = run.unlock_and_read(args.file.as_ref(), || {
        let profile = match &args.file {
            Some(source) => run.text(Some(source), "the profile", LONGEST_PROFILE)?,
            None => {
                let chosen = match template.take() {
                    Some(chosen) => chosen,
                    None => ask_template(run)?,
                };
                ask(run, template.insert(chosen))?
            }
        };
        must_be_object(&profile)?;
        Ok(profile)
    })?;
    let template = match template {
        Some(template) => template,
        None => ask_template(run)?,
    };
    let reply = session.case_open(CaseOpenRequest {
        template,
        profile,
        opened: args.opened,
    })?;
    let rest = format!("template {} version {}", reply.template, reply.template_version);
    run.ui.made(&reply, "opened case", &reply.case, &rest)?;
    tell_unknown(&reply.unknown_fields, &reply.case, run);
    if !reply.same_name.is_empty() {
        let others: Vec<String> = reply.same_name.iter().map(render::case::namesake).collect();
        run.ui
            .note(&format!("there already under this name: {}", others.join("; ")));
        run.ui.hint(&format!(
            "if it is the same person, go on in that case and close this one: `casevault case close {}`",
            reply.case
        ));
        return Ok(());
    }
    run.ui.hint(&format!(
        "add a note with `casevault note add {} --kind KIND --file NOTE`",
        reply.case
    ));
    Ok(())
}

/// Says which fields of a profile no view shows.
pub(super) fn tell_unknown(fields: &[String], case: &str, run: &Invocation) {
    if !fields.is_empty() {
        let fields: Vec<_> = fields.iter().map(|field| escape_line(field)).collect();
        run.ui.note(&format!(
            "not known here, and kept: {}; only `casevault case history {case}` and an export show them",
            fields.join(", ")
        ));
    }
}

pub(super) fn must_be_object(profile: &str) -> Result<(), CliError> {
    let malformed = |line, column, why: String| CliError::from(SessionError::Malformed { line, column, why });
    match serde_json::from_str::<Value>(profile) {
        Ok(Value::Object(fields)) => {
            let inside = fields.get("profile").unwrap_or(&Value::Null);
            let born = fields.get(BORN).or(inside.get(BORN)).and_then(Value::as_str);
            match born.filter(|born| !is_birth_date(born)) {
                Some(born) => {
                    let before = profile.split(born).next().unwrap_or_default();
                    let column = before.lines().last().map_or(0, |line| line.chars().count()) + 1;
                    Err(malformed(
                        before.lines().count().max(1),
                        column,
                        NOT_A_BIRTH_DATE.to_owned(),
                    ))
                }
                None => Ok(()),
            }
        }
        Ok(_) => Err(malformed(1, 1, "a profile is one JSON object".to_owned())),
        Err(e) => {
            let why = e.to_string();
            let at = format!(" at line {} column {}", e.line(), e.column());
            let why = why.strip_suffix(&at).unwrap_or(&why).to_owned();
            Err(malformed(e.line().max(1), e.column().max(1), why))
        }
    }
}

const BORN: &str = "date_of_birth";

const NOT_A_BIRTH_DATE: &str = "a date of birth is a day such as `1941-03-05`, a month `1941-03` or a year `1941`";

/// Tells whether it reads in one way alone; an empty one is none.
fn is_birth_date(text: &str) -> bool {
    text.is_empty() || birth::is_kept_form(text)
}

/// Asks for one field of a profile, until the answer can be read; a date of birth as it is said comes back as it is kept.
fn ask_for(run: &Invocation, field: &str, question: &str) -> Result<String, CliError> {
    loop {
        let answer = run.ask(&format!("{question}: "), WHAT, FLAG)?;
        if answer == BACK || field != BORN {
            return Ok(answer);
        }
        if let Some(born) = born(run, &answer) {
            return Ok(born);
        }
    }
}

/// Reads a date of birth as it is said, and says what was understood, or why it was not.
pub(super) fn born(run: &Invocation, typed: &str) -> Option<String> {
    match birth::read(typed, crate::session::today()) {
        Ok(born) => {
            if born != typed.trim() {
                run.ui.prompt(&format!("  {born}"));
            }
            Some(born)
        }
        Err(why) => {
            run.ui.hint(&why);
            None
        }
    }
}

/// Whether a field of a profile is a date of birth.
pub(super) fn is_born(field: &str) -> bool {
    field == BORN
}

/// How a date of birth may be typed, behind its question.
const BORN_FORMS: &str = " (3 March 2012, 3.3.2012, March 2012 or 2012)";

/// The fields of a profile that a case of a template is asked for, each with its question.
pub(super) fn asked(template: Option<&str>) -> Result<Vec<(String, String)>, CliError> {
    let mut asked = crate::session::asked_fields(template)?;
    for (field, question) in &mut asked {
        if field == BORN {
            question.push_str(BORN_FORMS);
        }
    }
    Ok(asked)
}

const TEMPLATE: &str = "the template";
const TEMPLATE_FLAG: &str = "`--template TEMPLATE` (`casevault template list`)";
const NO_TEMPLATE: CliError = CliError::NeedsFlag {
    what: TEMPLATE,
    flag: TEMPLATE_FLAG,
};

/// Asks under which template, where there are several; Enter takes the first.
fn ask_template(run: &Invocation) -> Result<String, CliError> {
    let known = crate::session::case_templates()?;
    let Some((usual, _)) = known.first() else {
        return Err(NO_TEMPLATE);
    };
    if known.len() == 1 {
        return Ok(usual.clone());
    }
    let lines: Vec<String> = known
        .iter()
        .zip(1..)
        .map(|((id, title), n)| format!("{n:>3}  {id}  {title}"))
        .collect();
    run.ui.prompt(&lines.join("\n"));
    loop {
        let question = format!("Template (number, or the beginning of the name) [{usual}]: ");
        let answer = run.ask(&question, TEMPLATE, TEMPLATE_FLAG)?;
        let number = answer.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let found = match number {
            Some(n) => known.get(n),
            None if answer.is_empty() => known.first(),
            None => begun(&known, &answer),
        };
        if let Some((id, _)) = found {
            return Ok(id.clone());
        }
        run.ui.hint("write one of the numbers or names, or Enter for the first");
    }
}

/// Finds the template that is named, or the one whose name alone begins so, whatever the capitals.
fn begun<'k>(known: &'k [(String, String)], typed: &str) -> Option<&'k (String, String)> {
    let typed = typed.to_lowercase();
    if let Some(whole) = known.iter().find(|(id, _)| *id == typed) {
        return Some(whole);
    }
    let mut found = known.iter().filter(|(id, _)| id.starts_with(&typed));
    let (first, second) = (found.next(), found.next());
    first.filter(|_| second.is_none())
}

/// What goes back one question.
const BACK: &str = "<";

const WHAT: &str = "the profile";
const FLAG: &str = "`--file FILE`, or `--file -` for standard input";

/// Asks for what is most needed in a case of a template, shows it, and asks whether it is right. An empty answer leaves a
/// field out.
fn ask(run: &Invocation, template: &str) -> Result<String, CliError> {
    if !unlock_prompt::can_ask() {
        return Err(CliError::NeedsFlag { what: WHAT, flag: FLAG });
    }
    let asked = asked(Some(template))?;
    let mut answers: Vec<String> = vec![String::new(); asked.len()];
    run.ui.prompt(
        "Enter leaves a question out, < goes back one; at the end all of it is shown before the case is opened.",
    );
    let mut at = 0;
    while let Some((field, question)) = asked.get(at) {
        if let Some(before) = answers.get(at).filter(|before| !before.is_empty()) {
            run.ui.prompt(&format!("so far: {before}; Enter keeps it"));
        }
        let answer = ask_for(run, field, question)?;
        match (answer.as_str(), answers.get_mut(at)) {
            (BACK, _) => at = at.saturating_sub(1),
            (_, Some(slot)) => {
                // Who came back to the question before goes on past this one with Enter.
                if !answer.is_empty() {
                    *slot = answer;
                }
                at += 1;
            }
            (_, None) => break,
        }
    }
    while let Some(number) = wrong(run, template, &asked, &answers)? {
        if let (Some((field, question)), Some(slot)) = (asked.get(number), answers.get_mut(number)) {
            let answer = ask_for(run, field, question)?;
            if answer != BACK {
                *slot = answer;
            }
        }
    }
    let given = asked.into_iter().zip(answers).filter(|(_, answer)| !answer.is_empty());
    let profile: Map<String, Value> = given
        .map(|((field, _), answer)| (field, Value::String(answer)))
        .collect();
    Ok(Value::Object(profile).to_string())
}

/// Shows what was answered; gives the question that is to be asked again, or nothing where all is right.
fn wrong(
    run: &Invocation,
    template: &str,
    asked: &[(String, String)],
    answers: &[String],
) -> Result<Option<usize>, CliError> {
    let lines = asked.iter().zip(answers).zip(1..).map(|(((field, _), answer), n)| {
        let answer = if answer.is_empty() {
            "-".into()
        } else {
            escape_line(answer)
        };
        format!("{n:>3}  {}: {answer}", field.replace('_', " "))
    });
    let lines: Vec<String> = lines.collect();
    run.ui
        .prompt(&format!("A case of the template {template}:\n{}", lines.join("\n")));
    loop {
        let question = "Open it? [Y, n, or the number of what is wrong] ";
        let answer = run.ask(question, WHAT, FLAG)?;
        match answer.to_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(None),
            "n" | "no" => {
                return Err(CliError::Nothing {
                    what: "no case was opened",
                });
            }
            typed => match typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1)) {
                Some(at) if at < asked.len() => return Ok(Some(at)),
                _ => run.ui.hint("write y, n, or one of the numbers"),
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_an_object_and_what_is_not_is_placed() {
        assert!(must_be_object("{\"name\":\"A\"}").is_ok());
        let place = |text: &str| match must_be_object(text) {
            Err(CliError::Session(SessionError::Malformed { line, column, .. })) => (line, column),
            other => panic!("{other:?}"),
        };
        assert_eq!(place("[]"), (1, 1));
        assert_eq!(place("{\n  \"name\": A}"), (2, 11));
        assert_eq!(place(""), (1, 1));
        assert_eq!(place("{\"name\":\"A\",\n \"date_of_birth\": \"12/05/1948\"}"), (2, 20));
        for good in ["1941", "1941-03", "1941-03-05", ""] {
            assert!(
                must_be_object(&format!("{{\"date_of_birth\":\"{good}\"}}")).is_ok(),
                "{good}"
            );
        }
        for wrong in ["1941-13", "1941-02-30", "41", "5 March 1941", "1941-3-5"] {
            assert!(!is_birth_date(wrong), "{wrong}");
        }
    }
}
