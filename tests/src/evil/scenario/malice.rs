//! Answers that are out of all proportion, or that send a client elsewhere.

use super::Comes;
use super::Scenario;
use super::Twin;
use crate::evil::message::Message;
use crate::evil::server::Rule;
use crate::evil::stage::Begins;
use crate::evil::verb::Verb;

/// MiB: the passphrase's 64, an answer of the 40 that one may have, and what a client takes beside.
const MOST: u64 = 160;

/// Bytes behind their length, in the form of four bytes that vectors below 2^30 may have.
fn vector(content: &[u8]) -> Vec<u8> {
    // RFC 9000 section 16, in the shortest of its forms.
    let length = u32::try_from(content.len()).expect("a vector's length");
    let bytes = match length {
        0..0x40 => length << 24,
        0x40..0x4000 => (0x4000 | length) << 16,
        _ => 0x8000_0000 | length,
    };
    let used = match length {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        _ => 4,
    };
    [&bytes.to_be_bytes()[..used], content].concat()
}

/// An answer to an append of so many outcomes, none of them tried: a byte each on the way, and 80 in memory.
fn outcomes(count: usize) -> Vec<u8> {
    const NOT_TRIED: u8 = 4;
    [vector(&vec![NOT_TRIED; count]), vec![0]].concat()
}

/// A page of one parcel, whose blobs are all empty: a byte each on the way, and 24 where each is a vector.
fn page_of_empty_blobs(count: usize) -> Vec<u8> {
    const SIGNATURE: usize = 64;
    let (leaf, empty) = (0_u64.to_be_bytes(), [0_u8]);
    let link = vector(&[0; 64]);
    let blobs = vector(&vec![0; count]);
    let parcel = [&leaf[..], &link, &[0; SIGNATURE], &empty, &blobs].concat();
    [&vector(&parcel)[..], &[0]].concat()
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |name, rules, (exit, code)| {
        Scenario::of(
            name,
            Begins::Written,
            rules,
            Comes::Refusal {
                exit,
                code,
                check: None,
            },
            Twin::None("nothing is believed"),
        )
    };
    vec![
        Scenario {
            most: Some(MOST),
            twin: Twin::Swells {
                without: "AnswerLength",
            },
            ..scenario(
                "attack_31_an_answer_of_160_mebibytes_is_not_read",
                || vec![Rule::on(Message::Checkpoint, Verb::Zeros(160 << 20))],
                (4, "server-garbled"),
            )
        },
        Scenario {
            most: Some(MOST),
            twin: Twin::None("the length is looked at twice, before it is read and before it is taken apart"),
            ..scenario(
                "attack_31_ten_million_outcomes_take_no_memory",
                || vec![Rule::on(Message::Append, Verb::Instead(outcomes(10_000_000)))],
                (4, "server-garbled"),
            )
        },
        Scenario {
            begins: Begins::Joined,
            most: Some(MOST),
            twin: Twin::None("how many parts there may be is the format's, and decides whether it can be read at all"),
            comes: Comes::Refusal {
                exit: 4,
                code: "server-log",
                check: Some("CHK-02"),
            },
            ..scenario(
                "attack_31_a_page_of_empty_blobs_takes_no_memory",
                || {
                    vec![
                        Rule::on(Message::Checkpoint, Verb::Phantom),
                        Rule::on(Message::Page, Verb::Instead(page_of_empty_blobs(40_000_000))),
                    ]
                },
                (4, "server-log"),
            )
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use vault_core::wire;
    use vault_core::wire::v1::limit;
    use vault_core::wire::v1::sync::AppendReply;
    use vault_core::wire::v1::sync::StreamPage;

    #[test]
    fn what_is_out_of_proportion_is_otherwise_of_the_format() {
        let count = 20_000;
        let reply: AppendReply = wire::decode(&outcomes(count), limit::APPEND).unwrap();
        assert_eq!(reply.outcomes.len(), count);
        // A link of so few bytes names two things at most.
        let page: StreamPage = wire::decode(&page_of_empty_blobs(2), limit::APPEND).unwrap();
        assert_eq!(page.parcels[0].parcel.blobs.len(), 2);
        assert!(wire::decode::<StreamPage>(&page_of_empty_blobs(3), limit::APPEND).is_err());
    }
}
