//! `casevault case amend`.

use clap::Args;
use jiff::civil::Date;
use serde_json::{Map, Value};
use vault_core::note::display::escape_line;

use crate::cli::value;
use crate::error::CliError;
use crate::input::Source;
use crate::invocation::Invocation;
use crate::marks;
use crate::render;
use crate::session::request::{CaseAmendRequest, CaseShowRequest};

use super::open::{LONGEST_PROFILE, asked, born, is_born, must_be_object, tell_unknown};
use crate::picker;

/// Corrects what is known of a client; the versions before stay (`case history`)
///
/// Give one JSON object with the fields that change: each takes the place of the one that is there, `null` takes it away, all others stay. On a terminal, without `--file`, the most needed fields are asked, with what they say now.
///
/// Example: `echo '{"name": "Elin Farrow"}' | casevault case amend c-7fk2 --file -`
#[derive(Args, Debug)]
pub struct AmendArgs {
    /// The case's handle; without it, on a terminal, the name is asked for
    #[arg(value_name = "CASE", value_parser = value::case)]
    pub case: Option<String>,

    /// The fields that change, as JSON, from a file or from standard input; at most 1 MiB
    #[arg(long, value_name = "FILE|-")]
    pub file: Option<Source>,

    /// The day of opening, such as `2026-03-12`, if that was wrong
    #[arg(long, value_name = "DAY", value_parser = value::past_day)]
    pub opened: Option<Date>,
}

pub(super) fn run(args: AmendArgs, run: &Invocation) -> Result<(), CliError> {
    let flag = "`--file FILE`, or `--file -` for standard input";
    let (mut session, case, changes) = match (&args.file, args.opened) {
        (Some(source), _) => {
            let changes = run.text(Some(source), "the fields that change", LONGEST_PROFILE)?;
            must_be_object(&changes)?;
            let (session, case) = picker::unlock_for(run, args.case)?;
            (session, case, changes)
        }
        (None, Some(_)) => {
            let (session, case) = picker::unlock_for(run, args.case)?;
            (session, case, "{}".to_owned())
        }
        (None, None) => {
            if !crate::unlock_prompt::can_ask() {
                let what = "what changes";
                return Err(CliError::NeedsFlag { what, flag });
            }
            let (mut session, case) = picker::unlock_for(run, args.case)?;
            let shown = session.case_show(CaseShowRequest {
                case: case.clone(),
                ..CaseShowRequest::default()
            })?;
            let asked = asked(shown.case.template.as_deref())?;
            (session, case, ask(run, &asked, &shown.profile, flag)?)
        }
    };
    let request = CaseAmendRequest {
        case,
        changes,
        opened: args.opened,
        unless_lost: false,
    };
    let reply = marks::ask_of_loss(run, |unless_lost| {
        Ok(session.case_amend(CaseAmendRequest {
            unless_lost,
            ..request.clone()
        })?)
    })?;
    run.ui.reply(&reply, render::case::amended)?;
    tell_unknown(&reply.unknown_fields, &reply.case, run);
    if !run.ui.is_json() {
        for gone in &reply.struck {
            let gone = escape_line(gone);
            run.ui.note(&format!(
                "look again: `{gone}` is taken away, and is not told before a visit any more"
            ));
        }
    }
    if !reply.changed.is_empty() {
        run.ui.hint(&format!(
            "what it said before is in `casevault case history {}`",
            reply.case
        ));
    }
    Ok(())
}

/// Asks for what is most needed: an empty answer keeps a field, a hyphen takes it away.
fn ask(run: &Invocation, asked: &[(String, String)], profile: &Value, flag: &'static str) -> Result<String, CliError> {
    run.ui.prompt("Enter keeps what is there, - takes it away.");
    let mut changes = Map::new();
    for (field, question) in asked {
        let now = match profile.get(field) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => format!(" [{}]", vault_core::note::display::escape_line(text)),
            // What is not a text is not asked for.
            Some(_) => continue,
        };
        let answer = loop {
            let answer = run.ask(&format!("{question}{now}: "), "what changes", flag)?;
            if !is_born(field) || answer == "-" {
                break answer;
            }
            if let Some(born) = born(run, &answer) {
                break born;
            }
        };
        match answer.as_str() {
            "" => {}
            "-" => drop(changes.insert(field.clone(), Value::Null)),
            _ => drop(changes.insert(field.clone(), Value::String(answer))),
        }
    }
    Ok(Value::Object(changes).to_string())
}
