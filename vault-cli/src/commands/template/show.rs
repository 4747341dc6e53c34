//! `casevault template show`.

use casevault_policies::Template;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::value;
use crate::error::CliError;
use crate::invocation::Invocation;
use crate::session::SessionError;

/// Shows a template
///
/// Its headings with the kind and section of what is written under them, its questions, the profile's fields, and the
/// reasons for which a case is closed.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The template's id, or a beginning that only one has (`casevault template list`)
    #[arg(value_name = "TEMPLATE", value_parser = value::template)]
    pub template: String,

    /// The version, from 1 [default: the newest]
    #[arg(long = "as-of-version", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub version: Option<u32>,
}

pub(super) fn run(args: &ShowArgs, run: &Invocation) -> Result<(), CliError> {
    let set = super::list::embedded()?;
    let found = match args.version {
        Some(version) => set
            .begins(&args.template)
            .and_then(|found| set.version(&found.id, version)),
        None => set.begins(&args.template),
    };
    let Some(template) = found else {
        return Err(SessionError::NotFound {
            what: "template",
            text: match args.version {
                Some(version) => format!("{} version {version}", args.template),
                None => args.template.clone(),
            },
        }
        .into());
    };
    run.ui
        .reply(&to_json(template, "casevault.template.show/1"), |_| text(template))
}

/// Writes a template as JSON.
pub(super) fn to_json(template: &Template, schema: &str) -> Value {
    let headings: Vec<Value> = template
        .headings
        .iter()
        .map(|heading| {
            json!({
                "title": heading.title, "kind": heading.kind.as_str(), "section": heading.section,
                "guidance": heading.guidance,
            })
        })
        .collect();
    let profile: Vec<Value> = template
        .profile
        .iter()
        .map(|field| json!({"name": field.name, "title": field.title, "section": field.section, "asked": field.asked}))
        .collect();
    let closing: Vec<Value> = template
        .closing
        .iter()
        .map(|reason| json!({"code": reason.code, "title": reason.title}))
        .collect();
    json!({
        "schema": schema, "template": template.id, "version": template.version, "title": template.title,
        "kinds": template.kinds, "sections": template.sections, "headings": headings, "prompts": template.prompts,
        "profile": profile, "closing": closing,
    })
}

fn text(template: &Template) -> String {
    let mut out = format!("{} version {}: {}\n", template.id, template.version, template.title);
    if !template.kinds.is_empty() {
        out.push_str(&format!("for {}\n", template.kinds.join(", ")));
    }
    out.push_str(&format!("sections: {}\n", template.sections.join(", ")));
    for heading in &template.headings {
        let section = heading
            .section
            .as_ref()
            .map_or_else(String::new, |s| format!(", section {s}"));
        out.push_str(&format!(
            "\n## {}  ({}{section})\n",
            heading.title,
            heading.kind.as_str()
        ));
        for line in &heading.guidance {
            out.push_str(&format!("#! {line}\n"));
        }
    }
    if !template.prompts.is_empty() {
        out.push('\n');
        for line in &template.prompts {
            out.push_str(&format!("#! {line}\n"));
        }
    }
    if !template.profile.is_empty() {
        out.push_str("\nprofile (nothing is forced; * is asked for when a case is opened on a terminal):\n");
        for field in &template.profile {
            let mark = if field.asked { "*" } else { " " };
            out.push_str(&format!("{mark} {}: {}\n", field.name, field.title));
        }
    }
    if !template.closing.is_empty() {
        out.push_str("\nclosed because (casevault case close --reason):\n");
        for reason in &template.closing {
            out.push_str(&format!("  {}: {}\n", reason.code, reason.title));
        }
    }
    out
}
