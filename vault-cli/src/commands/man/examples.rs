//! The examples of the manual's pages: what one wants to do, and the command line that does it. Each is parsed by a test.

/// Examples of a command by the name of its page, each as what it does and what to type.
pub(super) fn of(page: &str) -> &'static [(&'static str, &'static str)] {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == page)
        .map_or(&[], |(_, examples)| examples)
}

type Example = (&'static str, &'static str);

const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "casevault",
        &[
            (
                "See all of it on a sample caseload, in a throw-away folder:",
                "casevault demo",
            ),
            (
                "Make a vault, once:",
                "casevault init --agency 'Harbour Family Support' --name 'Robin Ash'",
            ),
            ("Type the passphrase once for the morning:", "casevault unlock --for 4h"),
        ],
    ),
    (
        "casevault-backup",
        &[(
            "A sealed copy of everything:",
            "casevault backup create --out monday.backup",
        )],
    ),
    (
        "casevault-backup-create",
        &[(
            "A sealed copy of everything:",
            "casevault backup create --out monday.backup",
        )],
    ),
    (
        "casevault-backup-ledger",
        &[(
            "What a restore has to erase again:",
            "casevault backup ledger --out vault.ledger",
        )],
    ),
    (
        "casevault-backup-restore",
        &[(
            "Into an empty folder:",
            "casevault backup restore monday.backup --home restored",
        )],
    ),
    (
        "casevault-call",
        &[
            ("Ask whose call it is, and type:", "casevault call"),
            ("Of a case that is known:", "casevault call c-7fk2"),
        ],
    ),
    ("casevault-case", &[("One's own caseload:", "casevault case list")]),
    (
        "casevault-case-amend",
        &[
            (
                "Correct a name:",
                "echo '{\"name\": \"Elin Farrow\"}' | casevault case amend c-7fk2 --file -",
            ),
            ("Be asked for the most needed fields:", "casevault case amend c-7fk2"),
        ],
    ),
    (
        "casevault-case-close",
        &[(
            "With its outcome:",
            "casevault case close c-7fk2 --on yesterday --reason goals-met --file outcome.txt",
        )],
    ),
    (
        "casevault-case-history",
        &[("What was known of a client, and when:", "casevault case history c-7fk2")],
    ),
    (
        "casevault-case-list",
        &[("Names and handles of open cases:", "casevault case list --status open")],
    ),
    (
        "casevault-case-open",
        &[(
            "From a profile:",
            "casevault case open --template adult-social-care --file profile.json",
        )],
    ),
    (
        "casevault-case-people",
        &[("Whom the notes of a case name:", "casevault case people c-7fk2")],
    ),
    (
        "casevault-case-reopen",
        &[(
            "With the reason out of a file:",
            "casevault case reopen c-7fk2 --file reason.txt",
        )],
    ),
    (
        "casevault-case-show",
        &[("What is known, on one page:", "casevault case show c-7fk2")],
    ),
    (
        "casevault-case-stale",
        &[(
            "Cases without contact for four weeks:",
            "casevault case stale --days 28",
        )],
    ),
    (
        "casevault-case-verify",
        &[("Is it as it was written?", "casevault case verify c-7fk2")],
    ),
    (
        "casevault-chronology",
        &[("What was significant:", "casevault chronology show c-7fk2")],
    ),
    (
        "casevault-chronology-show",
        &[("Since Easter:", "casevault chronology show c-7fk2 --since 2026-04-05")],
    ),
    (
        "casevault-completions",
        &[
            (
                "For bash:",
                "casevault completions bash > ~/.local/share/bash-completion/completions/casevault",
            ),
            (
                "For fish:",
                "casevault completions fish > ~/.config/fish/completions/casevault.fish",
            ),
        ],
    ),
    (
        "casevault-decision",
        &[("Decisions and their reasons:", "casevault decision list c-7fk2")],
    ),
    (
        "casevault-decision-list",
        &[(
            "Those whose reason is missing:",
            "casevault decision list c-7fk2 --incomplete",
        )],
    ),
    (
        "casevault-demo",
        &[
            ("And look around afterwards:", "casevault demo --keep"),
            (
                "Two members, a server, and a lie that is caught:",
                "casevault demo --agency",
            ),
        ],
    ),
    (
        "casevault-device",
        &[("Another machine of yours:", "casevault device add --out sheet.txt")],
    ),
    (
        "casevault-device-add",
        &[("A sheet for it:", "casevault device add --out sheet.txt")],
    ),
    (
        "casevault-device-approve",
        &[(
            "With the code that it shows:",
            "casevault device approve d-7fk2 --code 4h0k-9w2e",
        )],
    ),
    (
        "casevault-device-join",
        &[("On the new machine:", "casevault device join --sheet sheet.txt")],
    ),
    (
        "casevault-device-list",
        &[("Everybody's:", "casevault device list --all")],
    ),
    (
        "casevault-device-lost",
        &[("The laptop was left on a train:", "casevault device lost d-7fk2")],
    ),
    (
        "casevault-device-retire",
        &[(
            "An old machine, once it has sent everything:",
            "casevault device retire d-7fk2",
        )],
    ),
    (
        "casevault-export",
        &[
            (
                "One page to read or print:",
                "casevault export c-7fk2 --format html --out case.html",
            ),
            (
                "Every line that an import takes:",
                "casevault export --format jsonl > caseload.jsonl",
            ),
        ],
    ),
    (
        "casevault-import",
        &[
            ("A whole caseload:", "casevault import caseload.jsonl"),
            (
                "All lines that can be taken:",
                "casevault import caseload.jsonl --keep-going",
            ),
        ],
    ),
    (
        "casevault-init",
        &[(
            "Once:",
            "casevault init --agency 'Harbour Family Support' --name 'Robin Ash'",
        )],
    ),
    ("casevault-lock", &[("Before leaving the desk:", "casevault lock")]),
    ("casevault-log", &[("Who read what:", "casevault log list")]),
    (
        "casevault-log-list",
        &[(
            "About one case, since Monday:",
            "casevault log list --case c-7fk2 --since 2026-03-09",
        )],
    ),
    ("casevault-log-show", &[("One entry whole:", "casevault log show 7")]),
    (
        "casevault-log-verify",
        &[
            ("Is the log as it was written?", "casevault log verify"),
            ("Without asking the server:", "casevault log verify --offline"),
        ],
    ),
    (
        "casevault-log-witness",
        &[(
            "A witness of the server's log:",
            "casevault log witness init --state witness --name dpo.example",
        )],
    ),
    (
        "casevault-log-witness-init",
        &[(
            "A key of its own, and the line for the root:",
            "casevault log witness init --state witness --name dpo.example",
        )],
    ),
    (
        "casevault-log-witness-run",
        &[
            (
                "The first time:",
                "casevault log witness run --state witness --server https://vault.example --log agency.key --first --once",
            ),
            (
                "Once, from a timer:",
                "casevault log witness run --state witness --server https://vault.example --log agency.key --once",
            ),
        ],
    ),
    (
        "casevault-man",
        &[("Where man finds them:", "casevault man ~/.local/share/man/man1")],
    ),
    ("casevault-agency", &[("What the root says:", "casevault agency show")]),
    (
        "casevault-agency-endorse",
        &[(
            "What another administrator sent:",
            "casevault agency endorse root.proposal",
        )],
    ),
    (
        "casevault-agency-propose",
        &[
            (
                "A witness of the log:",
                "casevault agency propose --witness witness.key --out root.proposal",
            ),
            (
                "From now on two administrators sign a root:",
                "casevault agency propose --signatures 2",
            ),
        ],
    ),
    (
        "casevault-agency-show",
        &[("Who administers, and who witnesses:", "casevault agency show")],
    ),
    ("casevault-member", &[("Who is there:", "casevault member list")]),
    (
        "casevault-member-approve",
        &[(
            "With the code that the other machine shows:",
            "casevault member approve m-7fk2 --code 4h0k-9w2e",
        )],
    ),
    (
        "casevault-member-invite",
        &[(
            "A colleague:",
            "casevault member invite --name 'Bo Worker' --role caseworker --out sheet.txt",
        )],
    ),
    (
        "casevault-member-join",
        &[("On the colleague's machine:", "casevault member join --sheet sheet.txt")],
    ),
    (
        "casevault-member-list",
        &[("With their roles:", "casevault member list")],
    ),
    (
        "casevault-member-reset",
        &[(
            "Somebody lost their laptop and has no other:",
            "casevault member reset m-7fk2 --out sheet.txt",
        )],
    ),
    (
        "casevault-member-retire",
        &[("Somebody has left:", "casevault member retire m-7fk2")],
    ),
    (
        "casevault-member-role",
        &[(
            "All roles from now on:",
            "casevault member role m-7fk2 --role caseworker --role supervisor",
        )],
    ),
    (
        "casevault-note",
        &[(
            "A visit:",
            "casevault note add c-7fk2 --kind home-visit --at 'friday 10:00' --for 50m --file visit.txt",
        )],
    ),
    (
        "casevault-note-add",
        &[
            (
                "A visit, from a file:",
                "casevault note add c-7fk2 --kind home-visit --at 'friday 10:00' --for 50m --file visit.txt",
            ),
            ("In an editor:", "casevault note add c-7fk2 --kind phone"),
            (
                "One visit, three siblings:",
                "casevault note add c-7fk2 --also c-9c4e,c-0kf3 --file visit.txt",
            ),
        ],
    ),
    (
        "casevault-note-amend",
        &[
            (
                "The whole note as it should read:",
                "casevault note amend n-19qd --file visit.txt",
            ),
            (
                "Only if nobody has amended it since its second version:",
                "casevault note amend n-19qd --of 2 --file visit.txt",
            ),
        ],
    ),
    (
        "casevault-note-aside",
        &[
            ("What `sync` set aside:", "casevault note aside"),
            (
                "Write one again, as a new note:",
                "casevault note aside --restore 864ee8d7",
            ),
            (
                "Drop one, and say why:",
                "casevault note aside --discard 864ee8d7 --file reason.txt",
            ),
        ],
    ),
    (
        "casevault-note-attach",
        &[
            ("A letter:", "casevault note attach n-19qd letter.pdf"),
            (
                "A photograph, without what it says of place and camera:",
                "casevault note attach n-19qd --get 1 --out photo.jpg",
            ),
        ],
    ),
    (
        "casevault-note-draft",
        &[("What is begun and not saved:", "casevault note draft")],
    ),
    (
        "casevault-note-expand",
        &[("A jot becomes a note:", "casevault note expand j-3c9w --kind phone")],
    ),
    (
        "casevault-note-find",
        &[(
            "The term is typed, or comes by a pipe:",
            "echo heater | casevault note find --file -",
        )],
    ),
    (
        "casevault-note-history",
        &[("Every version:", "casevault note history n-19qd")],
    ),
    (
        "casevault-note-jot",
        &[
            ("A few words now:", "casevault note jot c-7fk2 --at 'half an hour ago'"),
            ("What waits to be made a note:", "casevault note jot --list"),
        ],
    ),
    (
        "casevault-note-list",
        &[(
            "Since last month, with quotes:",
            "casevault note list c-7fk2 --since 2026-02-01 --quotes",
        )],
    ),
    (
        "casevault-note-misfiled",
        &[(
            "Into the right file, with its attachments:",
            "casevault note misfiled n-19qd --to c-9c4e --file reason.txt",
        )],
    ),
    (
        "casevault-note-show",
        &[(
            "Only what was said and decided:",
            "casevault note show n-19qd --only quote,decision",
        )],
    ),
    (
        "casevault-note-withdraw",
        &[("Within ten minutes:", "casevault note withdraw n-19qd3m0x")],
    ),
    (
        "casevault-passphrase",
        &[("Another one:", "casevault passphrase change")],
    ),
    (
        "casevault-passphrase-change",
        &[("Another one:", "casevault passphrase change")],
    ),
    (
        "casevault-plan",
        &[("What is due within a week:", "casevault plan list --due 7d")],
    ),
    (
        "casevault-plan-done",
        &[
            (
                "The step in segment 2 of a note, with what came of it:",
                "casevault plan done n-19qd:2 --on yesterday --file outcome.txt",
            ),
            ("It was not done after all:", "casevault plan done n-19qd:2 --undo"),
        ],
    ),
    (
        "casevault-plan-list",
        &[
            ("What is due within a week:", "casevault plan list --due 7d"),
            (
                "What is late in one case:",
                "casevault plan list --overdue --case c-7fk2",
            ),
        ],
    ),
    (
        "casevault-recovery",
        &[(
            "Three cards, two of which restore:",
            "casevault recovery split --out-dir cards",
        )],
    ),
    (
        "casevault-recovery-check",
        &[(
            "Are they of one set, and enough?",
            "casevault recovery check --cards card-1-of-3.txt,card-2-of-3.txt",
        )],
    ),
    (
        "casevault-recovery-restore",
        &[(
            "Without the passphrase:",
            "casevault recovery restore --cards card-1-of-3.txt,card-2-of-3.txt --backup monday.backup --home restored",
        )],
    ),
    (
        "casevault-recovery-split",
        &[
            (
                "Three cards, two of which restore:",
                "casevault recovery split --out-dir cards --threshold 2 --shares 3",
            ),
            (
                "Too many are lost, and two administrators sign the root:",
                "casevault recovery split --new-key --out-dir cards --out key.proposal",
            ),
        ],
    ),
    ("casevault-status", &[("What needs doing:", "casevault status")]),
    ("casevault-template", &[("Those there are:", "casevault template list")]),
    (
        "casevault-template-check",
        &[("One's own, before it is used:", "casevault template check visit.toml")],
    ),
    (
        "casevault-template-list",
        &[("Those there are:", "casevault template list")],
    ),
    (
        "casevault-template-show",
        &[("Headings, kinds and sections:", "casevault template show home-visit")],
    ),
    ("casevault-unlock", &[("For the morning:", "casevault unlock --for 4h")]),
    (
        "casevault-today",
        &[
            ("What waits today:", "casevault today"),
            ("All of it, for a script:", "casevault today --all --json"),
        ],
    ),
    (
        "casevault-verify",
        &[("Every signature, chain and seal:", "casevault verify")],
    ),
    (
        "casevault-server",
        &[(
            "Name the agency's server:",
            "casevault server add https://vault.example",
        )],
    ),
    (
        "casevault-server-add",
        &[(
            "A server on this machine:",
            "casevault server add http://127.0.0.1:8443",
        )],
    ),
    (
        "casevault-server-remove",
        &[(
            "Go on without a server, and without a question:",
            "casevault server remove --yes",
        )],
    ),
    (
        "casevault-server-show",
        &[("Which server, and what waits for it:", "casevault server show")],
    ),
    (
        "casevault-sync",
        &[
            ("Send what was written, and verify the log:", "casevault sync"),
            ("Go on as long as the vault is open:", "casevault sync --watch"),
        ],
    ),
];
