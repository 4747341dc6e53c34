//! What goes out, looked at by a server that keeps all of it.

use casevault_e2e::evil::judge;
use casevault_e2e::evil::message::Message;
use casevault_e2e::evil::stage::Begins;
use casevault_e2e::evil::stage::Command;
use casevault_e2e::evil::stage::Stage;
use casevault_e2e::leak::files;
use casevault_e2e::server::Server;

#[test]
fn attack_24_nothing_that_goes_out_shows_a_word_or_opens_to_the_server() {
    let stage = Stage::set(Begins::Alone);
    stage.run(Command::Add).done();
    stage.assert_all_is_well();
    let all = stage.evil.tape().since(0);
    let appends = all.iter().filter(|exchange| exchange.message == Message::Append);
    assert!(appends.count() >= 2, "the first link goes alone, the others after it");
    judge::assert_nothing_leaked(&all, &stage.secrets());
}

#[test]
fn attack_34_nothing_that_a_passphrase_opens_goes_out() {
    const WINDOW: usize = 16;
    let stage = Stage::set(Begins::Alone);
    stage.run(Command::Add).done();
    let sent: Vec<Vec<u8>> = stage
        .evil
        .tape()
        .since(0)
        .into_iter()
        .map(|exchange| exchange.body)
        .collect();
    let keystore = files(&stage.vault.home)
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name == "keystore"))
        .expect("the keystore's file");
    let bytes = std::fs::read(keystore).unwrap();
    // What is before this is format, ids and parameters.
    let sealed = &bytes[bytes.len() / 2..];
    let windows: Vec<&[u8]> = sealed.chunks_exact(WINDOW).collect();
    assert!(windows.len() > 10);
    let finder = aho_corasick::AhoCorasick::new(&windows).unwrap();
    assert!(finder.is_match(&bytes));
    assert!(!sent.iter().any(|body| finder.is_match(body)));
}

#[test]
fn attack_40_a_session_and_an_append_sent_again_give_and_change_nothing() {
    let stage = Stage::set(Begins::Written);
    stage.run(Command::Sync).done();
    let size = stage.assert_all_is_well();
    let all = stage.evil.tape().since(0);
    let again = |message: Message| {
        let exchange = all.iter().rev().find(|exchange| exchange.message == message).unwrap();
        casevault_e2e::evil::means::Asked {
            method: exchange.method.clone(),
            path: exchange.path.clone(),
            authorization: exchange.authorization.clone(),
            body: exchange.body.clone(),
        }
    };
    // A challenge is good for one session.
    assert_eq!(stage.evil.means().forward(&again(Message::Session)).status, 401);
    // What was appended is there already, and nothing comes of it.
    assert_eq!(stage.evil.means().forward(&again(Message::Append)).status, 200);
    assert_eq!(stage.evil.means().honest().len() as u64, size);
    // Without the session, or at another server, it is refused.
    let mut naked = again(Message::Append);
    naked.authorization = None;
    assert_eq!(stage.evil.means().forward(&naked).status, 401);
    let other = Server::start(&stage.vault.around.join("other"));
    let elsewhere = casevault_e2e::evil::server::Evil::start(&other.url, other.data.clone());
    for message in [Message::Session, Message::Append] {
        assert_eq!(elsewhere.means().forward(&again(message)).status, 401, "{message}");
    }
}

/// What was asked after two notes were written, by what it is for and how long it is.
fn lengths(notes: [(&str, &str); 2]) -> Vec<(Message, usize, usize)> {
    let stage = Stage::set(Begins::Joined);
    let case = stage.vault.json(&["case", "list"])["cases"][0]["case"]
        .as_str()
        .unwrap()
        .to_owned();
    let add = |kind: &str, text: &str| {
        let add = ["note", "add", &case, "--kind", kind, "--file", "-", "--json"];
        stage.vault.feed(&add, format!("obs: {text}\n").as_bytes()).done();
    };
    // What begins a segment of the access log is an age file, whose header is longer by a random stanza.
    add("phone", "First.");
    stage.run(Command::Sync).done();
    let began = stage.evil.tape().len();
    for (kind, text) in notes {
        add(kind, text);
    }
    stage.run(Command::Sync).done();
    let asked = stage.evil.tape().since(began);
    asked
        .iter()
        .map(|exchange| (exchange.message, exchange.path.len(), exchange.body.len()))
        .collect()
}

/// Which form it was, what was said, and that the same was said twice, are in no length: nothing is compressed, nothing
/// stored once for two, and lengths go in steps.
#[test]
fn attack_25_notes_of_one_length_go_out_in_requests_of_one_length() {
    let twice = lengths([("phone", "She rang; all is well."), ("phone", "She rang; all is well.")]);
    let apart = lengths([("court", "Found on the landing.."), ("phone", "He hit her in May, and")]);
    assert_eq!(twice, apart);
    let longer = "He came. ".repeat(60);
    let longer = lengths([("phone", "She rang; all is well."), ("phone", &longer)]);
    assert_ne!(twice, longer, "no length was looked at");
}

/// Files that a passphrase alone opens say what they are: keystores, backups, and what `age` seals to a passphrase.
#[test]
fn attack_34_no_file_of_a_server_holds_what_a_passphrase_alone_opens() {
    let stage = Stage::set(Begins::Joined);
    let backup = stage.vault.around.join("vault.cvbackup");
    let create = ["backup", "create", "--out", backup.to_str().unwrap()];
    stage.vault.run(&create).done();
    let keystore = std::fs::read(stage.vault.home.join("keystore")).unwrap();
    let backup = std::fs::read(backup).unwrap();
    // The salt of the one (docs/format.md section 10), the magic of the other, and how an age file under a passphrase begins.
    let begins = [
        &keystore[79..111],
        &backup[..8],
        b"age-encryption.org/v1\n-> scrypt".as_slice(),
    ];
    let finder = aho_corasick::AhoCorasick::new(begins).unwrap();
    assert!(finder.is_match(&keystore) && finder.is_match(&backup));
    stage.run(Command::Sync).done();
    let server = files(&stage.vault.around.join("server"));
    assert!(!server.is_empty());
    for path in server {
        let bytes = std::fs::read(&path).unwrap();
        let found = finder.find(&bytes).map(|found| found.pattern());
        assert_eq!(found, None, "{}", path.display());
    }
}

/// What goes out after a command that only reads: the bytes of each append.
fn goes_out_after(stage: &Stage, read: &[&str]) -> Vec<usize> {
    let began = stage.evil.tape().len();
    stage.vault.run(read).done();
    stage.run(Command::Sync).done();
    let asked = stage.evil.tape().since(began);
    let appends = asked.iter().filter(|exchange| exchange.message == Message::Append);
    appends.map(|exchange| exchange.body.len()).collect()
}

/// That something was read goes out with the next `sync`, as one entry of one size: not what it was, how long it is, or
/// how. How many entries there were, and when they are sent, is what is left (docs/threat-model.md).
#[test]
fn attack_26_what_was_read_and_how_is_in_no_length_of_what_goes_out() {
    let stage = Stage::set(Begins::Joined);
    let cases = stage.vault.json(&["case", "list"]);
    let case = cases["cases"][0]["case"].as_str().unwrap().to_owned();
    let add = |text: &str| stage.vault.add_note(&case, text);
    let (short, long) = (
        add("obs: Rang.\n"),
        add(&format!("obs: {}\n", "He came. ".repeat(2_000))),
    );
    stage.run(Command::Sync).done();
    let of_a_case: [&[&str]; 5] = [
        &["note", "show", &short],
        &["note", "show", &long],
        &["note", "history", &long],
        &["note", "list", &case],
        &["case", "show", &case],
    ];
    let of_none: [&[&str]; 2] = [&["today"], &["plan", "list"]];
    let out =
        |reads: &[&[&str]]| -> Vec<Vec<usize>> { reads.iter().map(|read| goes_out_after(&stage, read)).collect() };
    let (of_a_case, of_none) = (out(&of_a_case), out(&of_none));
    assert!(of_a_case.iter().all(|sent| *sent == of_a_case[0]), "{of_a_case:?}");
    assert!(of_none.iter().all(|sent| *sent == of_none[0]), "{of_none:?}");
    // The subject of a read is in the leak budget: a stream, that is to say its presence, kind and id.
    assert_eq!((of_a_case[0].len(), of_none[0].len()), (1, 1));
    assert_eq!(of_a_case[0][0] - of_none[0][0], 1 + 16);
    // What was listed a moment ago is listed again without another entry.
    assert!(goes_out_after(&stage, &["plan", "list"]).is_empty());
}
