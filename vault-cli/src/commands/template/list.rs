//! `casevault template list`.

use casevault_policies::Set;
use serde::Serialize;

use crate::error::CliError;
use crate::invocation::Invocation;
use crate::render::table;
use crate::session::reply::Schema;

/// The templates that come with the program.
#[derive(Serialize)]
struct TemplateListReply {
    schema: Schema,
    templates: Vec<TemplateRow>,
}

/// A template in a list.
#[derive(Serialize)]
struct TemplateRow {
    template: String,
    version: u32,
    versions: Vec<u32>,
    title: String,
    kinds: Vec<String>,
    sections: Vec<String>,
}

pub(super) fn run(run: &Invocation) -> Result<(), CliError> {
    let set = embedded()?;
    let templates = set.iter().map(|template| TemplateRow {
        template: template.id.clone(),
        version: template.version,
        versions: set.versions(&template.id).map(|t| t.version).collect(),
        title: template.title.clone(),
        kinds: template.kinds.clone(),
        sections: template.sections.clone(),
    });
    let reply = TemplateListReply {
        schema: Schema("casevault.template.list/1"),
        templates: templates.collect(),
    };
    run.ui.reply(&reply, |reply| {
        let rows = reply.templates.iter().map(|template| {
            let kinds = match template.kinds.as_slice() {
                [] => "any".to_owned(),
                kinds => kinds.join(" "),
            };
            [
                template.template.clone(),
                template.version.to_string(),
                template.title.clone(),
                kinds,
            ]
        });
        table(["TEMPLATE", "VERSION", "TITLE", "KINDS OF NOTE"], rows)
    })
}

/// Loads the templates that come with the program.
pub(super) fn embedded() -> Result<Set, CliError> {
    Set::embedded().map_err(|e| crate::session::SessionError::Bug(format!("an embedded template: {e}")).into())
}
