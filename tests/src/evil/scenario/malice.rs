//! Answers that are out of all proportion, or that send a client elsewhere.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::stage::Command;
use crate::evil::verb::Verb;

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |name, rules, (exit, code)| Scenario {
        name,
        begins: Begins::Written,
        command: Command::Sync,
        rules,
        comes: Comes::Refusal {
            exit,
            code,
            check: None,
        },
        evidence: false,
        twin: Twin::None("nothing is believed"),
        open: None,
    };
    vec![
        scenario(
            "attack_40_a_client_that_is_sent_elsewhere_does_not_go",
            || vec![Rule::on(Message::Session, Verb::Redirect(Message::Checkpoint))],
            (1, "server-refused"),
        ),
        scenario(
            "attack_13_a_checkpoint_for_a_challenge_is_not_signed",
            || vec![Rule::on(Message::Challenge, Verb::Instead(vec![b'c'; 47]))],
            (4, "server-garbled"),
        ),
        scenario(
            "attack_31_a_token_of_a_megabyte_is_refused",
            || vec![Rule::on(Message::Session, Verb::Instead(vec![7; 1 << 20]))],
            (4, "server-garbled"),
        ),
    ]
}
