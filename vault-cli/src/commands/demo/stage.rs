//! How the demo speaks: one numbered step after the other, each with its command, what came of it and what that proves.

use serde::Serialize;

use crate::error::CliError;
use crate::session::SessionError;
use crate::ui::Ui;

/// The demo as JSON: `casevault.demo/1`.
#[derive(Serialize)]
struct DemoReply<'s> {
    schema: &'static str,
    steps: &'s [Step],
    home: Option<String>,
}

/// One step.
#[derive(Serialize)]
struct Step {
    step: usize,
    title: &'static str,
    command: String,
    proves: String,
}

/// Prints steps, or keeps them for one JSON object at the end.
pub(super) struct Stage<'u> {
    ui: &'u Ui,
    steps: Vec<Step>,
}

impl<'u> Stage<'u> {
    pub(super) fn new(ui: &'u Ui) -> Self {
        Self { ui, steps: Vec::new() }
    }

    /// Says something between the steps; not with `--json`.
    pub(super) fn say(&self, text: &str) -> Result<(), CliError> {
        if self.ui.is_json() { Ok(()) } else { self.ui.text(text) }
    }

    /// Tells a step: the command that does the same, what it printed, what that proves.
    pub(super) fn step(
        &mut self,
        title: &'static str,
        command: impl Into<String>,
        printed: &str,
        proves: impl Into<String>,
    ) -> Result<(), CliError> {
        let (step, command, proves) = (self.steps.len() + 1, command.into(), proves.into());
        let said = format!(
            "\n{step:2}. {title}\n{}{}    => {}\n",
            indented(&command, "    "),
            indented(printed, "    | "),
            proves.replace('\n', "\n       ")
        );
        self.steps.push(Step {
            step,
            title,
            command,
            proves: proves.replace('\n', " "),
        });
        self.say(&said)
    }

    /// Says how many steps there were, or prints the JSON object.
    pub(super) fn end(self, kept: Option<String>, last: &str) -> Result<(), CliError> {
        let reply = DemoReply {
            schema: "casevault.demo/1",
            steps: &self.steps,
            home: kept,
        };
        self.ui.reply(&reply, |reply| {
            format!("\n{} steps, and each did what it says. {last}", reply.steps.len())
        })
    }
}

fn indented(text: &str, margin: &str) -> String {
    text.lines()
        .map(|line| format!("{}\n", format!("{margin}{line}").trim_end()))
        .collect()
}

/// Ends the demo where something that it says does not hold.
pub(super) fn claim(holds: bool, what: &str) -> Result<(), CliError> {
    if holds {
        return Ok(());
    }
    Err(SessionError::Bug(format!("the demo expected this and found otherwise: {what}")).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_hold_ends_the_demo() {
        assert!(claim(true, "x").is_ok());
        let refused = claim(false, "the bit is found").unwrap_err();
        assert!(refused.to_string().contains("the bit is found"), "{refused}");
        assert_eq!(refused.exit().code(), 1);
    }

    #[test]
    fn a_margin_stands_before_each_line() {
        assert_eq!(indented("a\n\nb", "  | "), "  | a\n  |\n  | b\n");
    }
}
