//! Every command that writes, on a vault that has all kinds of things in it.

use super::state::Keys;
use super::state::NEW_PASSPHRASE;
use super::trace::Launch;
use crate::binary;
use crate::vault::PASSPHRASE;
use crate::vault::Vault;
use crate::vault::copy_folder;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use vault_cli::places::Places;
use vault_cli::session::Cancel;
use vault_cli::session::Passphrase;
use vault_cli::session::Session;
use vault_cli::session::Silent;
use vault_cli::session::Task;
use vault_cli::session::request::CardInput;
use vault_cli::session::request::CaseCloseRequest;
use vault_cli::session::request::CaseOpenRequest;
use vault_cli::session::request::DraftKeepRequest;
use vault_cli::session::request::DraftOf;
use vault_cli::session::request::ImportRequest;
use vault_cli::session::request::InitRequest;
use vault_cli::session::request::JotAddRequest;
use vault_cli::session::request::NoteAddRequest;
use vault_cli::session::request::NoteAttachRequest;
use vault_cli::session::request::NoteInput;
use vault_cli::session::request::NoteMisfiledRequest;
use vault_cli::session::request::RecoverySplitRequest;
use vault_core::crypto::passphrase::Cost;
use vault_core::note::NoteKind;

/// Lines that a base imports, and those that a scenario imports after: one that is known, one case, two notes.
const LINES: &str = r#"{"type":"case","case":"old-17","worker":"w-okafor","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Tam Brisk"}}
"#;
const MORE_LINES: &str = r#"{"type":"case","case":"old-17","worker":"w-okafor","opened":"2024-05-02","template":"adult-social-care","profile":{"name":"Tam Brisk"}}
{"type":"note","case":"old-17","note":"old-17-1","author":"w-okafor","kind":"phone","occurred_at":"2024-05-02","segments":[{"kind":"narrative","text":"Rang twice."}]}
{"type":"case","case":"old-18","worker":"w-okafor","opened":"2024-05-03","template":"adult-social-care","profile":{"name":"Ode Farr"}}
{"type":"note","case":"old-18","note":"old-18-1","author":"w-okafor","kind":"phone","occurred_at":"2024-05-03","segments":[{"kind":"narrative","text":"Wrote a letter."},{"kind":"decision","text":"Ask again.","reason":"No answer."}]}
"#;

/// What is there before a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A vault with cases, notes, an attachment, jots, drafts, a misfiled note.
    Full,
    /// No vault, a backup of such a one, and cards for it.
    Backup,
    /// No vault.
    Nothing,
}

/// The handles of a base.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    /// A case.
    pub una: String,
    /// Another.
    pub elin: String,
    /// A note of the first case, with an attachment.
    pub note: String,
    /// A jot.
    pub jot: String,
    /// A draft.
    pub draft: String,
    /// A note whose breach question is open.
    pub misfiled: String,
    /// A note with a step to be done.
    pub plan: String,
    /// A case that was closed.
    pub closed: String,
}

/// A base, or a copy of one.
pub struct Desk {
    /// The vault with the folder around it.
    pub vault: Vault,
    /// Its handles.
    pub handles: Handles,
}

impl Desk {
    /// Makes a base.
    ///
    /// # Panics
    /// Where a session refuses.
    pub fn make(start: Start) -> Self {
        let vault = Vault::unmade();
        let mut handles = Handles::default();
        let around = &vault.around;
        let write = |name: &str, text: &str| std::fs::write(around.join(name), text).expect("writes an input");
        std::fs::create_dir(around.join("out")).expect("makes a folder");
        write("new-passphrase", &format!("{NEW_PASSPHRASE}\n"));
        write("profile.json", r#"{"name":"Ida Rowe","date_of_birth":"1950-01"}"#);
        write("note.txt", "obs: The second note.\n\npriv: Is its own record.\n");
        write("fields.json", r#"{"language":"Welsh"}"#);
        write("words.txt", "opened the wrong case\n");
        write("lines.jsonl", MORE_LINES);
        let letter: Vec<u8> = (0..150_000u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(around.join("letter.bin"), letter).expect("writes an input");
        // An editor that writes a note and ends.
        write(
            "editor.sh",
            "#!/bin/sh\nfor file; do :; done\nprintf 'obs: Typed in an editor.\\n' > \"$file\"\n",
        );
        let editor = around.join("editor.sh");
        std::fs::set_permissions(editor, std::fs::Permissions::from_mode(0o700)).expect("marks the editor");
        if start != Start::Nothing {
            fill(&vault, &mut handles, start);
        }
        let desk = Self { vault, handles };
        if start == Start::Backup {
            std::fs::remove_dir_all(&desk.vault.home).expect("loses the vault");
        }
        desk
    }

    /// Copies all of it to a folder of its own.
    ///
    /// # Panics
    /// Where it cannot be copied.
    pub fn copied(&self) -> Self {
        let vault = Vault::unmade();
        std::fs::remove_file(vault.around.join("passphrase")).expect("comes with the copy");
        for entry in std::fs::read_dir(&self.vault.around).expect("reads the base") {
            let entry = entry.expect("reads the base");
            let (from, to) = (entry.path(), vault.around.join(entry.file_name()));
            if from.is_dir() {
                copy_folder(&from, &to);
            } else {
                std::fs::copy(&from, &to).expect("copies the base");
            }
        }
        Self {
            vault,
            handles: self.handles.clone(),
        }
    }

    /// Returns what opens its copies.
    pub fn keys(&self) -> Keys {
        Keys::of(&self.vault.home)
    }

    /// Where commands write files that are not the vault's.
    pub fn out(&self) -> PathBuf {
        self.vault.around.join("out")
    }

    fn path(&self, name: &str) -> String {
        self.vault.around.join(name).to_string_lossy().into_owned()
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.to_owned())
}

fn input(text: &str) -> NoteInput {
    NoteInput {
        text: text.to_owned(),
        kind: NoteKind::new("phone"),
        ..NoteInput::default()
    }
}

fn add(session: &mut Session, case: &str, text: &str) -> String {
    let request = NoteAddRequest {
        case: case.to_owned(),
        note: input(text),
        ..NoteAddRequest::default()
    };
    session.note_add(request).expect("adds a note").note
}

fn fill(vault: &Vault, handles: &mut Handles, start: Start) {
    let places = Places::find(Some(&vault.home)).expect("a folder");
    let cost = Cost {
        memory_kib: 64 << 10,
        ..Cost::default()
    };
    let founding = InitRequest {
        agency: "Hillside Family Support".to_owned(),
        name: "Ann Worker".to_owned(),
        cost,
    };
    Session::init(&places, founding, &passphrase()).expect("makes a vault");
    let mut session = Session::unlock(&places, &passphrase()).expect("opens it");
    session.unlocked().expect("logs it");
    let cancel = Cancel::default();
    let task = Task {
        progress: &Silent,
        cancel: &cancel,
    };
    let mut open = |name: &str| {
        let request = CaseOpenRequest {
            template: "adult-social-care".to_owned(),
            profile: serde_json::json!({ "name": name }).to_string(),
            opened: None,
        };
        session.case_open(request).expect("opens a case").case
    };
    (handles.una, handles.elin) = (open("Una Kestle"), open("Elin Farrow"));
    handles.closed = open("Tam Brisk");
    let close = CaseCloseRequest {
        case: handles.closed.clone(),
        ..CaseCloseRequest::default()
    };
    session.case_close(close).expect("closes a case");
    handles.plan = add(&mut session, &handles.elin, "plan: Ring the landlord.\n");
    handles.note = add(&mut session, &handles.una, "obs: The first note stays.\n");
    handles.misfiled = add(&mut session, &handles.una, "obs: Of somebody else.\n");
    let attach = NoteAttachRequest {
        note: handles.note.clone(),
        name: "scan.bin".to_owned(),
        length: None,
        as_original: false,
    };
    session
        .note_attach(&mut &vec![7; 70_000][..], attach, task)
        .expect("attaches");
    session
        .import(&mut LINES.as_bytes(), ImportRequest::default(), task)
        .expect("imports");
    let misfiled = NoteMisfiledRequest {
        note: handles.misfiled.clone(),
        to: None,
        reason: "opened the wrong case".to_owned(),
        unless_named: false,
    };
    session.note_misfiled(misfiled, task).expect("misfiles");
    let jot = JotAddRequest {
        case: Some(handles.una.clone()),
        text: "rang, no answer".to_owned(),
        at: None,
    };
    handles.jot = session.jot_add(jot).expect("jots").jot;
    let draft = DraftKeepRequest {
        draft: None,
        of: DraftOf::Add(handles.elin.clone()),
        input: input("obs: Begun.\n"),
        also: Vec::new(),
        only_if_there: false,
    };
    handles.draft = session
        .draft_keep(draft)
        .expect("keeps a draft")
        .draft
        .expect("a draft");
    if start == Start::Backup {
        back_up(&mut session, &vault.around, task);
    }
}

fn back_up(session: &mut Session, around: &Path, task: Task<'_>) {
    let numbers = RecoverySplitRequest {
        threshold: 2,
        shares: 3,
        folder: around.display().to_string(),
    };
    let cards = session.recovery_cards(numbers).expect("makes cards");
    let cards = cards.cards.iter().map(|card| CardInput {
        name: format!("card-{}.txt", card.number),
        words: card.words.clone(),
    });
    let cards: Vec<CardInput> = cards.collect();
    session.recovery_confirm(&cards).expect("proves the cards");
    for card in &cards {
        std::fs::write(around.join(&card.name), card.words.join(" ") + "\n").expect("writes a card");
    }
    let mut backup = Vec::new();
    session.backup(&mut backup, task).expect("makes a backup");
    std::fs::write(around.join("vault.backup"), backup).expect("writes the backup");
}

/// A command that is run under faults.
pub struct Scenario {
    /// What it is called: the command's words, and what is special.
    pub name: &'static str,
    /// The command's words.
    pub command: &'static str,
    /// What is there before.
    pub start: Start,
    /// Whether it runs on a terminal, with an editor.
    pub on_terminal: bool,
    arguments: fn(&Desk) -> Vec<String>,
}

impl Scenario {
    /// Returns the command line on a copy of the base.
    pub fn launch(&self, desk: &Desk) -> Launch {
        let mut words = vec![binary::casevault().to_string_lossy().into_owned()];
        words.extend(self.command.split_whitespace().map(str::to_owned));
        words.extend((self.arguments)(desk));
        words.push("--json".to_owned());
        let set = [
            ("CASEVAULT_HOME", desk.vault.home.to_string_lossy().into_owned()),
            ("CASEVAULT_PASSPHRASE_FILE", desk.path("passphrase")),
            ("XDG_RUNTIME_DIR", String::new()),
        ];
        let editor = ("EDITOR", desk.path("editor.sh"));
        let set = set.into_iter().chain(self.on_terminal.then_some(editor));
        Launch {
            words,
            input: Vec::new(),
            set: set.map(|(name, value)| (name.to_owned(), value)).collect(),
            on_terminal: self.on_terminal,
        }
    }
}

macro_rules! scenario {
    ($command:literal $(, $special:literal)?; $start:ident; |$desk:ident| $($word:expr),*) => {
        Scenario {
            name: concat!($command $(, ", ", $special)?),
            command: $command,
            start: Start::$start,
            on_terminal: false,
            arguments: |$desk| {
                let _ = &$desk;
                vec![$($word.to_string()),*]
            },
        }
    };
}

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = vec![
        scenario!("init"; Nothing; |d| "--agency", "A", "--name", "B", "--kdf-memory", "64MiB"),
        scenario!("unlock"; Full; |d| "--no-agent"),
        scenario!("passphrase change"; Full; |d| "--new-passphrase-file", d.path("new-passphrase")),
        scenario!("import"; Full; |d| d.path("lines.jsonl")),
        scenario!("export"; Full; |d| d.handles.una, "--format", "jsonl", "--out", d.path("out/una.jsonl"), "--force"),
        scenario!("case open"; Full; |d| "--template", "adult-social-care", "--file", d.path("profile.json")),
        scenario!("case close"; Full; |d| d.handles.elin, "--yes", "--file", d.path("words.txt")),
        scenario!("case amend"; Full; |d| d.handles.una, "--file", d.path("fields.json")),
        scenario!("case reopen"; Full; |d| d.handles.closed, "--file", d.path("words.txt")),
        scenario!("case list"; Full; |d|),
        scenario!("plan done"; Full; |d| d.handles.plan),
        scenario!("call"; Full; |d| d.handles.una, "--file", d.path("note.txt")),
        scenario!("note add"; Full; |d| d.handles.una, "--kind", "phone", "--file", d.path("note.txt")),
        scenario!("note add", "in two files"; Full; |d|
            d.handles.una, "--also", d.handles.elin, "--kind", "phone", "--file", d.path("note.txt")),
        scenario!("note jot"; Full; |d| d.handles.una, "--file", d.path("words.txt")),
        scenario!("note jot", "discarded"; Full; |d| "--discard", d.handles.jot),
        scenario!("note expand"; Full; |d| d.handles.jot, "--kind", "phone", "--file", d.path("note.txt")),
        scenario!("note draft", "discarded"; Full; |d| "--discard", d.handles.draft, "--yes"),
        scenario!("note amend"; Full; |d| d.handles.note, "--file", d.path("note.txt")),
        scenario!("note withdraw"; Full; |d| d.handles.note),
        scenario!("note misfiled"; Full; |d| d.handles.note, "--to", d.handles.elin, "--file", d.path("words.txt")),
        scenario!("note misfiled", "answered"; Full; |d|
            d.handles.misfiled, "--answer", "--file", d.path("words.txt")),
        scenario!("note attach"; Full; |d| d.handles.note, d.path("letter.bin")),
        scenario!("note attach", "given out"; Full; |d| d.handles.note, "--get", "1", "--out", d.path("out/scan.bin")),
        scenario!("note attach", "taken off"; Full; |d| d.handles.note, "--remove", "1", "--file", d.path("words.txt")),
        scenario!("note show"; Full; |d| d.handles.note),
        scenario!("note find"; Full; |d| "--file", d.path("words.txt")),
        scenario!("backup create"; Full; |d| "--out", d.path("out/vault.backup"), "--force"),
        scenario!("backup ledger"; Full; |d| "--out", d.path("out/vault.ledger"), "--force"),
        scenario!("backup restore"; Backup; |d| d.path("vault.backup")),
        scenario!("recovery split"; Full; |d| "--out-dir", d.path("out/cards"), "--yes"),
        scenario!("recovery restore"; Backup; |d|
            "--backup", d.path("vault.backup"), "--cards", [d.path("card-1.txt"), d.path("card-3.txt")].join(",")),
    ];
    all.push(Scenario {
        on_terminal: true,
        ..scenario!("note add", "in an editor"; Full; |d| d.handles.una, "--kind", "phone")
    });
    all
}

/// Commands that have no scenario of their own, and why.
pub const WITHOUT: [(&str, &str); 47] = [
    ("case history", "writes its entry alone, as `note show` does"),
    ("case people", "writes its entry alone, as `note show` does"),
    ("case show", "writes its entry alone, as `note show` does"),
    ("case stale", "writes its entry alone, as `case list` does"),
    ("case verify", "writes its entry alone, as `note show` does"),
    ("chronology show", "writes its entry alone, as `note show` does"),
    ("completions", "writes nothing"),
    ("decision list", "writes its entry alone, as `note show` does"),
    ("demo", "works in a throw-away folder, with the actions that are here"),
    ("device add", "needs a server: its transaction is as that of `note jot`"),
    (
        "device approve",
        "needs a server: its transaction is that of `server add`",
    ),
    (
        "device join",
        "needs a server: what a run that is cut off leaves is in `tests/tests/members.rs`",
    ),
    ("device list", "writes nothing"),
    ("agency endorse", "is one transaction, as `server add` is"),
    ("agency propose", "is one transaction, as `server add` is"),
    ("agency show", "writes nothing"),
    ("device lost", "is one transaction, as `server add` is"),
    ("device retire", "is one transaction, as `server add` is"),
    (
        "member approve",
        "needs a server: its transaction is that of `server add`",
    ),
    (
        "member invite",
        "needs a server: its transaction is as that of `note jot`",
    ),
    (
        "member join",
        "needs a server: what a run that is cut off leaves is in `tests/tests/members.rs`",
    ),
    ("member list", "writes nothing"),
    (
        "member reset",
        "needs a server: its transaction is as that of `note jot`",
    ),
    ("member retire", "is one transaction, as `server add` is"),
    ("member role", "is one transaction, as `server add` is"),
    ("lock", "takes the agent's socket away: see the agent's own faults"),
    ("log list", "writes its entry alone, as `note show` does"),
    ("log show", "writes its entry alone, as `note show` does"),
    ("log verify", "writes its entry alone, as `note show` does"),
    ("log witness init", "has no vault: one file, replaced as a keystore is"),
    (
        "log witness run",
        "has no vault and needs a server: it is killed and raced in `tests/tests/witness.rs`",
    ),
    ("man", "writes pages, which hold nothing of a vault"),
    (
        "note aside",
        "needs what a server left: its transactions are those of `note expand` and `note jot`",
    ),
    ("note history", "writes its entry alone, as `note show` does"),
    ("note list", "writes its entry alone, as `note show` does"),
    ("plan list", "writes its entry alone, as `case list` does"),
    (
        "server add",
        "needs a server: its faults are injected in `tests/tests/sync/main.rs`",
    ),
    (
        "server remove",
        "needs a server: it is one transaction, as of `note jot`",
    ),
    ("server show", "writes nothing"),
    (
        "sync",
        "needs a server: its faults are injected in `tests/tests/sync/main.rs`",
    ),
    ("recovery check", "writes nothing"),
    ("status", "writes nothing"),
    ("template check", "writes nothing"),
    ("template list", "writes nothing"),
    ("template show", "writes nothing"),
    ("today", "writes its entry alone, as `case list` does"),
    ("verify", "writes its entry alone, as `note show` does"),
];
