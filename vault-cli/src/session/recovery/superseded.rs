//! A recovery key that another one stands for, and that still waits in the founder's keystore.
//!
//! It opens what was written before the other came into force, so it is not to lie about; and no cards are made of it any
//! more. It goes once nothing can bring it back: the root that names the other one is in the log, or there is no server.

use super::KeptSet;
use super::SET;
use crate::session::Result;
use crate::session::Session;

impl Session {
    /// Lets a key go that is not the one in force any more. Everything that this vault has is in its server's log, or it has
    /// no server: that is the caller's to know.
    ///
    /// # Errors
    /// Where the keystore cannot be written; the key is in it then as before.
    pub(in crate::session) fn forget_superseded_key(&mut self) -> Result<()> {
        let version = self.holder.agency.root().recovery.version;
        let waits = self.holder.secrets.recovery.as_ref();
        if waits.is_none_or(|key| key.version >= version) {
            return Ok(());
        }
        // What is known of cards is still asked for when the key is gone.
        self.store.write(|tx| -> Result<()> {
            if tx.local(SET)?.is_none() {
                tx.put_local(SET, &KeptSet::elsewhere(version).to_json()?)?;
            }
            Ok(())
        })?;
        self.let_recovery_key_go()
    }
}
