//! Lies about what became of an append.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::lie::AppendLie;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::verb::Verb;

fn told(lie: AppendLie) -> Vec<Rule> {
    vec![Rule::on(Message::Append, Verb::Append(lie))]
}

fn appending(
    name: &'static str,
    rules: fn() -> Vec<Rule>,
    (exit, code, check): (i32, &'static str, Option<&'static str>),
    twin: Twin,
) -> Scenario {
    Scenario::of(name, Begins::Written, rules, Comes::Refusal { exit, code, check }, twin)
}

const NOT_IN_IT: (i32, &str, Option<&str>) = (4, "server-log", Some("CHK-137"));
const OTHER_LOG: (i32, &str, Option<&str>) = (4, "server-log", Some("CHK-138"));
const GARBLED: (i32, &str, Option<&str>) = (4, "server-garbled", None);
const INCLUSION: Twin = Twin::Believes { without: "CHK-137" };
const COUNT: Twin = Twin::Believes {
    without: "OutcomeForEach",
};
const DENIED: Twin = Twin::None("a server that refuses is believed to refuse, and nothing counts as stored");

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        appending(
            "attack_46_what_is_said_to_be_stored_and_is_not_in_the_log_is_not_stored",
            || told(AppendLie::Hold),
            NOT_IN_IT,
            INCLUSION,
        ),
        appending(
            "attack_14_others_entries_at_the_leaves_that_are_named_are_refused",
            || told(AppendLie::Splice),
            NOT_IN_IT,
            INCLUSION,
        ),
        appending(
            "attack_21_leaves_told_the_wrong_way_round_are_refused",
            || told(AppendLie::Swap),
            NOT_IN_IT,
            INCLUSION,
        ),
        appending(
            "attack_46_the_last_link_of_an_append_left_out_is_missed",
            || told(AppendLie::Drop),
            NOT_IN_IT,
            INCLUSION,
        ),
        appending(
            "attack_31_a_leaf_far_behind_the_end_is_refused",
            || told(AppendLie::Leaf(1 << 63)),
            NOT_IN_IT,
            INCLUSION,
        ),
        appending(
            "attack_47_links_of_one_append_in_another_order_are_refused",
            || told(AppendLie::Reorder),
            NOT_IN_IT,
            INCLUSION,
        ),
        Scenario {
            evidence: true,
            ..appending(
                "attack_44_another_history_behind_an_append_is_refused_with_evidence",
                || told(AppendLie::Fork),
                OTHER_LOG,
                Twin::Spoils {
                    without: "CHK-138",
                    by: "CHK-136",
                },
            )
        },
        appending(
            "attack_42_an_older_log_behind_an_append_is_refused",
            || told(AppendLie::Replay),
            OTHER_LOG,
            Twin::Spoils {
                without: "CHK-138",
                by: "CHK-136",
            },
        ),
        appending(
            "attack_58_an_outcome_too_many_is_refused",
            || told(AppendLie::Dup),
            GARBLED,
            COUNT,
        ),
        appending(
            "attack_58_an_outcome_too_few_is_refused",
            || told(AppendLie::Truncate),
            GARBLED,
            COUNT,
        ),
        appending(
            "attack_46_what_was_not_tried_is_not_stored",
            || told(AppendLie::NotTried),
            (4, "server-withholds", None),
            Twin::Believes { without: "NotTried" },
        ),
        appending(
            "attack_58_a_conflict_that_there_is_not_loses_nothing",
            || told(AppendLie::Conflict),
            (6, "server-conflict", None),
            DENIED,
        ),
        appending(
            "attack_39_a_link_that_is_refused_names_the_check_and_loses_nothing",
            || told(AppendLie::Refuse(15)),
            (1, "link-refused", Some("CHK-15")),
            DENIED,
        ),
    ]
}
