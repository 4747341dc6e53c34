//! SIGKILL in the middle of appends: what was answered is there, nothing is there twice, and the log continues every
//! checkpoint that anybody was given.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

use vault_core::forge::CaseFile;
use vault_core::id::LinkId;
use vault_core::tlog::proof;
use vault_core::tlog::tree;
use vault_core::wire;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::sync::{AppendReply, Outcome, Parcel};

use crate::http::Connection;
use crate::kit::{Office, Server, link_id};
use crate::log;

const WORKERS: u64 = 4;
const ROUNDS: usize = 6;
const SEED: u64 = 80;

/// What a worker was told.
#[derive(Default)]
pub(crate) struct Told {
    stored: Vec<(u64, LinkId)>,
    checkpoints: Vec<Vec<u8>>,
}

/// Appends notes of one case until the server is gone; what was not answered comes first next time.
pub(crate) struct Worker {
    office: Office,
    waiting: Vec<Parcel>,
    told: Told,
}

impl Worker {
    /// Makes one for an agency that was founded by `seed`.
    pub(crate) fn new(server: &Server, seed: u64, number: u64) -> Self {
        let mut office = Office::register(server, seed, 1);
        office.case = CaseFile::empty(&office.world, 8000 + number);
        let waiting = vec![office.open_case()];
        let told = Told::default();
        Self { office, waiting, told }
    }

    /// Returns once the server is gone.
    pub(crate) fn work(&mut self, address: std::net::SocketAddr, token: &str, batch: usize, told: &mpsc::Sender<()>) {
        // It may be killed at any moment, this one too.
        let Some(mut connection) = Connection::try_to(address) else {
            return;
        };
        loop {
            while self.waiting.len() < batch {
                self.waiting.push(self.office.note(0));
            }
            let body = self.office.request(self.waiting.clone());
            let headers = [("Authorization", token)];
            if connection.try_send("POST", "/v1/append", &headers, &body).is_none() {
                return;
            }
            let Some(answer) = connection.receive() else { return };
            assert_eq!(answer.status, 200, "{answer:?}");
            let reply: AppendReply = wire::decode(&answer.body, limit::APPEND).unwrap();
            for (parcel, outcome) in self.waiting.drain(..).zip(reply.outcomes) {
                let Outcome::Stored(leaf) = outcome else {
                    panic!("{outcome:?}")
                };
                self.told.stored.push((leaf, link_id(&parcel)));
            }
            self.told.checkpoints.push(reply.checkpoint);
            // The other end is gone once it has seen enough.
            let _ = told.send(());
        }
    }
}

/// Lets workers append, each where and in batches as `each` says by its number, while `kill` has servers killed after so
/// many answers as it waits for.
pub(crate) fn working(
    workers: Vec<Worker>,
    token: &str,
    each: impl Fn(usize) -> (std::net::SocketAddr, usize),
    kill: impl FnOnce(&dyn Fn(usize)),
) -> Vec<Worker> {
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        let running: Vec<_> = workers
            .into_iter()
            .enumerate()
            .map(|(number, mut worker)| {
                let (tell, (address, batch)) = (tell.clone(), each(number));
                scope.spawn(move || {
                    worker.work(address, token, batch, &tell);
                    worker
                })
            })
            .collect();
        drop(tell);
        // A worker that failed is not waited for.
        kill(&|answers| {
            let _ = (0..answers).all(|_| told.recv().is_ok());
        });
        running.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
pub(crate) fn whatever_was_answered_survives_being_killed_and_nothing_is_there_twice() {
    let mut server = Server::start(&["--rate", "0"]);
    let office = Office::found(&server, SEED, 1);
    let token = office.session(&server, 0);
    let mut workers: Vec<_> = (0..WORKERS).map(|number| Worker::new(&server, SEED, number)).collect();
    for round in 0..ROUNDS {
        let address = server.address;
        workers = working(
            workers,
            &token,
            |number| (address, 1 + number * 3),
            |answered| {
                // Whatever is under way then.
                answered(5 + 7 * round);
                server.kill();
            },
        );
        server = server.again(&["--rate", "0"]);
    }
    let answered = verify(&office, &server, &mut workers);
    assert!(answered > 100, "{answered}");
    server.stop();
}

/// Holds the log and the streams to what workers were told; returns how many links that were.
pub(crate) fn verify(office: &Office, server: &Server, workers: &mut [Worker]) -> usize {
    let last = log::checkpoint(office, server);
    let mut tiles = log::tiles(office, server);
    assert_eq!(proof::root(last.size, &mut tiles).unwrap(), last.root);
    let entries = log::entries(office, server, last.size);
    let mut times: HashMap<LinkId, usize> = HashMap::new();
    entries
        .iter()
        .for_each(|entry| *times.entry(entry.link).or_default() += 1);
    assert!(times.values().all(|times| *times == 1));
    let mut answered = 0;
    for worker in workers {
        for (leaf, id) in &worker.told.stored {
            assert_eq!(entries[usize::try_from(*leaf).unwrap()].link, *id);
            answered += 1;
        }
        for note in &worker.told.checkpoints {
            let old = office.checkpoint(note);
            let path = proof::consistency(old.size, last.size, &mut tiles).unwrap();
            tree::require_consistent(old.size, &old.root, last.size, &last.root, &path).unwrap();
        }
        // The stream goes on where it is, from the first that was not answered.
        let mut stored = Vec::new();
        let mut from = 0;
        loop {
            let page = office.page(server, 0, worker.office.case_stream(), from);
            from += page.parcels.len() as u64;
            stored.extend(page.parcels.iter().map(|placed| link_id(&placed.parcel)));
            if page.more == 0 {
                break;
            }
        }
        let told: Vec<_> = worker.told.stored.iter().map(|(_, id)| *id).collect();
        assert!(stored.starts_with(&told));
        assert!(stored.len() - told.len() <= worker.waiting.len());
        if !worker.waiting.is_empty() {
            worker.office.stored(server, worker.waiting.clone());
        }
    }
    answered
}

#[test]
pub(crate) fn what_was_taken_before_a_signal_is_durable_after_it() {
    let mut server = Server::start(&["--rate", "0"]);
    let mut office = Office::with_case(&server, 81, 1);
    let token = office.session(&server, 0);
    let notes: Vec<_> = (0..200).map(|_| office.note(0)).collect();
    let mut connection = server.connect();
    connection.send(
        "POST",
        "/v1/append",
        &[("Authorization", &token)],
        &office.request(notes),
    );
    rustix::process::kill_process(server.pid(), rustix::process::Signal::TERM).unwrap();
    let answer = connection.receive();
    server.wait();
    let server = server.again(&[]);
    let page = office.page(&server, 0, office.case_stream(), 1);
    match answer {
        // In flight when the signal came: answered, and there.
        Some(answer) => {
            assert!(
                office
                    .reply(&answer)
                    .outcomes
                    .iter()
                    .all(|o| matches!(o, Outcome::Stored(_)))
            );
            assert_eq!(page.parcels.len(), 200);
        }
        // Not yet read by then: all of it or nothing.
        None => assert!([0, 200].contains(&page.parcels.len())),
    }
}

#[test]
pub(crate) fn a_transaction_that_the_disk_refuses_leaves_nothing_and_the_next_goes_on() {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

    // A write beyond the limit fails then, instead of ending the process.
    let server = Server::start_ignoring_file_size_signals();
    let mut office = Office::with_case(&server, 82, 1);
    let token = office.session(&server, 0);
    let before = log::checkpoint(&office, &server);
    let honest = office.case.clone();
    let unlimited = getrlimit(Resource::Fsize);
    let none = Rlimit {
        current: Some(0),
        maximum: unlimited.maximum,
    };
    prlimit(Some(server.pid()), Resource::Fsize, none).unwrap();
    let notes = vec![office.note(0), office.note(0)];
    let headers = [("Authorization", token.as_str())];
    for _ in 0..2 {
        let answer = server.ask("POST", "/v1/append", &headers, &office.request(notes.clone()));
        assert_eq!((answer.status, answer.problem().as_str()), (500, "internal"));
        assert_eq!(log::checkpoint(&office, &server), before);
    }
    assert_eq!(office.page(&server, 0, office.case_stream(), 0).parcels.len(), 1);
    prlimit(Some(server.pid()), Resource::Fsize, unlimited).unwrap();
    // Others are as good as those that were not stored.
    office.case = honest;
    let other = office.note(0);
    assert_eq!(office.stored(&server, vec![other]), [before.size]);
    let last = log::checkpoint(&office, &server);
    let mut tiles = log::tiles(&office, &server);
    assert_eq!(proof::root(last.size, &mut tiles).unwrap(), last.root);
    let path = proof::consistency(before.size, last.size, &mut tiles).unwrap();
    tree::require_consistent(before.size, &before.root, last.size, &last.root, &path).unwrap();
    let mut server = server;
    let said = server.stop_saying();
    assert!(
        said.lines()
            .all(|line| line.contains("failed: ") || line.contains(" 500 ")),
        "{said}"
    );
    assert!(said.contains("failed: "), "{said}");
}
