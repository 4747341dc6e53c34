//! Lies about the links that a client asks for, told to one that is behind: the log says which link must come for each leaf.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::lie::PageLie;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::verb::Verb;

fn page(name: &'static str, rules: fn() -> Vec<Rule>, twin: Twin) -> Scenario {
    Scenario::of(
        name,
        Begins::Behind,
        rules,
        Comes::Refusal {
            exit: 4,
            code: "server-withholds",
            check: None,
        },
        twin,
    )
}

fn told(lie: PageLie) -> Vec<Rule> {
    vec![Rule::on(Message::Page, Verb::Page(lie))]
}

/// Without the log's word on which link is at a leaf, the links themselves still do not go together.
const fn link(by: &'static str) -> Twin {
    Twin::StillRefuses {
        without: "LinkOfLeaf",
        by,
    }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        page(
            "attack_47_links_of_a_page_in_another_order_are_refused",
            || told(PageLie::Reorder),
            link("CHK-41"),
        ),
        page(
            "attack_46_a_link_left_out_of_a_page_is_named",
            || told(PageLie::Drop),
            Twin::None(
                "a page that is taken with one missing ends one early, and what is missing at the end is named too",
            ),
        ),
        page(
            "attack_21_an_older_link_again_in_a_page_is_refused",
            || told(PageLie::Dup),
            link("CHK-48"),
        ),
        page(
            "attack_14_a_link_at_anothers_leaf_is_refused",
            || told(PageLie::Splice),
            link("CHK-41"),
        ),
        page(
            "attack_46_links_that_are_held_back_are_named",
            || told(PageLie::Hold),
            Twin::None("there is nothing to be believed"),
        ),
        Scenario {
            comes: Comes::HeldBack {
                exit: 4,
                code: "server-withholds",
            },
            ..page(
                "attack_46_a_record_said_to_be_erased_is_missed",
                || told(PageLie::Erase),
                Twin::Believes {
                    without: "ErasureForAbsent",
                },
            )
        },
        Scenario {
            comes: Comes::Refusal {
                exit: 4,
                code: "server-log",
                check: Some("CHK-139"),
            },
            ..page(
                "attack_19_a_bit_of_a_record_that_comes_is_refused",
                || told(PageLie::Flip),
                Twin::StillRefuses {
                    without: "CHK-139",
                    by: "CHK-15",
                },
            )
        },
    ]
}
