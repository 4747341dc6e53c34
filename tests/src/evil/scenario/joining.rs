//! Lies told to a vault that is given a server.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::stage::Command;
use crate::evil::verb::Verb;

fn joining(name: &'static str, rules: fn() -> Vec<Rule>, code: &'static str, check: Option<&'static str>) -> Scenario {
    Scenario {
        name,
        begins: Begins::Alone,
        command: Command::Add,
        rules,
        comes: Comes::Refusal { exit: 4, code, check },
        evidence: false,
        most: None,
        twin: Twin::None("the guard is still to come"),
        open: None,
    }
}

const UNPROVED: &str = "a log key is taken into the root for good before the server has signed anything with it";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            open: Some(UNPROVED),
            ..joining(
                "attack_03_a_log_key_that_the_server_does_not_hold_is_not_taken",
                || vec![Rule::on(Message::LogKey, Verb::SubstituteKey)],
                "server-log",
                Some("CHK-133"),
            )
        },
        Scenario {
            open: Some(UNPROVED),
            ..joining(
                "attack_01_a_log_key_with_a_flipped_bit_spoils_nothing",
                // The sign of a point, which makes another point of it.
                || vec![Rule::on(Message::LogKey, Verb::Flip(-1))],
                "server-log",
                Some("CHK-133"),
            )
        },
        Scenario {
            twin: Twin::Believes { without: "LogKeyName" },
            ..joining(
                "attack_03_a_log_key_of_another_name_is_not_taken",
                || vec![Rule::on(Message::LogKey, Verb::SubstituteName)],
                "server-key",
                None,
            )
        },
    ]
}
