//! Writing on a real terminal, with real editors: nothing in the clear touches a disk, and nothing typed is lost.

use casevault_e2e::binary;
use casevault_e2e::leak::Words;
use casevault_e2e::leak::files;
use casevault_e2e::terminal::{Terminal, children, kill_9, places, until, which};
use casevault_e2e::vault::Vault;
use std::path::Path;
use std::path::PathBuf;

const ESCAPE: &str = "\u{1b}";
const CONTROL_D: &str = "\u{4}";

/// A worker's desk: a vault with a case, and a home folder whose editors are set to keep all they can.
struct Desk {
    vault: Vault,
    case: String,
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let vault = Vault::made();
        let case = vault.open_case("Elin Farrow");
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        for name in ["backup", "undo", "swap", "temporary"] {
            std::fs::create_dir(home.join(name)).unwrap();
        }
        let keep_all = format!(
            "set backup writebackup backupdir={0}/backup undofile undodir={0}/undo swapfile updatecount=1 \
             directory={0}/swap viminfo='100,n{0}/viminfo\n",
            home.display()
        );
        std::fs::write(home.join(".vimrc"), keep_all).unwrap();
        let keep_all = format!(
            "set backup\nset backupdir \"{}/backup\"\nset historylog\n",
            home.display()
        );
        std::fs::write(home.join(".nanorc"), keep_all).unwrap();
        let keep_all = format!(
            "(setq make-backup-files t backup-directory-alist '((\".*\" . \"{0}/backup\")) \
             auto-save-file-name-transforms '((\".*\" \"{0}/swap/\" t)) version-control t)\n",
            home.display()
        );
        std::fs::write(home.join(".emacs"), keep_all).unwrap();
        std::fs::create_dir_all(home.join(".config/micro")).unwrap();
        let keep_all = format!(
            r#"{{"backup":true,"permbackup":true,"savecursor":true,"saveundo":true,"savehistory":true,"backupdir":"{0}/backup"}}"#,
            home.display()
        );
        std::fs::write(home.join(".config/micro/settings.json"), keep_all).unwrap();
        Self { vault, case, folder }
    }

    /// Runs casevault on a terminal, with an editor.
    fn start(&self, editor: Option<&str>, arguments: &str) -> Option<Terminal> {
        self.start_line(editor, &format!("{} {arguments}", binary::casevault().display()))
    }

    /// Writes a phone note with one more variable in casevault's environment.
    fn start_with(&self, variable: &str, editor: &str) -> Option<Terminal> {
        let casevault = binary::casevault();
        let line = format!(
            "env {variable} {} note add {} --kind phone",
            casevault.display(),
            self.case
        );
        self.start_line(Some(editor), &line)
    }

    fn start_line(&self, editor: Option<&str>, line: &str) -> Option<Terminal> {
        Terminal::start(line, |command| {
            command
                .env("CASEVAULT_HOME", &self.vault.home)
                .env("CASEVAULT_PASSPHRASE_FILE", self.vault.around.join("passphrase"))
                .env("HOME", self.folder.path())
                .env("TMPDIR", self.folder.path().join("temporary"))
                .env_remove("XDG_RUNTIME_DIR")
                .env_remove("VISUAL")
                .env_remove("EDITOR")
                // As outside of VS Code, wherever the tests are run.
                .env_remove("VSCODE_IPC_HOOK_CLI")
                .env_remove("VSCODE_CLIENT_COMMAND")
                .env_remove("VSCODE_PORTABLE")
                .env_remove("VSCODE_APPDATA")
                .current_dir(self.folder.path());
            if let Some(editor) = editor {
                command.env("EDITOR", editor);
            }
        })
    }

    fn place(&self) -> PathBuf {
        until("a place in memory", || !places(&self.vault.home).is_empty());
        places(&self.vault.home).remove(0)
    }

    /// The editor that casevault, on this terminal, started.
    fn editor(&self, terminal: &Terminal) -> u32 {
        let casevault = terminal.process();
        until("an editor", || !children(casevault).is_empty());
        children(casevault)[0]
    }

    fn assert_no_words(&self, words: &Words) {
        for folder in [self.folder.path(), &self.vault.home] {
            let found = words.in_folder(folder);
            assert!(found.is_empty(), "{found:?}");
        }
        // A copy of the blank note would be a copy of the next one too.
        for name in ["backup", "undo", "swap", "temporary"] {
            assert_eq!(files(&self.folder.path().join(name)), Vec::<PathBuf>::new());
        }
    }

    fn drafts(&self) -> serde_json::Value {
        self.vault.json(&["note", "draft"])["drafts"].clone()
    }

    /// The first note of the case, as it is shown.
    fn shown(&self) -> String {
        let list = self.vault.json(&["note", "list", &self.case]);
        let note = list["notes"][0]["note"].as_str().expect("a note").to_owned();
        self.vault.run(&["note", "show", &note]).done().stdout
    }

    fn assert_wiped(&self) {
        assert_eq!(places(&self.vault.home), Vec::<PathBuf>::new());
    }
}

const SAID: &str = "The parrot recites tax law.";

fn words() -> Words {
    Words::new([SAID, "parrot recites", "tax law"])
}

/// Writes a note in an editor that is told what to type, and looks at every file while it is open and after.
fn written_in(
    program: &str,
    editor: &str,
    ready: &str,
    type_it: &dyn Fn(&mut Terminal),
    leave: &dyn Fn(&mut Terminal),
) {
    if which(program).is_none() {
        return;
    }
    let desk = Desk::new();
    let Some(mut terminal) = desk.start(Some(editor), &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    let place = desk.place();
    terminal.wait_for(ready);
    type_it(&mut terminal);
    desk.assert_no_words(&words());
    leave(&mut terminal);
    terminal.wait_for("saved n-");
    assert_eq!(terminal.end().0, 0);
    desk.assert_no_words(&words());
    assert!(!place.exists());
    desk.assert_wiped();
    assert!(desk.shown().contains(SAID), "{}", desk.shown());
    assert_eq!(desk.drafts(), serde_json::json!([]));
    desk.vault.verified();
}

#[test]
fn attack_24_a_note_written_in_vim_touches_no_disk() {
    let type_it = |t: &mut Terminal| {
        t.keys(&format!("Goobs: {SAID}{ESCAPE}:w\r")).wait_for("written");
        t.keys("Aand more");
    };
    written_in("vim", "vim", "phone 1", &type_it, &|t| {
        t.keys(&format!("{ESCAPE}u:wq\r"));
    });
}

#[test]
fn attack_24_a_note_written_in_nano_touches_no_disk() {
    let type_it = |t: &mut Terminal| {
        // To the last line, type, write out under the same name.
        t.keys("\u{1b}/").keys(&format!("\robs: {SAID}")).wait_for("law.");
        t.keys("\u{f}").wait_for("Write").keys("\r").wait_for("Wrote");
        // Written again: a backup would now be of a file that holds the words.
        t.keys(" Twice.\u{f}").wait_for("Write").keys("\r").wait_for("Wrote");
    };
    written_in("nano", "nano", "GNU nano", &type_it, &|t| {
        t.keys("\u{18}");
    });
}

#[test]
fn attack_24_a_note_written_in_emacs_touches_no_disk() {
    let type_it = |t: &mut Terminal| {
        t.keys("\u{1b}>").keys(&format!("\robs: {SAID}")).wait_for("law.");
        t.keys("\u{18}\u{13}").wait_for("Wrote");
    };
    written_in("emacs", "emacs -nw", "note.md", &type_it, &|t| {
        t.keys("\u{18}\u{3}");
    });
}

#[test]
fn attack_24_a_note_written_in_micro_touches_no_disk() {
    let type_it = |t: &mut Terminal| {
        // To the end, type, save; once more, because a backup would now be of a file that holds the words.
        t.keys("\u{1b}[1;5F").keys(&format!("\robs: {SAID}"));
        t.keys("\u{13}").wait_for("Saved");
        t.keys(" Twice.\u{13}").wait_for("(8,40) |");
        // What is looked for is in a history of its own.
        t.keys("\u{6}parrot recites\r");
    };
    written_in("micro", "micro", "note.md", &type_it, &|t| {
        t.keys("\u{11}");
    });
}

/// The real program needs a desktop. In its place stands a script of its name that does what it documents: it takes the
/// flags, keeps backups of unsaved text and a history below its folder for user data, and ends when the file is closed.
#[test]
fn attack_24_vs_code_is_told_to_keep_all_it_keeps_in_memory() {
    let desk = Desk::new();
    // Apart from the desk, because the script holds the words.
    let apart = tempfile::tempdir().unwrap();
    let said = apart.path().join("argv");
    let script = format!(
        r#"#!/bin/sh
printf '%s\n' "$@" > {said}
data=; wait=
while [ $# -gt 1 ]; do
    case $1 in
        --user-data-dir) data=$2; shift ;;
        --extensions-dir) shift ;;
        --wait) wait=yes ;;
    esac
    shift
done
[ -n "$data" ] || data=$HOME/.config/Code
mkdir -p "$data/Backups" "$data/User/History/1"
cp "$data/User/settings.json" {said}.settings
printf 'obs: {SAID}
' | tee -a "$1" > "$data/Backups/unsaved"
cp "$1" "$data/User/History/1/entry.md"
[ -n "$wait" ] || exit 3
echo waiting; read closed < {said}.closed
"#,
        said = said.display()
    );
    let code = apart.path().join("code");
    std::fs::write(&code, script).unwrap();
    let runs = |program: &str, path: &Path| {
        let done = std::process::Command::new(program).arg(path).status();
        assert!(done.is_ok_and(|status| status.success()), "{program}");
    };
    runs("mkfifo", &apart.path().join("argv.closed"));
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&code, executable).unwrap();
    let arguments = format!("note add {} --kind phone", desk.case);
    let Some(mut terminal) = desk.start(Some(&format!("{} --wait", code.display())), &arguments) else {
        return;
    };
    let place = desk.place();
    terminal.wait_for("waiting");
    // While it is open, the words are below the place in memory alone.
    desk.assert_no_words(&words());
    assert!(place.join("code/Backups/unsaved").exists() && place.join("code/User/History/1/entry.md").exists());
    std::fs::write(apart.path().join("argv.closed"), "closed\n").unwrap();
    terminal.wait_for("saved n-");
    assert_eq!(terminal.end().0, 0);
    desk.assert_no_words(&words());
    desk.assert_wiped();
    assert!(!place.exists() && desk.shown().contains(SAID));
    assert!(!desk.folder.path().join(".config/Code").exists());
    let argv = std::fs::read_to_string(&said).unwrap();
    let argv: Vec<&str> = argv.lines().collect();
    for flag in [
        "--wait",
        "--new-window",
        "--disable-extensions",
        "--disable-crash-reporter",
    ] {
        assert!(argv.contains(&flag), "{argv:?}");
    }
    let settings = std::fs::read_to_string(apart.path().join("argv.settings")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings["files.hotExit"], "off");
    assert_eq!(settings["workbench.localHistory.enabled"], false);
}

/// There `code` is the command of the window that is open: the stand-in does with the file what that one does, whatever the
/// flags say.
#[test]
fn attack_24_vs_code_is_refused_in_a_terminal_inside_of_it() {
    for (variable, program) in [("VSCODE_IPC_HOOK_CLI", "code"), ("VSCODE_CLIENT_COMMAND", "codium")] {
        let desk = Desk::new();
        let apart = tempfile::tempdir().unwrap();
        let code = code_that(
            apart.path(),
            program,
            "mkdir -p \"$HOME/.vscode-server/data/User/History/1\"
             cp \"$file\" \"$HOME/.vscode-server/data/User/History/1/entry.md\"",
        );
        let Some(terminal) = desk.start_with(&format!("{variable}=/run/vscode-ipc.sock"), &code) else {
            return;
        };
        let (exit, said) = terminal.end();
        assert!(!desk.folder.path().join(".vscode-server").exists(), "{said}");
        assert_eq!(exit, 1, "{said}");
        assert!(said.contains(variable) && said.contains("EDITOR=nano"), "{said}");
        assert_eq!(desk.drafts(), serde_json::json!([]));
        desk.assert_wiped();
    }
}

/// What goes before the flag for user data in VS Code 1.100 (`userDataPath.ts`) is set as a portable install sets it.
#[test]
fn attack_24_vs_code_of_a_portable_install_keeps_all_it_keeps_in_memory() {
    for variable in ["VSCODE_PORTABLE", "VSCODE_APPDATA"] {
        let desk = Desk::new();
        let apart = tempfile::tempdir().unwrap();
        let code = code_that(
            apart.path(),
            "code",
            &format!(
                "printf 'obs: {SAID}\\n' >> \"$file\"
                 if [ -n \"$VSCODE_PORTABLE\" ]; then data=$VSCODE_PORTABLE/user-data
                 elif [ -n \"$VSCODE_APPDATA\" ]; then data=$VSCODE_APPDATA/Code; fi
                 grep -q '\"workbench.localHistory.enabled\": false' \"$data/User/settings.json\" || echo unset
                 mkdir -p \"$data/User/History/1\"; cp \"$file\" \"$data/User/History/1/entry.md\""
            ),
        );
        let portable = desk.folder.path().join("portable");
        std::fs::create_dir(&portable).unwrap();
        let Some(terminal) = desk.start_with(&format!("{variable}={}", portable.display()), &code) else {
            return;
        };
        let (exit, said) = terminal.end();
        assert_eq!(exit, 0, "{said}");
        assert_eq!(files(&portable), Vec::<PathBuf>::new(), "{variable}");
        assert!(!said.contains("unset"), "{said}");
        desk.assert_no_words(&words());
        desk.assert_wiped();
        assert!(desk.shown().contains(SAID));
    }
}

/// The backup of what is not saved that VS Code makes of itself, as its 1.100 writes it.
#[test]
fn what_vs_code_had_not_saved_when_it_was_killed_is_in_the_draft() {
    let desk = Desk::new();
    let apart = tempfile::tempdir().unwrap();
    let code = code_that(
        apart.path(),
        "code",
        // Newer than the file by more than the file system's clock can miss.
        &format!(
            "mkdir -p \"$data/Backups/1c/file\"
             printf 'file://%s {{\"mtime\":1,\"typeId\":\"\"}}\\nkind: phone\\n\\nobs: {SAID}\\n' \"$file\" \\
                 > \"$data/Backups/1c/file/2a\"
             touch -d tomorrow \"$data/Backups/1c/file/2a\"
             kill -9 $$"
        ),
    );
    let Some(terminal) = desk.start(Some(&code), &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    let (exit, said) = terminal.end();
    assert_eq!(exit, 1, "{said}");
    let drafts = desk.drafts();
    assert!(drafts[0]["words"].to_string().contains(SAID), "{drafts} {said}");
    desk.assert_no_words(&words());
    desk.assert_wiped();
}

/// An editor by the name of VS Code's that does what `then` says with the note's `$file` and its folder for `$data`.
fn code_that(apart: &Path, name: &str, then: &str) -> String {
    let path = apart.join(name);
    let script = format!(
        "#!/bin/sh\nwhile [ $# -gt 1 ]; do\n[ \"$1\" != --user-data-dir ] || data=$2\nshift\ndone\nfile=$1\n{then}\n"
    );
    std::fs::write(&path, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&path, executable).unwrap();
    path.display().to_string()
}

/// A file that is made and removed again would not be found: so every opening is watched.
#[test]
fn attack_24_vim_opens_no_file_for_writing_outside_memory() {
    let (Some(_), Some(_)) = (which("vim"), which("strace")) else {
        return;
    };
    let desk = Desk::new();
    let trace = desk.vault.around.join("trace");
    let line = format!(
        "strace -f -qq -s 200 -e trace=openat,open,creat,rename,renameat,renameat2,mkdir,mkdirat -o {} {} note add {} --kind phone",
        trace.display(),
        binary::casevault().display(),
        desk.case
    );
    let Some(mut terminal) = desk.start_line(Some("vim"), &line) else {
        return;
    };
    let place = desk.place();
    terminal.wait_for("phone 1");
    terminal.keys(&format!("Goobs: {SAID}{ESCAPE}:w\r")).wait_for("written");
    terminal.keys("Aand more");
    until("an autosave", || place.join("autosave").exists());
    terminal.keys(&format!("{ESCAPE}:wq\r")).wait_for("saved n-");
    assert_eq!(terminal.end().0, 0);
    let trace = std::fs::read_to_string(trace).unwrap();
    let writes = trace.lines().filter(|line| {
        (line.contains("O_WRONLY") || line.contains("O_RDWR") || line.contains("O_CREAT") || !line.contains("open"))
            && !line.contains(" = -1 ")
            && line.contains('"')
    });
    let home = desk.vault.home.display().to_string();
    let mut seen = 0;
    for write in writes {
        let path = write.split('"').nth(1).unwrap_or_default();
        let fine = path.starts_with("/dev/") || path.starts_with("/proc/") || path.starts_with(&home);
        assert!(fine, "{write}");
        seen += u32::from(path.starts_with("/dev/shm/casevault-edit-"));
    }
    assert!(seen > 0, "nothing was seen of the place in memory");
}

/// Whoever amends a note reads a name in the place of the worker's id, which stays.
#[test]
fn an_amended_note_names_its_worker_and_keeps_the_id() {
    if which("vim").is_none() {
        return;
    }
    let desk = Desk::new();
    let note = desk.vault.add_note(&desk.case, &format!("obs: {SAID}\n"));
    let worker = || desk.vault.json(&["note", "show", &note])["worker"].clone();
    let before = worker();
    let Some(mut terminal) = desk.start(Some("vim"), &format!("note amend {note}")) else {
        return;
    };
    terminal
        .wait_for("#! Worker: Ann Worker (m-")
        .wait_for("parrot")
        .keys("Goint: It is bored.\u{1b}:wq\r");
    terminal.wait_for("saved n-");
    let (code, screen) = terminal.end();
    assert!(code == 0 && !screen.contains(before.as_str().unwrap()), "{screen}");
    assert!(desk.shown().contains("It is bored."), "{}", desk.shown());
    assert_eq!(worker(), before);
}

/// Types into vim until the draft is sealed in the store, unsaved in the editor.
fn typed_and_autosaved(desk: &Desk, arguments: &str) -> Option<Terminal> {
    which("vim")?;
    let mut terminal = desk.start(Some("vim"), arguments)?;
    let place = desk.place();
    terminal.wait_for("phone 1").keys(&format!("Goobs: {SAID}"));
    until("an autosave", || place.join("autosave").exists());
    until("a draft that holds it", || {
        desk.drafts()[0]["words"]
            .as_str()
            .is_some_and(|words| words.contains("parrot"))
    });
    Some(terminal)
}

/// Goes on from the draft in vim, and saves it.
fn assert_recovered(desk: &Desk) {
    desk.assert_no_words(&words());
    let mut told = desk
        .start(None, &format!("note add {} --kind phone", desk.case))
        .unwrap();
    told.wait_for("there is a draft j-")
        .wait_for("--draft j-")
        .wait_for("Type the note")
        .keys(CONTROL_D);
    assert_ne!(told.end().0, 0);
    let status = desk.vault.json(&["status"]);
    assert_eq!(status["drafts"], 1, "{status}");
    assert!(
        status["attention"]
            .to_string()
            .contains("1 note is begun and not saved"),
        "{status}"
    );
    // An editor covers what was printed before it: there it is in the text, and goes with an empty one.
    let mut covered = desk
        .start(Some("vim"), &format!("note add {} --kind phone", desk.case))
        .unwrap();
    covered
        .wait_for("#! ^ there is a draft j-")
        .wait_for("phone 1")
        .keys(":wq\r")
        .wait_for("nothing was written");
    assert_ne!(covered.end().0, 0);
    assert_eq!(desk.drafts().as_array().unwrap().len(), 1, "{}", desk.drafts());
    let mut again = desk
        .start(Some("vim"), &format!("note add {} --draft", desk.case))
        .unwrap();
    again.wait_for("parrot").keys(":wq\r").wait_for("saved n-");
    assert_eq!(again.end().0, 0);
    assert!(desk.shown().contains(SAID), "{}", desk.shown());
    assert!(desk.shown().contains("phone"), "the kind of the command line is kept");
    assert_eq!(desk.drafts(), serde_json::json!([]));
    assert_eq!(desk.vault.json(&["status"])["drafts"], 0);
    desk.assert_wiped();
    desk.vault.verified();
}

#[test]
fn a_draft_survives_kill_9_of_casevault() {
    let desk = Desk::new();
    let Some(terminal) = typed_and_autosaved(&desk, &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    let editor = desk.editor(&terminal);
    kill_9(terminal.process());
    terminal.end();
    until("the editor is gone with its terminal", || {
        !Path::new(&format!("/proc/{editor}")).exists()
    });
    // The next command that unlocks takes what is left in memory into the draft, and wipes it there.
    desk.vault.run(&["note", "draft"]).done();
    desk.assert_wiped();
    assert_recovered(&desk);
}

#[test]
fn a_draft_survives_kill_9_of_the_editor() {
    let desk = Desk::new();
    let Some(mut terminal) = typed_and_autosaved(&desk, &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    kill_9(desk.editor(&terminal));
    terminal
        .wait_for("was ended by signal 9")
        .wait_for("kept, sealed, as draft j-");
    assert_eq!(terminal.end().0, 1);
    desk.assert_wiped();
    assert_recovered(&desk);
}

#[test]
fn a_draft_survives_kill_9_of_both() {
    let desk = Desk::new();
    let Some(terminal) = typed_and_autosaved(&desk, &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    let (editor, casevault) = (desk.editor(&terminal), terminal.process());
    kill_9(casevault);
    // With its terminal gone it may be gone already.
    let _ = std::process::Command::new("kill")
        .args(["-9", &editor.to_string()])
        .output();
    terminal.end();
    until("the editor is gone", || !Path::new(&format!("/proc/{editor}")).exists());
    let left = places(&desk.vault.home);
    assert_eq!(left.len(), 1);
    // Without a passphrase nothing can be taken into the draft, and `lock` does not leave it there.
    desk.vault.run(&["lock"]).done();
    desk.assert_wiped();
    assert_recovered(&desk);
}

#[test]
fn what_was_written_in_memory_after_the_last_autosave_is_taken_in_after_kill_9() {
    let desk = Desk::new();
    let Some(terminal) = typed_and_autosaved(&desk, &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    let (place, editor) = (desk.place(), desk.editor(&terminal));
    kill_9(terminal.process());
    let _ = std::process::Command::new("kill")
        .args(["-9", &editor.to_string()])
        .output();
    terminal.end();
    until("the editor is gone", || !Path::new(&format!("/proc/{editor}")).exists());
    // As an editor that outlived casevault would have saved it.
    std::fs::remove_file(place.join("autosave")).unwrap();
    std::fs::write(place.join("note.md"), "kind: phone\n\nobs: The last words count.\n").unwrap();
    let drafts = desk.drafts();
    assert!(
        drafts[0]["words"].to_string().contains("The last words count."),
        "{drafts}"
    );
    desk.assert_wiped();
}

#[test]
fn a_signal_keeps_the_draft_and_wipes_the_place() {
    for signal in ["-TERM", "-HUP"] {
        let desk = Desk::new();
        let Some(mut terminal) = typed_and_autosaved(&desk, &format!("note add {} --kind phone", desk.case)) else {
            return;
        };
        let casevault = terminal.process().to_string();
        std::process::Command::new("kill")
            .args([signal, &casevault])
            .status()
            .unwrap();
        terminal.wait_for("kept, sealed, as draft j-");
        assert_eq!(terminal.end().0, 1);
        desk.assert_wiped();
        assert_recovered(&desk);
    }
}

#[test]
fn what_cannot_be_read_comes_back_into_the_editor_with_its_faults_and_giving_up_keeps_it() {
    if which("vim").is_none() {
        return;
    }
    let desk = Desk::new();
    let arguments = format!("note add {} --kind phone", desk.case);
    let Some(mut terminal) = desk.start(Some("vim"), &arguments) else {
        return;
    };
    terminal
        .wait_for("phone 1")
        .keys(&format!("Goobs: {SAID} {{urgent}}{ESCAPE}:wq\r"));
    terminal.wait_for("#! ^ column 34: `{urgent}` is not a flag");
    // Mended, and saved.
    terminal.keys("/{urgent}\rd$:wq\r").wait_for("saved n-");
    assert_eq!(terminal.end().0, 0);
    let shown = desk.shown();
    assert!(shown.contains(SAID) && !shown.contains("urgent"), "{shown}");
    let mut terminal = desk.start(Some("vim"), &arguments).unwrap();
    terminal
        .wait_for("phone 1")
        .keys(&format!("Goobs: {SAID} {{urgent}}{ESCAPE}:wq\r"));
    terminal
        .wait_for("#! ^ column 34")
        .keys(":q\r")
        .wait_for("kept, sealed, as draft j-");
    assert_eq!(terminal.end().0, 1);
    assert_eq!(desk.drafts()[0]["of"], "add");
    // Dropped on request.
    let drop_it = format!("note add {} --discard-draft", desk.case);
    let mut terminal = desk.start(None, &drop_it).unwrap();
    terminal.wait_for("Drop it?").keys("y\n");
    let (code, shown) = terminal.end();
    assert_eq!((code, shown.contains("dropped draft j-")), (0, true), "{shown}");
    assert_eq!(desk.drafts(), serde_json::json!([]));
    desk.assert_wiped();
}

#[test]
fn an_editor_left_without_saving_keeps_what_was_typed_and_an_untouched_one_keeps_nothing() {
    let desk = Desk::new();
    let arguments = format!("note add {} --kind phone", desk.case);
    let Some(mut terminal) = typed_and_autosaved(&desk, &arguments) else {
        return;
    };
    terminal
        .keys(&format!("{ESCAPE}:q!\r"))
        .wait_for("left without saving")
        .wait_for("as draft j-");
    assert_eq!(terminal.end().0, 1);
    assert_recovered(&desk);
    let mut untouched = desk.start(Some("vim"), &arguments).unwrap();
    untouched
        .wait_for("phone 1")
        .keys(":q\r")
        .wait_for("nothing was written");
    assert_eq!(untouched.end().0, 1);
    assert_eq!(desk.drafts(), serde_json::json!([]));
}

#[test]
fn a_draft_that_an_editor_was_left_with_as_it_was_stays_a_draft() {
    let desk = Desk::new();
    let arguments = format!("note add {} --kind phone", desk.case);
    let Some(mut terminal) = typed_and_autosaved(&desk, &arguments) else {
        return;
    };
    terminal.keys(&format!("{ESCAPE}:q!\r")).wait_for("as draft j-");
    assert_eq!(terminal.end().0, 1);
    let notes = || desk.vault.json(&["note", "list", &desk.case])["notes"].clone();
    for leaving in [":q!\r", ":q\r", "ZZ"] {
        let goes_on = format!("note add {} --draft", desk.case);
        let mut again = desk.start(Some("vim"), &goes_on).unwrap();
        again.wait_for("parrot").keys(leaving).wait_for("left as it was");
        again.wait_for("as draft j-");
        assert_eq!(again.end().0, 1);
        assert_eq!(notes(), serde_json::json!([]), "{leaving}");
        let drafts = desk.drafts();
        assert!(drafts[0]["words"].as_str().unwrap().contains("parrot"), "{drafts}");
    }
    assert_recovered(&desk);
}

#[test]
fn the_cursor_stands_where_one_writes_and_not_on_the_guidance() {
    let words = "obs: Calm here.";
    let wrote = |terminal: &mut Terminal, keys: &str, said: &str, leave: &str| {
        terminal.keys(keys).wait_for(said);
        terminal.keys(leave);
    };
    for (program, editor, ready, before, save, said, leave) in [
        ("vim", "vim", "home-visit 1", "i", "\u{1b}:w\r", "written", ":q\r"),
        ("nano", "nano", "GNU nano", "", "\u{f}\r", "Wrote", "\u{18}"),
        (
            "emacs",
            "emacs -nw",
            "note.md",
            "",
            "\u{18}\u{13}",
            "Wrote",
            "\u{18}\u{3}",
        ),
        ("micro", "micro", "note.md", "", "\u{13}", "Saved", "\u{11}"),
    ] {
        if which(program).is_none() {
            continue;
        }
        let desk = Desk::new();
        let Some(mut terminal) = desk.start(Some(editor), &format!("note add {} --kind home-visit", desk.case)) else {
            return;
        };
        terminal.wait_for(ready);
        wrote(&mut terminal, &format!("{before}{words}{save}"), said, leave);
        terminal.wait_for("saved n-");
        assert_eq!(terminal.end().0, 0, "{program}");
        let note = desk.vault.json(&["note", "list", &desk.case])["notes"][0]["note"].clone();
        let shown = desk.vault.json(&["note", "show", note.as_str().unwrap()]);
        let segments = shown["segments"].as_array().unwrap();
        assert_eq!(segments.len(), 1, "{program}: {shown}");
        assert_eq!(segments[0]["text"], "Calm here.", "{program}");
        assert_eq!(segments[0]["heading"], "Who was there", "{program}");
    }
}

#[test]
fn words_that_were_typed_into_guidance_are_asked_about_and_faults_are_told_first() {
    let desk = Desk::new();
    let script = desk.folder.path().join("editor.sh");
    let typed = "#!/bin/sh\nfor file; do :; done\nif grep -q '#! ^ ' \"$file\"; then printf 'obs: Calm here.\\n' > \"$file\"; \
                 else sed -i '1s/$/ Calm here./' \"$file\"; echo 'obs: He moved.#! Mine' >> \"$file\"; fi\n";
    std::fs::write(&script, typed).unwrap();
    let editor = format!("sh {}", script.display());
    let Some(mut terminal) = desk.start(Some(&editor), &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    terminal
        .wait_for("line 1: the line begins with `#!`, and all of it is dropped")
        .wait_for("`#!` stands in the middle of the line")
        .wait_for("y: file it so; Enter: go back [y/N] ");
    let notes = || desk.vault.json(&["note", "list", &desk.case])["notes"].clone();
    assert_eq!(notes(), serde_json::json!([]));
    terminal.keys("\n").wait_for("saved n-");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(notes()[0]["summary"], "Calm here.");
    // What cannot be read is told, and nothing is asked of it before.
    let mut terminal = desk.start(None, &format!("call {}", desk.case)).unwrap();
    terminal.wait_for("Type the note");
    terminal.keys("obs: He moved. (hide-from father) {hidefrom mother}\n\u{4}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 1);
    assert!(
        screen.contains("`{hidefrom mother}` is not a flag: did you mean `{hide-from mother}`?"),
        "{screen}"
    );
    assert!(!screen.contains("[m/y/N]") && screen.contains("as draft"), "{screen}");
}

#[test]
fn a_note_is_amended_in_the_editor_and_the_old_words_are_struck() {
    if which("vim").is_none() {
        return;
    }
    let desk = Desk::new();
    let note = desk.vault.add_note(&desk.case, "obs: The heating is on.\n");
    let Some(mut terminal) = desk.start(Some("vim"), &format!("note amend {note}")) else {
        return;
    };
    terminal
        .wait_for("heating")
        .keys(":%s/is on/is off/\r:wq\r")
        .wait_for("saved n-");
    assert_eq!(terminal.end().0, 0);
    let shown = desk.shown();
    assert!(shown.contains("struck: Observation: The heating is on."), "{shown}");
    assert!(shown.contains("now: Observation: The heating is off."), "{shown}");
}

#[test]
fn what_is_typed_without_an_editor_and_cannot_be_read_is_kept() {
    let desk = Desk::new();
    let Some(mut terminal) = desk.start(None, &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    terminal
        .wait_for("Type the note")
        .keys(&format!("{SAID} {{urgent}}\r"))
        .keys(CONTROL_D);
    terminal.wait_for("is not a flag").wait_for("as draft j-");
    assert_eq!(terminal.end().0, 1);
    assert!(desk.drafts()[0]["words"].as_str().unwrap().contains("parrot"));
    desk.assert_no_words(&words());
}

#[test]
fn without_a_place_in_memory_the_editor_is_refused() {
    let desk = Desk::new();
    let disk = desk.folder.path().join("temporary");
    // /dev/shm on the disk, for this one process.
    let able = std::process::Command::new("unshare").args(["-m", "true"]).status();
    if which("vim").is_none() || !able.is_ok_and(|status| status.success()) {
        eprintln!("no mount of one's own is allowed here: a machine without a place in memory is NOT tested");
        return;
    }
    let line = format!(
        "unshare -m sh -c 'mount --bind {} /dev/shm; exec {} note add {} --kind phone'",
        disk.display(),
        binary::casevault().display(),
        desk.case
    );
    let Some(mut terminal) = desk.start_line(Some("vim"), &line) else {
        return;
    };
    terminal
        .wait_for("there is no folder in memory")
        .wait_for("unset VISUAL and EDITOR");
    assert_eq!(terminal.end().0, 1);
    assert_eq!(files(&disk), Vec::<PathBuf>::new());
    assert_eq!(desk.drafts(), serde_json::json!([]));
}

/// `cv c`, Enter; a beginning of the name, Enter; the text; Enter, Ctrl-D.
#[test]
fn a_call_note_takes_at_most_twelve_keystrokes_beyond_its_text() {
    let desk = Desk::new();
    desk.vault.open_case("Tam Brisk");
    if which("bash").is_none() {
        return;
    }
    let Some(mut shell) = desk.start_line(None, "bash --norc --noprofile -i") else {
        return;
    };
    // What a worker has in the shell's start file.
    shell.keys("PS1='rea''dy> '\r").wait_for("ready> ");
    shell
        .keys(&format!("alias cv={}\r", binary::casevault().display()))
        .wait_for("ready> ");
    let before = shell.typed;
    shell.keys("cv c\r").wait_for("Who: ");
    shell.keys("el\r").wait_for("Elin Farrow").wait_for("Type the note");
    shell.keys(SAID).keys("\r").keys(CONTROL_D).wait_for("saved n-");
    let beyond = shell.typed - before - SAID.len();
    shell.wait_for("ready> ").keys("exit\r");
    shell.end();
    eprintln!("keystrokes beyond the text: {beyond}");
    assert_eq!(beyond, 10);
    let list = desk.vault.json(&["note", "list", &desk.case]);
    assert_eq!(list["notes"][0]["kind"], "phone");
    assert!(desk.shown().contains(SAID));
}

#[test]
fn a_jot_is_one_line_and_becomes_a_note_with_its_times() {
    let desk = Desk::new();
    let Some(mut terminal) = desk.start(None, &format!("note jot {} --at -30m", desk.case)) else {
        return;
    };
    terminal
        .wait_for("Type the jot, one line. Enter ends it;")
        .keys(&format!("{SAID}\r"))
        .wait_for("jotted j-");
    assert_eq!(terminal.end().0, 0);
    desk.assert_no_words(&words());
    assert_eq!(desk.vault.json(&["status"])["jots"], 1);
    let jots = desk.vault.json(&["note", "jot", "--list"])["jots"].clone();
    assert_eq!(jots[0]["text"], SAID);
    let (jot, occurred) = (jots[0]["jot"].as_str().unwrap(), &jots[0]["occurred_at"]);
    if which("vim").is_none() {
        return;
    }
    let mut terminal = desk
        .start(Some("vim"), &format!("note expand {jot} --kind phone"))
        .unwrap();
    terminal
        .wait_for("parrot")
        .keys("/parrot\r0iobs: ")
        .keys(ESCAPE)
        .keys(":wq\r")
        .wait_for("saved n-");
    assert_eq!(terminal.end().0, 0);
    let list = desk.vault.json(&["note", "list", &desk.case]);
    assert_eq!(&list["notes"][0]["occurred_at"], occurred);
    let shown = desk.shown();
    assert!(
        shown.contains(&format!("Observation: {SAID}")) && shown.contains("Jotted"),
        "{shown}"
    );
    assert_eq!(
        desk.vault.json(&["note", "jot", "--list"])["jots"],
        serde_json::json!([])
    );
    assert_eq!(desk.drafts(), serde_json::json!([]));
    desk.vault.verified();
}

#[test]
fn an_answer_that_takes_longer_than_the_agents_patience_is_not_lost() {
    let desk = Desk::new();
    desk.vault.run(&["unlock"]).done();
    let Some(mut terminal) = desk.start(None, "note jot") else {
        return;
    };
    terminal.wait_for("Type the jot, one line. Enter ends it;");
    // The agent closes a connection that says nothing for ten seconds: that time is what is looked at here.
    let asked = std::time::Instant::now();
    until("more than ten seconds", || {
        asked.elapsed() > std::time::Duration::from_secs(11)
    });
    terminal.keys("rang, no answer\n");
    let (code, said) = terminal.end();
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        desk.vault.json(&["note", "jot", "--list"])["jots"][0]["text"],
        "rang, no answer"
    );
}

/// An editor that does what `then` says before it writes the note and ends.
fn editor_that(apart: &Path, then: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = apart.join("editor.sh");
    let script = format!("#!/bin/sh\nfor file; do :; done\n{then}\nprintf 'obs: {SAID}\\n' > \"$file\"\n");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

#[test]
fn what_was_written_after_the_vault_was_locked_is_saved_with_the_passphrase() {
    let desk = Desk::new();
    let apart = tempfile::tempdir().unwrap();
    desk.vault.run(&["unlock"]).done();
    let editor = editor_that(
        apart.path(),
        &format!("{} lock > /dev/null || exit 1", binary::casevault().display()),
    );
    let Some(terminal) = desk.start(Some(&editor), &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    let (code, said) = terminal.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("locked while you wrote"), "{said}");
    assert!(desk.shown().contains(SAID));
    assert_eq!(desk.drafts(), serde_json::json!([]));
    desk.assert_wiped();
}

#[test]
fn what_was_written_after_the_vault_was_locked_waits_in_memory_for_the_passphrase() {
    let desk = Desk::new();
    let apart = tempfile::tempdir().unwrap();
    desk.vault.run(&["unlock"]).done();
    let passphrase = desk.vault.around.join("passphrase");
    let away = apart.path().join("passphrase");
    // Nobody is there who knows it.
    let then = format!(
        "{} lock > /dev/null || exit 1; mv {} {}",
        binary::casevault().display(),
        passphrase.display(),
        away.display()
    );
    let editor = editor_that(apart.path(), &then);
    let Some(terminal) = desk.start(Some(&editor), &format!("note add {} --kind phone", desk.case)) else {
        return;
    };
    let (code, said) = terminal.end();
    assert_ne!(code, 0, "{said}");
    assert!(said.contains("still in this machine's memory"), "{said}");
    std::fs::rename(away, passphrase).unwrap();
    let drafts = desk.drafts();
    assert_eq!(drafts[0]["words"], format!("obs: {SAID}"), "{drafts}");
    desk.assert_wiped();
}

#[test]
fn an_amendment_from_a_version_that_is_not_the_newest_is_refused_and_goes_on_from_the_newest() {
    let desk = Desk::new();
    let apart = tempfile::tempdir().unwrap();
    let note = desk.vault.add_note(&desk.case, "plan: Ring the landlord.\n");
    let (casevault, step) = (binary::casevault(), format!("{note}:1"));
    desk.vault.run(&["unlock"]).done();
    let outcome = apart.path().join("outcome");
    std::fs::write(&outcome, "He comes.").unwrap();
    let done = format!("{} plan done {step} --file {}", casevault.display(), outcome.display());
    let editor = editor_that(apart.path(), &format!("{done} > /dev/null || exit 1"));
    let amend = format!("note amend {note}");
    let Some(terminal) = desk.start(Some(&editor), &amend) else {
        return;
    };
    let (code, said) = terminal.end();
    assert_eq!(code, 6, "{said}");
    assert!(
        said.contains("has version 2 by now") && said.contains("from version 1"),
        "{said}"
    );
    let shown = desk.vault.json(&["note", "show", &note]);
    assert_eq!(
        (&shown["version"], shown["segments"][0]["done"].is_string()),
        (&2.into(), true),
        "{shown}"
    );
    let kept = desk.drafts();
    assert!(kept[0]["words"].as_str().unwrap().contains(SAID), "{kept}");
    // Gone on with, it has the newest version before it, and takes its place knowingly.
    let seen = apart.path().join("seen");
    let editor = editor_that(apart.path(), &format!("cp \"$file\" {}", seen.display()));
    let terminal = desk.start(Some(&editor), &format!("{amend} --draft")).unwrap();
    let (code, said) = terminal.end();
    assert_eq!(code, 0, "{said}");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("begun from version 1") && seen.contains(SAID), "{seen}");
    assert!(
        seen.lines()
            .any(|line| line.starts_with("#!") && line.contains("done:")),
        "{seen}"
    );
    assert_eq!(desk.vault.json(&["note", "show", &note])["version"], 3);
    assert_eq!(desk.drafts(), serde_json::json!([]));
}
