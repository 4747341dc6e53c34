//! A witness that goes on, and a client that holds what was cosigned against what it followed.

use super::*;
use crate::tlog::checkpoint;
use crate::tlog::checkpoint::Cosignature;
use crate::tlog::checkpoint::SignedCheckpoint;
use crate::tlog::checkpoint::Witness;
use crate::tlog::witness::Position;
use crate::wire::v1::follow::CosignedNote;
use crate::wire::v1::follow::CosignedNotes;

const NAME: &str = "witness.example/w1";

fn witness(seed: u8) -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes([seed; 32]))
}

/// A server's log with `appends` behind its first links, and `branch` of the last one.
fn grown(number: u64, branch: u8) -> Served {
    let mut server = served(&[], 4);
    for _ in 1..number {
        append(&mut server, 1, 0);
    }
    append(&mut server, 1, branch);
    server
}

fn go_on(last: Option<Position>, server: &Served, tiles: &Served) -> Result<Position, Fault> {
    let mut witnessing = Witnessing::begin(log(), last, &server.note())?;
    while let Some(request) = witnessing.ask() {
        assert!(matches!(request, Request::Tile(_)), "a witness asks for hashes alone");
        witnessing.take(&tiles.answer(request))?;
    }
    witnessing.finish()
}

#[test]
fn a_witness_goes_on_with_a_log_and_learns_no_entry() {
    let mut last = None;
    for size in [1, 2, 3, 250, 255, 256, 300, 700] {
        let server = grown(size, 0);
        let next = go_on(last, &server, &server).unwrap();
        assert_eq!(next.checkpoint().size, size + 1);
        // And once more, to say that nothing came since.
        assert_eq!(go_on(Some(next), &server, &server).unwrap(), next);
        last = Some(next);
    }
}

#[test]
fn attack_49_a_fork_that_a_witness_is_shown_is_refused_with_evidence() {
    let honest = grown(300, 0);
    let last = go_on(None, &honest, &honest).unwrap();
    let mut longer = grown(300, 9);
    for forked in [grown(300, 9), {
        append(&mut longer, 1, 0);
        longer
    }] {
        let Err(Fault::Contradiction(found)) = go_on(Some(last), &forked, &forked) else {
            panic!("not convicted");
        };
        found.verify(AGENCY, &log().key).unwrap();
        // A server that keeps its tiles back is refused all the same.
        assert!(go_on(Some(last), &forked, &served(&[], 1)).is_err());
    }
    let older = grown(200, 0);
    assert_eq!(go_on(Some(last), &older, &older), Err(Check::LogConsistency.into()));
    assert_eq!(go_on(Some(last), &older, &honest), Err(Check::LogConsistency.into()));
    crate::forge::guard::without(Check::LogConsistency, || {
        go_on(Some(last), &grown(300, 9), &grown(300, 9)).unwrap();
    });
}

fn signed(server: &Served) -> SignedCheckpoint {
    SignedCheckpoint::open(&server.note(), AGENCY, &log().key, &[]).unwrap()
}

fn cosigned(server: &Served, by: u8, time: u64) -> (Checkpoint, Cosignature) {
    let one = *signed(server).checkpoint();
    (one, one.cosign(NAME, &witness(by), time).unwrap())
}

fn answer(all: &[(Checkpoint, Cosignature)]) -> Vec<u8> {
    let note = |(one, cosignature): &(Checkpoint, Cosignature)| CosignedNote {
        note: checkpoint::write(
            one,
            &one.sign(&key()),
            &key().public(),
            std::slice::from_ref(cosignature),
        )
        .unwrap()
        .into_bytes(),
    };
    wire::encode(&CosignedNotes {
        notes: all.iter().map(note).collect(),
    })
    .unwrap()
}

fn hold(against: &Served, answer: &[u8]) -> Result<Vec<(u64, u64)>, Fault> {
    let known = [2, 4].map(|seed| Witness::new(NAME, &witness(seed).public()).unwrap());
    let trees = CosignedTrees::open(log(), &known, answer)?;
    let mut cosigned = Cosigned::begin(trees, signed(against).seen())?;
    while let Some(request) = cosigned.trees().ask() {
        cosigned.trees().take(&against.answer(request))?;
    }
    Ok(cosigned.finish()?.iter().map(|one| (one.time, one.size)).collect())
}

#[test]
fn what_was_cosigned_is_the_beginning_of_what_was_followed() {
    let server = grown(700, 0);
    let (old, new) = (grown(300, 0), &server);
    assert_eq!(hold(&server, &answer(&[])), Ok(vec![]));
    assert_eq!(
        hold(&server, &answer(&[cosigned(&old, 2, 70), cosigned(new, 4, 80)])),
        Ok(vec![(70, 301), (80, 701)])
    );
    // The newest of each, and nobody whom the root does not name.
    assert_eq!(
        hold(
            &server,
            &answer(&[cosigned(&old, 2, 70), cosigned(new, 2, 80), cosigned(new, 9, 90)])
        ),
        Ok(vec![(80, 701)])
    );
}

#[test]
fn attack_44_45_what_does_not_go_with_what_was_cosigned_is_refused() {
    let honest = grown(300, 0);
    // Cosigned was a longer log than is shown now.
    let kept_back = hold(&grown(200, 0), &answer(&[cosigned(&honest, 2, 70)]));
    assert_eq!(kept_back, Err(Check::LogConsistency.into()));
    // Another one.
    for forked in [grown(300, 9), grown(200, 9)] {
        let Err(Fault::Contradiction(found)) = hold(&honest, &answer(&[cosigned(&forked, 2, 70)])) else {
            panic!("not convicted");
        };
        found.verify(AGENCY, &log().key).unwrap();
    }
    // Words in a witness's mouth.
    let (one, mut said) = cosigned(&honest, 2, 70);
    said.time = 71;
    assert_eq!(hold(&honest, &answer(&[(one, said)])), Err(Check::Cosignature.into()));
    crate::forge::guard::without(Check::LogConsistency, || {
        hold(&honest, &answer(&[cosigned(&grown(300, 9), 2, 70)])).unwrap();
    });
}
