//! Answers that do not come, come slowly, twice or with the wrong time.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::verb::Verb;

fn written(name: &'static str, rules: fn() -> Vec<Rule>, comes: Comes, why: &'static str) -> Scenario {
    Scenario::of(name, Begins::Written, rules, comes, Twin::None(why))
}

const UNREACHABLE: Comes = Comes::Refusal {
    exit: 7,
    code: "server-unreachable",
    check: None,
};
const IDEMPOTENT: &str = "the guard is that ids are the client's and that a server stores a link once";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        written(
            "attack_58_an_append_whose_answer_is_lost_is_there_once_after_the_next",
            || vec![Rule::on(Message::Append, Verb::KillAfterCommit)],
            UNREACHABLE,
            IDEMPOTENT,
        ),
        written(
            "attack_58_an_append_that_is_delivered_twice_is_there_once",
            || vec![Rule::on(Message::Append, Verb::Dup)],
            Comes::Nothing,
            IDEMPOTENT,
        ),
        written(
            "attack_58_an_append_that_is_lost_is_sent_again",
            || vec![Rule::on(Message::Append, Verb::Drop)],
            UNREACHABLE,
            "nothing is believed",
        ),
        written(
            "attack_18_a_clock_a_year_ahead_is_not_read",
            || Message::ALL.map(|on| Rule::on(on, Verb::LieClock(31_536_000))).into(),
            Comes::Nothing,
            "the client reads no clock of the server's",
        ),
        written(
            "attack_18_a_clock_a_year_behind_is_not_read",
            || Message::ALL.map(|on| Rule::on(on, Verb::LieClock(-31_536_000))).into(),
            Comes::Nothing,
            "the client reads no clock of the server's",
        ),
        written(
            "attack_31_answers_that_come_a_byte_at_a_time_are_waited_for",
            || {
                let slow = [
                    Message::Checkpoint,
                    Message::Challenge,
                    Message::Session,
                    Message::Append,
                ];
                slow.map(|on| Rule::on(on, Verb::Slow { pause: 2 })).into()
            },
            Comes::Nothing,
            "nothing is amiss",
        ),
        written(
            "attack_31_an_answer_that_takes_for_ever_is_not_waited_for",
            || vec![Rule::on(Message::Checkpoint, Verb::Slow { pause: 5_000 })],
            UNREACHABLE,
            "the guard is a limit of time, not a check",
        ),
        written(
            "attack_45_a_server_that_says_it_is_busy_for_a_year_is_not_waited_for",
            || vec![Rule::on(Message::Append, Verb::Status(429))],
            Comes::Refusal {
                exit: 7,
                code: "server-busy",
                check: None,
            },
            "nothing is believed",
        ),
    ]
}
