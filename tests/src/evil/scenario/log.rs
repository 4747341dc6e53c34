//! Lies about the log, told to a client that follows it: rollback, forks, leaves that come, go or change.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::lie::LogLie;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::verb::Verb;
use crate::evil::verb::Whose;
use vault_core::wire;
use vault_core::wire::v1::sync::StreamPage;

const NOT_THE_LOG: Comes = Comes::Refusal {
    exit: 4,
    code: "server-log",
    check: Some("CHK-138"),
};

const CONSISTENCY: Twin = Twin::Believes { without: "CHK-138" };
const KEPT: Twin = Twin::Spoils {
    without: "CHK-138",
    by: "CHK-136",
};

/// A lie of the log's entries, which the client has all followed.
fn followed(name: &'static str, rules: fn() -> Vec<Rule>, evidence: bool, twin: Twin) -> Scenario {
    Scenario {
        evidence,
        ..Scenario::of(name, Begins::Joined, rules, NOT_THE_LOG, twin)
    }
}

fn shown(lie: LogLie) -> Vec<Rule> {
    vec![Rule::on(Message::Checkpoint, Verb::Log(lie))]
}

fn with(lie: LogLie, on: Message, verb: Verb) -> Vec<Rule> {
    let mut rules = shown(lie);
    rules.push(Rule::on(on, verb));
    rules
}

const EMPTY: StreamPage = StreamPage {
    parcels: Vec::new(),
    more: 0,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    let checkpoint = |name, rules, check, twin| Scenario {
        comes: Comes::Refusal {
            exit: 4,
            code: "server-log",
            check: Some(check),
        },
        ..followed(name, rules, false, twin)
    };
    vec![
        followed(
            "attack_42_an_older_log_is_not_followed",
            || shown(LogLie::Replay(2)),
            false,
            CONSISTENCY,
        ),
        followed(
            "attack_42_an_older_log_whose_tiles_fail_is_still_a_rollback",
            || with(LogLie::Replay(2), Message::Tile, Verb::Status(500)),
            false,
            CONSISTENCY,
        ),
        followed(
            "attack_42_an_older_log_whose_tiles_do_not_come_is_still_a_rollback",
            || with(LogLie::Replay(2), Message::Tile, Verb::Drop),
            false,
            CONSISTENCY,
        ),
        followed(
            "attack_44_another_history_is_refused_with_evidence",
            || shown(LogLie::Fork { from: 1, more: 3 }),
            true,
            KEPT,
        ),
        followed(
            "attack_44_another_history_from_its_first_leaf_is_refused_with_evidence",
            || shown(LogLie::Fork { from: 3, more: 300 }),
            true,
            // It has other leaves for places of streams that were followed.
            Twin::StillRefuses {
                without: "CHK-138",
                by: "CHK-141",
            },
        ),
        followed(
            "attack_48_two_roots_of_one_size_are_refused_with_evidence",
            || shown(LogLie::Fork { from: 0, more: 0 }),
            true,
            CONSISTENCY,
        ),
        followed(
            "attack_46_a_leaf_taken_out_of_the_log_is_missed",
            || shown(LogLie::Drop(1)),
            false,
            CONSISTENCY,
        ),
        followed(
            "attack_47_leaves_in_another_order_are_refused",
            || shown(LogLie::Reorder(0)),
            true,
            CONSISTENCY,
        ),
        followed(
            "attack_22_a_leaf_put_between_is_refused",
            || shown(LogLie::Inject(0)),
            true,
            KEPT,
        ),
        followed(
            "attack_21_a_leaf_that_is_there_twice_is_refused",
            || shown(LogLie::Dup(1)),
            true,
            KEPT,
        ),
        Scenario {
            begins: Begins::Behind,
            evidence: true,
            ..checkpoint(
                "attack_44_two_leaves_of_one_place_are_refused_with_evidence",
                || shown(LogLie::Dup(0)),
                "CHK-141",
                Twin::Asks {
                    without: "CHK-141",
                    next: Message::Streams,
                },
            )
        },
        followed(
            "attack_14_another_link_at_a_leaf_is_refused",
            || shown(LogLie::Splice(2)),
            true,
            CONSISTENCY,
        ),
        checkpoint(
            "attack_14_the_checkpoint_of_another_agency_is_refused",
            || vec![Rule::on(Message::Checkpoint, Verb::Splice)],
            "CHK-132",
            Twin::StillRefuses {
                without: "CHK-132",
                by: "CHK-131",
            },
        ),
        checkpoint(
            "attack_48_a_checkpoint_that_the_log_key_did_not_sign_is_refused",
            || {
                vec![Rule::on(
                    Message::Checkpoint,
                    Verb::SubstituteSignature { named: Whose::Log },
                )]
            },
            "CHK-133",
            Twin::Believes { without: "CHK-133" },
        ),
        checkpoint(
            "attack_31_a_tree_of_2_to_the_63_leaves_is_not_fetched",
            || vec![Rule::on(Message::Checkpoint, Verb::Size(1 << 63))],
            "CHK-01",
            Twin::Asks {
                without: "CHK-01",
                next: Message::Entries,
            },
        ),
        Scenario {
            comes: Comes::Refusal {
                exit: 4,
                code: "server-withholds",
                check: None,
            },
            twin: Twin::None("another device's links are not taken in yet, so there is nothing to be believed"),
            ..followed(
                "attack_46_a_leaf_without_its_link_is_named",
                || {
                    let nothing = Verb::Instead(wire::encode(&EMPTY).expect("a page is encoded"));
                    vec![
                        Rule::on(Message::Checkpoint, Verb::Phantom),
                        Rule::on(Message::Page, nothing),
                    ]
                },
                false,
                CONSISTENCY,
            )
        },
    ]
}
