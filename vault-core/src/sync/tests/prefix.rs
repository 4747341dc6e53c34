//! What others saw of a log, held against what was followed.

use super::*;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::wire::v1::link::Seen;

/// A server's log with `appends` behind its first links, and `branch` of the last one.
fn grown(number: u64, branch: u8) -> Served {
    let mut server = served(&[], 4);
    for _ in 1..number {
        append(&mut server, 1, 0);
    }
    append(&mut server, 1, branch);
    server
}

fn seen(server: &Served) -> Seen {
    SignedCheckpoint::open(&server.note(), AGENCY, &log().key, &[])
        .unwrap()
        .seen()
}

/// Holds what others saw against what was followed of a server; tells how much was asked.
fn hold(against: &Served, others: &[Seen]) -> Result<usize, Fault> {
    let mut prefix = Prefix::begin(log(), seen(against), others)?;
    let mut asked = 0;
    while let Some(request) = prefix.ask() {
        assert!(!prefix.is_proved() && matches!(request, Request::Tile(_)));
        asked += 1;
        prefix.take(&against.answer(request))?;
    }
    assert!(prefix.is_proved());
    Ok(asked)
}

#[test]
fn what_others_saw_is_the_beginning_of_what_was_followed() {
    let server = grown(700, 0);
    assert_eq!(hold(&server, &[]), Ok(0));
    // What was followed itself takes no tile.
    assert_eq!(hold(&server, &[seen(&server)]), Ok(0));
    let all: Vec<Seen> = [1, 2, 255, 256, 300, 699].map(|size| seen(&grown(size, 0))).to_vec();
    let asked = hold(&server, &all).unwrap();
    assert!((1..=6).contains(&asked), "{asked}");
    // What the log key did not sign says nothing of the log: its author was refused for it.
    let mut unsigned = seen(&grown(300, 9));
    unsigned.signature.0[7] ^= 1;
    assert_eq!(hold(&server, &[unsigned]), Ok(0));
}

#[test]
fn attack_44_what_another_was_shown_and_does_not_go_with_the_log_is_evidence() {
    let honest = grown(300, 0);
    for forked in [grown(300, 9), grown(200, 9), grown(2, 9)] {
        let Err(Fault::Contradiction(found)) = hold(&honest, &[seen(&grown(100, 0)), seen(&forked)]) else {
            panic!("not convicted");
        };
        found.verify(AGENCY, &log().key).unwrap();
        // A server that keeps its tiles back is refused all the same.
        let mut prefix = match Prefix::begin(log(), seen(&honest), &[seen(&forked)]) {
            Ok(prefix) => prefix,
            Err(fault) => {
                assert!(matches!(fault, Fault::Contradiction(_)), "of one length");
                continue;
            }
        };
        prefix.ask().unwrap();
        prefix.take(&[]).unwrap_err();
    }
    // Another was shown more: something is kept back from here.
    let kept_back = hold(&grown(200, 0), &[seen(&honest)]);
    assert_eq!(kept_back, Err(Check::LogConsistency.into()));
    crate::forge::guard::without(Check::LogConsistency, || {
        hold(&honest, &[seen(&grown(300, 9))]).unwrap();
        hold(&grown(200, 0), &[seen(&honest)]).unwrap();
    });
}
