//! Lies about what witnesses cosigned: old news, another log, words that they never said.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::lie::LogLie;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::stage::OLD;
use crate::evil::verb::Verb;

fn told(name: &'static str, rules: fn() -> Vec<Rule>, check: &'static str) -> Scenario {
    Scenario::of(
        name,
        Begins::Witnessed,
        rules,
        Comes::Refusal {
            exit: 4,
            code: "server-log",
            check: Some(check),
        },
        Twin::Believes { without: check },
    )
}

fn cosigned(verb: Verb) -> Vec<Rule> {
    vec![Rule::on(Message::Cosigned, verb)]
}

fn over(lie: LogLie) -> Vec<Rule> {
    cosigned(Verb::CosignedLog { ago: 60, lie })
}

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            comes: Comes::Alarm,
            twin: Twin::Silent {
                without: "FreshCosignature",
            },
            ..told(
                "attack_45_a_server_that_holds_everything_back_for_a_day_is_an_alarm",
                || {
                    // The log as it is, and what the witness said then of it.
                    let lie = LogLie::Replay(0);
                    cosigned(Verb::CosignedLog { ago: OLD, lie })
                },
                "CHK-138",
            )
        },
        Scenario {
            comes: Comes::Alarm,
            twin: Twin::Silent {
                without: "FreshCosignature",
            },
            ..told(
                "attack_45_cosignatures_that_are_kept_back_are_an_alarm_in_the_end",
                || cosigned(Verb::Status(404)),
                "CHK-138",
            )
        },
        told(
            "attack_45_leaves_that_a_witness_saw_and_that_are_not_shown_are_missed",
            || over(LogLie::Grow(2)),
            "CHK-138",
        ),
        Scenario {
            evidence: true,
            ..told(
                "attack_44_another_log_than_a_witness_saw_is_refused_with_evidence",
                || over(LogLie::Fork { from: 1, more: 0 }),
                "CHK-138",
            )
        },
        Scenario {
            evidence: true,
            ..told(
                "attack_44_a_shorter_log_of_another_history_that_a_witness_saw_is_refused_with_evidence",
                || over(LogLie::Drop(1)),
                "CHK-138",
            )
        },
        told(
            "attack_45_a_time_that_the_witness_never_said_is_refused",
            || cosigned(Verb::CosignedAtAnotherTime),
            "CHK-134",
        ),
    ]
}
