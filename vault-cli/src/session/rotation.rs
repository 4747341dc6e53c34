//! Writer rotates: a section whose readers are no longer exactly those who may read gets its next epoch before anything
//! is written in it (`docs/format.md` §7, CHK-73 and CHK-76).
//!
//! That is so after a new recovery key, a new version of a member's recipient, or a departure.

use super::Holder;
use super::Result;
use super::case_keys::CaseKeys;
use super::random;
use super::refused;
use crate::store::WriteTx;
use vault_core::check::Check;
use vault_core::opening;
use vault_core::opening::Opening;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::membership::EpochKind;
use vault_core::wire::v1::membership::Membership;
use vault_core::wire::v1::stream::Epoch;

impl Holder {
    /// Opens the next epoch of each section of the case that needs one and that this member may open, in one link.
    pub(super) fn rotate(&self, tx: &mut WriteTx<'_>, keys: &mut CaseKeys) -> Result<()> {
        let stream = keys.stream();
        let view = self.agency.now();
        let mut openings = Vec::new();
        for (section, state) in keys.state.sections() {
            let Some(head) = state.heads.last() else { continue };
            let author = head.private_author;
            let recipients = keys
                .state
                .recipients_of(view, *section, EpochKind::Head, Epoch::FIRST, author, view.seq())
                .map_err(refused(stream))?;
            let due = match author {
                // No check asks it of a private section: its author would go on writing to a key that is gone.
                Some(author) => author == self.member && recipients != head.recipients.iter().copied().collect(),
                None => {
                    let writable = keys.state.writable_epoch(&self.agency, self.member, *section);
                    let owed = [Check::SectionDue, Check::RecipientsWithin];
                    let owed = writable.is_err_and(|refused| owed.contains(&refused.check));
                    owed && keys.state.may_write(self.member, *section)
                }
            };
            if due {
                openings.push(Opening {
                    section: *section,
                    epoch: Epoch(u32::try_from(state.heads.len()).unwrap_or(u32::MAX)),
                    private_author: author,
                    recipients,
                });
            }
        }
        if openings.is_empty() {
            return Ok(());
        }
        // Who may read is decided by every event of the stream, and an import goes by a count of rows until here.
        tx.authenticate(stream)?;
        let opened =
            opening::open_epochs(&self.agency, stream, &openings, &mut random::os()).map_err(refused(stream))?;
        let change = Membership {
            opens: opened.opens.clone(),
            keyrings: opened.keyrings.clone(),
            ..Membership::default()
        };
        self.append_membership(tx, keys, Event::Membership, change, opened, &[])?;
        Ok(())
    }
}
