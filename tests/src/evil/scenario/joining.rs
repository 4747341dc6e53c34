//! Lies told to a vault that is given a server.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::verb::Verb;
use crate::evil::verb::Whose;

fn joining(name: &'static str, rules: fn() -> Vec<Rule>, check: Option<&'static str>) -> Scenario {
    Scenario::of(
        name,
        Begins::Alone,
        rules,
        Comes::Refusal {
            exit: 4,
            code: "server-key",
            check,
        },
        Twin::None("each scenario names its own"),
    )
}

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            // A root that names a key which nobody has: the vault is spoiled for good.
            twin: Twin::Spoils {
                without: "CHK-133",
                by: "CHK-133",
            },
            ..joining(
                "attack_03_a_log_key_that_the_server_does_not_hold_is_not_taken",
                || {
                    let nobody = Verb::SubstituteSignature { named: Whose::Attacker };
                    vec![
                        Rule::on(Message::LogKey, Verb::SubstituteKey),
                        Rule::on(Message::Checkpoint, nobody),
                    ]
                },
                Some("CHK-133"),
            )
        },
        Scenario {
            twin: Twin::StillRefuses {
                without: "CHK-133",
                by: "CHK-133",
            },
            ..joining(
                "attack_01_a_log_key_with_a_flipped_bit_spoils_nothing",
                // The sign of a point, which makes another point of it. A note names its key by a hash of it.
                || vec![Rule::on(Message::LogKey, Verb::Flip(-1))],
                Some("CHK-133"),
            )
        },
        Scenario {
            twin: Twin::Believes { without: "LogKeyName" },
            ..joining(
                "attack_03_a_log_key_of_another_name_is_not_taken",
                || vec![Rule::on(Message::LogKey, Verb::SubstituteName)],
                None,
            )
        },
    ]
}
