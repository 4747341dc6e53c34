//! Links of the server's own making, in an administrator's name: who is a member, by which device and with which key, and
//! what a colleague wrote.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::ghost::Ghost;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::verb::Verb;

/// The log, the list of streams and the stream itself go together.
fn told(ghost: Ghost) -> Vec<Rule> {
    [Message::Checkpoint, Message::Streams, Message::Page]
        .map(|message| Rule::on(message, Verb::Ghost(ghost)))
        .into()
}

fn ghost(name: &'static str, rules: fn() -> Vec<Rule>, twin: Twin) -> Scenario {
    Scenario::of(
        name,
        Begins::Behind,
        rules,
        Comes::Refusal {
            exit: 4,
            code: "refused",
            check: Some("CHK-45"),
        },
        twin,
    )
}

const SIGNATURE: &str = "CHK-45";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        ghost(
            "attack_03_another_key_for_a_colleague_is_refused",
            || told(Ghost::Recipient),
            Twin::Spoils {
                without: SIGNATURE,
                by: "CHK-45",
            },
        ),
        ghost(
            "attack_04_a_root_with_another_recovery_key_is_refused",
            || told(Ghost::Recovery),
            Twin::StillRefuses {
                without: SIGNATURE,
                by: "CHK-20",
            },
        ),
        ghost(
            "attack_05_a_member_whom_the_server_adds_is_refused",
            || told(Ghost::Member),
            Twin::Spoils {
                without: SIGNATURE,
                by: "CHK-45",
            },
        ),
        ghost(
            "attack_06_a_device_that_the_server_adds_is_refused",
            || told(Ghost::Device),
            Twin::StillRefuses {
                without: SIGNATURE,
                by: "CHK-23",
            },
        ),
        ghost(
            "attack_22_a_note_that_the_server_writes_again_is_refused",
            || told(Ghost::Note),
            Twin::StillRefuses {
                without: SIGNATURE,
                by: "CHK-48",
            },
        ),
    ]
}
