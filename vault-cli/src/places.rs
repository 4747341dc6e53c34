//! Where the vault lies: one folder named by `--home` or `CASEVAULT_HOME`, else the XDG place. Folders are born 0700.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// The folder of a vault and the files in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    home: PathBuf,
}

impl Places {
    /// Takes the folder named, else `$XDG_DATA_HOME/casevault` (`~/.local/share/casevault`).
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where nothing was named and there is no home directory.
    pub fn find(named: Option<&Path>) -> io::Result<Self> {
        if let Some(named) = named {
            return Ok(Self {
                home: std::path::absolute(named)?,
            });
        }
        let base = etcetera::base_strategy::Xdg::new().map_err(|e| io::Error::new(io::ErrorKind::NotFound, e))?;
        Ok(Self {
            home: base.data_dir().join("casevault"),
        })
    }

    /// Returns the vault's folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the keystore's file.
    pub fn keystore(&self) -> PathBuf {
        self.home.join("keystore")
    }

    /// Returns the store's file.
    pub fn store(&self) -> PathBuf {
        self.home.join("vault.db")
    }

    /// Returns the folder of the attachments' files.
    pub fn attachments(&self) -> PathBuf {
        self.home.join("attachments")
    }

    /// Returns the file that says for which cards the recovery key left the keystore.
    pub fn recovery_set(&self) -> PathBuf {
        self.home.join("recovery-set")
    }

    /// Returns the file in which a backup's copy of the store lies while it is sealed.
    pub fn snapshot(&self) -> PathBuf {
        self.home.join("vault.db-snapshot")
    }

    /// Returns the file of a device that has asked to join and is not enrolled yet.
    pub fn joining(&self) -> PathBuf {
        self.home.join("joining")
    }

    /// Returns the file that counts wrong passphrases.
    pub fn tries(&self) -> PathBuf {
        self.home.join("tries")
    }

    /// Returns the file by which the agent that holds the vault open is found.
    pub fn agent(&self) -> PathBuf {
        self.home.join("agent.lock")
    }

    /// Returns a file of evidence against a server.
    pub fn evidence(&self, name: &str) -> PathBuf {
        self.home.join(format!("evidence-{name}.json"))
    }

    /// Makes the folder, readable by its owner alone, where it is missing.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn create(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.home)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_folder_named_is_made_0700_with_its_parents() {
        let dir = tempfile::tempdir().unwrap();
        let named = dir.path().join("a/b");
        let places = Places::find(Some(&named)).unwrap();
        assert!(!named.exists());
        places.create().unwrap();
        places.create().unwrap();
        for made in [&named, named.parent().unwrap()] {
            assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        assert_eq!(places.keystore(), named.join("keystore"));
    }
}
