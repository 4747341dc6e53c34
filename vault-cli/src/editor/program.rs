//! The editor that the worker chose, told to keep its swap, backup and undo files in memory or nowhere.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::place::Place;
use crate::error::CliError;

/// Settings that keep VS Code from copying what is open: no local history, no hot exit, no telemetry, nothing that reads
/// along. Its backups of unsaved text (`Backups`) and its history (`User/History`) are below the folder for user data in
/// any case, which is in memory here.
const CODE_SETTINGS: &str = r#"{
  "chat.disableAIFeatures": true,
  "files.autoSave": "off",
  "files.hotExit": "off",
  "git.enabled": false,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.restoreWindows": "none",
  "workbench.enableExperiments": false,
  "workbench.localHistory.enabled": false,
  "workbench.startupEditor": "none"
}
"#;

/// Where one of these is set, `code` is the command of a VS Code that runs already: it passes over its flags and opens the
/// file in that window. Source: `src/vs/server/node/server.cli.ts` of VS Code 1.100.
const CODE_OF_A_WINDOW: [&str; 2] = ["VSCODE_IPC_HOOK_CLI", "VSCODE_CLIENT_COMMAND"];

/// An editor with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    words: Vec<String>,
    kind: Kind,
}

/// What is known about an editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Code,
    Emacs,
    Micro,
    Nano,
    Unknown,
    Vim,
}

impl Program {
    /// Returns the editor that `VISUAL` or `EDITOR` names, if one does.
    pub fn chosen() -> Option<Self> {
        let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| {
            let value = std::env::var(name).ok()?;
            (!value.trim().is_empty()).then_some(value)
        });
        Self::named(&named?)
    }

    /// Reads a command: words apart by spaces, quotes kept together.
    pub fn named(command: &str) -> Option<Self> {
        let words = words(command);
        let kind = Kind::of(words.first()?);
        Some(Self { words, kind })
    }

    /// Returns the command's own name.
    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Tells whether it is known how this editor is kept from copying the text to the disk.
    pub fn is_known(&self) -> bool {
        self.kind != Kind::Unknown
    }

    /// Refuses an editor that would copy the text to the disk whatever it is told.
    ///
    /// # Errors
    /// [`CliError::EditorUnfit`] for VS Code from a terminal inside of one that is reached over its command.
    pub fn fit(&self) -> Result<(), CliError> {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.kind {
            Kind::Code => match CODE_OF_A_WINDOW.into_iter().find(|name| is_set(name)) {
                Some(variable) => Err(CliError::EditorUnfit {
                    editor: self.name().to_owned(),
                    variable,
                }),
                None => Ok(()),
            },
            Kind::Emacs | Kind::Micro | Kind::Nano | Kind::Unknown | Kind::Vim => Ok(()),
        }
    }

    /// Starts it on the place's file, with the cursor in a line of it where the editor can be told.
    pub(super) fn start(&self, place: &Place, line: usize) -> Result<Child, CliError> {
        self.command(place, line)?.spawn().map_err(|e| CliError::Editor {
            how: format!("could not start the editor `{}`: {e}", self.name()),
        })
    }

    fn command(&self, place: &Place, line: usize) -> Result<Command, CliError> {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("", String::as_str));
        command.args(words);
        let prepared = match self.kind {
            Kind::Code => write_code_settings(place),
            Kind::Micro => copy_micro_settings(place),
            Kind::Emacs | Kind::Nano | Kind::Unknown | Kind::Vim => Ok(()),
        };
        prepared.map_err(|e| CliError::io("could not write the editor's settings", e))?;
        command
            .args(self.kind.arguments(place))
            .args(self.kind.cursor(line))
            .arg(place.file())
            // What an editor or its plug-ins call temporary goes where the note is.
            .env("TMPDIR", place.folder())
            .env_remove(crate::unlock_prompt::FILE_VARIABLE);
        if self.kind == Kind::Code {
            // Both go before the flag for user data, and a portable install sets the first of itself where it is not set;
            // the third has it run from the sources of VS Code (`userDataPath.ts`, `bootstrap-node.ts` of VS Code 1.100).
            command
                .env("VSCODE_PORTABLE", place.code())
                .env_remove("VSCODE_APPDATA")
                .env_remove("VSCODE_DEV");
        }
        Ok(command)
    }
}

impl Kind {
    fn of(program: &str) -> Self {
        let name = Path::new(program)
            .file_name()
            .and_then(OsStr::to_str)
            .unwrap_or_default();
        match name {
            "code" | "code-insiders" | "codium" | "vscodium" => Self::Code,
            "emacs" | "emacs-nox" | "emacs-gtk" => Self::Emacs,
            "micro" => Self::Micro,
            "nano" | "rnano" => Self::Nano,
            "vi" | "vim" | "nvim" | "rvim" | "vim.basic" | "vim.nox" | "vim.tiny" | "vim.gtk3" => Self::Vim,
            _ => Self::Unknown,
        }
    }

    /// Says in which line the cursor is to stand. VS Code takes it with the file alone (`--goto FILE:LINE`), and one that is
    /// not known might take it for a file.
    fn cursor(self, line: usize) -> Option<String> {
        match self {
            Self::Emacs | Self::Micro | Self::Nano | Self::Vim => Some(format!("+{line}")),
            Self::Code | Self::Unknown => None,
        }
    }

    fn arguments(self, place: &Place) -> Vec<String> {
        let folder = place.folder().display().to_string();
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match self {
            Self::Code => own(&[
                "--wait",
                "--new-window",
                "--disable-extensions",
                "--disable-crash-reporter",
                "--disable-telemetry",
                "--user-data-dir",
                &place.code().display().to_string(),
                "--extensions-dir",
                &format!("{folder}/code-extensions"),
            ]),
            Self::Emacs => {
                // Its own autosave files are in memory as the note is, and are taken into the draft.
                let settings = format!(
                    "(setq make-backup-files nil create-lockfiles nil auto-save-default t auto-save-timeout 2 \
                     auto-save-interval 20 auto-save-file-name-transforms nil \
                     auto-save-list-file-prefix nil delete-by-moving-to-trash nil undo-tree-auto-save-history nil \
                     savehist-additional-variables nil enable-local-variables nil temporary-file-directory \"{folder}/\")"
                );
                own(&["--eval", &settings])
            }
            // What it keeps of a file (backups, histories, cursors) is below its folder of settings, some of it whatever
            // the settings say.
            Self::Micro => own(&[
                "-config-dir",
                &format!("{folder}/micro"),
                "-backup",
                "false",
                "-permbackup",
                "false",
                "-savecursor",
                "false",
                "-savehistory",
                "false",
                "-saveundo",
                "false",
            ]),
            // Its settings may keep backups and a history of searches.
            // A paragraph is one long line: it is wrapped at spaces on the screen, and stays one.
            Self::Nano => own(&["--ignorercfiles", "--softwrap", "--atblanks"]),
            Self::Unknown => Vec::new(),
            Self::Vim => {
                let autosave = place.autosave().display().to_string();
                let before = "autocmd BufReadPre,BufNewFile * setlocal noswapfile noundofile nomodeline";
                let after = "set nobackup nowritebackup noswapfile noundofile nomodeline viminfo=";
                // The second is for a small vim, which has no timers.
                let timer = format!(
                    "silent! call timer_start(2000, {{-> &modified && bufnr('%') == 1 ? execute('silent! keepalt noautocmd \
                     write! {autosave}') : ''}}, {{'repeat': -1}})"
                );
                let idle = format!(
                    "silent! autocmd CursorHold,CursorHoldI <buffer> silent! keepalt noautocmd write! {autosave}"
                );
                let mut all = own(&["-n", "-i", "NONE", "--cmd", before]);
                for command in [after, "set updatetime=2000", &timer, &idle] {
                    all.extend(own(&["-c", command]));
                }
                all
            }
        }
    }
}

/// Gives micro its settings and keys as they are, in a folder in memory; plug-ins stay behind, because nobody knows what
/// they keep.
fn copy_micro_settings(place: &Place) -> std::io::Result<()> {
    let folder = place.folder().join("micro");
    std::fs::create_dir_all(&folder)?;
    let own = std::env::var_os("MICRO_CONFIG_HOME").map(PathBuf::from).or_else(|| {
        let config = std::env::var_os("XDG_CONFIG_HOME").filter(|config| !config.is_empty());
        let config = config.map(PathBuf::from);
        let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
        config.map(|config| config.join("micro"))
    });
    for name in ["settings.json", "bindings.json"] {
        // Who has none, or none that can be read, is given micro's own.
        if let Some(text) = own.as_ref().and_then(|own| std::fs::read(own.join(name)).ok()) {
            std::fs::write(folder.join(name), text)?;
        }
    }
    Ok(())
}

fn write_code_settings(place: &Place) -> std::io::Result<()> {
    // Below the folder that the flag names, and the one that a portable install takes.
    for data in [place.code(), place.code().join("user-data")] {
        let folder = data.join("User");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("settings.json"), CODE_SETTINGS)?;
    }
    Ok(())
}

/// Cuts a command into words as a shell would, without what else a shell does.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut inside, mut begun) = (String::new(), None, false);
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (c, inside) {
            (quote, Some(open)) if quote == open => inside = None,
            ('\'' | '"', None) => {
                inside = Some(c);
                begun = true;
            }
            ('\\', None) => {
                word.extend(chars.next());
                begun = true;
            }
            (space, None) if space.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (other, _) => {
                word.push(other);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_cut_into_words() {
        assert_eq!(words("code --wait"), ["code", "--wait"]);
        assert_eq!(
            words(" '/opt/my editor/bin/ed' -x \"a b\" c\\ d "),
            ["/opt/my editor/bin/ed", "-x", "a b", "c d"]
        );
        assert!(Program::named("  ").is_none());
    }

    #[test]
    fn editors_are_known_by_their_file_names() {
        let kind = |command: &str| Program::named(command).unwrap().kind;
        assert_eq!(kind("/usr/bin/vim.tiny -u NONE"), Kind::Vim);
        assert_eq!(kind("emacs -nw"), Kind::Emacs);
        assert_eq!(kind("code --wait"), Kind::Code);
        assert_eq!(kind("nano"), Kind::Nano);
        assert!(!Program::named("ed").unwrap().is_known());
    }

    #[test]
    fn vs_code_is_told_by_its_environment_as_by_its_flags() {
        let place = Place::make("0-portable", Path::new("/nowhere/portable")).unwrap();
        let command = Program::named("code --wait").unwrap().command(&place, 7).unwrap();
        let set = |name: &str| {
            command
                .get_envs()
                .find(|(key, _)| *key == OsStr::new(name))
                .map(|(_, to)| to)
        };
        let code = place.folder().join("code");
        assert_eq!(set("VSCODE_PORTABLE"), Some(Some(code.as_os_str())));
        assert_eq!(set("VSCODE_APPDATA"), Some(None));
        assert_eq!(set("VSCODE_DEV"), Some(None));
        for below in ["User", "user-data/User"] {
            let settings = std::fs::read_to_string(code.join(below).join("settings.json")).unwrap();
            assert_eq!(settings, CODE_SETTINGS);
        }
        let flags: Vec<_> = command.get_args().collect();
        assert!(flags.contains(&OsStr::new("--user-data-dir")), "{flags:?}");
        // Of no other editor's concern.
        let command = Program::named("nano").unwrap().command(&place, 7).unwrap();
        assert!(command.get_envs().all(|(key, _)| key != OsStr::new("VSCODE_PORTABLE")));
        assert!(command.get_args().any(|word| word == "+7"));
    }
}
