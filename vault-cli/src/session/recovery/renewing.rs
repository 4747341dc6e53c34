//! A new recovery key in place of the one in force, whose cards are lost, or were used.
//!
//! ```text
//! new key ─ split ─> words ─ files, paper ─> read back ─> every subset gives one key ─> proposed: the next root names it
//!                                                                                         └─> enough signed: it is in force
//! ```
//! The key is in no keystore at any time: it is on the cards before a root names it, so that no root names a key that nobody
//! has. Until that root is in force the cards of the key before it are the ones.

use super::KeptSet;
use super::NEXT;
use super::NextSet;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::Task;
use crate::session::random;
use crate::session::refused;
use crate::session::reply::AGENCY_PROPOSE;
use crate::session::reply::CardsReply;
use crate::session::reply::ProposalReply;
use crate::session::reply::SplitReply;
use crate::session::request::CardInput;
use crate::session::request::RecoverySplitRequest;
use vault_core::check::Check;
use vault_core::growing;
use vault_core::growing::Proposal;
use vault_core::keystore::RecoverySeeds;
use vault_core::opening::fresh;
use vault_core::recovery;
use vault_core::secret::RecoverySeed;

impl Session {
    /// Tells how many administrators sign a root that names a new recovery key, this one among them, as of what the server
    /// has.
    ///
    /// # Errors
    /// [`SessionError::NotAdministrator`].
    pub fn recovery_signatures(&mut self, task: Task<'_>) -> Result<usize> {
        self.holder.require_administrator("a new recovery key")?;
        self.send_if_known(task)?;
        Ok(growing::signatures_of_root(&self.holder.agency))
    }

    /// Makes a recovery key that no root names yet, and cards of it. The key is on them alone.
    ///
    /// # Errors
    /// [`SessionError::NotAdministrator`]; [`SessionError::Card`] for impossible numbers.
    pub fn recovery_new_cards(&mut self, request: &RecoverySplitRequest) -> Result<CardsReply> {
        self.holder.require_administrator("a new recovery key")?;
        self.log_cards()?;
        let version = self.next_recovery()?;
        let key = RecoverySeeds::from_seed(version, RecoverySeed::from_bytes(fresh(&mut random::os())));
        let (cards, _) = self.cards_of(&key, request.threshold, request.shares)?;
        Ok(cards)
    }

    /// Takes the cards of a new key as they were read back, proves that each set of as many as are needed gives one key, and
    /// proposes the root that names it. Where one administrator signs alone it is in force at once, and sent.
    ///
    /// # Errors
    /// [`SessionError::Card`]; [`SessionError::Conflict`] where another recovery key came into force meanwhile; as
    /// [`Session::agency_propose`].
    pub fn recovery_renew(&mut self, cards: &[CardInput], task: Task<'_>) -> Result<(SplitReply, ProposalReply)> {
        let (set, key) = self.proved(cards, None)?;
        let public = key.public();
        if public.version != self.next_recovery()? {
            return Err(SessionError::Conflict {
                what: "another recovery key came into force while these cards were made".to_owned(),
                next: "burn what was printed; the newer key's cards are with whoever made it".to_owned(),
            });
        }
        let kept = KeptSet::of(set);
        let next = NextSet::of(kept.clone(), &public);
        // Known before the root can be in force: a process that dies in between has a set that nothing refers to.
        let json = next.to_json()?;
        self.store
            .write(|tx| Ok::<_, SessionError>(tx.put_local(NEXT, &json)?))?;
        let proposal = Proposal::make(&self.holder.agency, self.acting(), |root| root.recovery = public)
            .map_err(refused("recovery key"))?;
        let proposal = self.signed(AGENCY_PROPOSE, proposal, task);
        if proposal.is_err() && !self.recovery_next_is_in_force()? {
            self.store.write(|tx| Ok::<_, SessionError>(tx.remove_local(NEXT)?))?;
        }
        let proposal = proposal?;
        if proposal.in_force && !self.has_server()? {
            self.forget_superseded_key()?;
        }
        self.mend_set();
        Ok((kept.into_reply(), proposal))
    }

    /// Tells whether the key of the cards that were made last is in force: the root names it.
    ///
    /// # Errors
    /// [`SessionError`] of the store.
    pub fn recovery_next_is_in_force(&self) -> Result<bool> {
        Ok(self
            .next_set()?
            .is_some_and(|next| next.is_of(&self.holder.agency.root().recovery)))
    }

    fn next_recovery(&self) -> Result<u32> {
        let version = self.holder.agency.root().recovery.version.checked_add(1);
        version.ok_or_else(|| SessionError::refused(Check::RootChain, "recovery key"))
    }

    /// Proves that all cards of a set are there and that each choice of as many as are needed gives the same key: `known`,
    /// where there is one.
    pub(super) fn proved(
        &self,
        cards: &[CardInput],
        known: Option<&RecoverySeeds>,
    ) -> Result<(recovery::CardSet, RecoverySeeds)> {
        let agency = self.holder.agency.id();
        let read = super::read_cards(cards)?;
        let set = recovery::compare(&read, Some(agency)).map_err(|fault| super::card_error(&fault, cards))?;
        let short = |check| {
            let fault = recovery::CardFault {
                card: None,
                other: None,
                check,
            };
            super::card_error(&fault, cards)
        };
        if read.len() != usize::from(set.shares) {
            return Err(short(Check::CardsMissing));
        }
        let mut first: Option<RecoverySeeds> = None;
        for places in recovery::subsets(read.len(), usize::from(set.threshold)) {
            let chosen: Vec<_> = places.iter().filter_map(|at| read.get(*at).cloned()).collect();
            let back = recovery::combine(agency, &chosen).map_err(|fault| super::card_error(&fault, cards))?;
            if let Some(known) = known.or(first.as_ref())
                && (back.recipient != known.recipient || back.signing != known.signing)
            {
                return Err(short(Check::CardsCombine));
            }
            first.get_or_insert(back);
        }
        let key = first.ok_or_else(|| short(Check::CardsMissing))?;
        Ok((set, key))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::session::Cancel;
    use crate::session::Silent;
    use crate::session::recovery::read_set;
    use crate::session::reply::CardsReply;
    use crate::session::tests::Vault;

    fn asked() -> RecoverySplitRequest {
        RecoverySplitRequest {
            threshold: 2,
            shares: 3,
            folder: "cards".to_owned(),
        }
    }

    fn inputs(cards: &CardsReply) -> Vec<CardInput> {
        let input = |card: &crate::session::reply::CardWords| CardInput {
            name: format!("card {}", card.number),
            words: card.words.clone(),
        };
        cards.cards.iter().map(input).collect()
    }

    fn watched<T>(act: impl FnOnce(Task<'_>) -> T) -> T {
        act(Task {
            progress: &Silent,
            cancel: &Cancel::default(),
        })
    }

    #[test]
    fn a_new_key_is_in_force_from_the_root_on_and_in_no_keystore() {
        let mut vault = Vault::made();
        let old = vault.s().recovery_cards(asked()).unwrap();
        vault.s().recovery_confirm(&inputs(&old)).unwrap();
        let new = vault.s().recovery_new_cards(&asked()).unwrap();
        // Cut off here nothing has changed: the old cards are the ones.
        vault.open();
        assert!(!vault.s().recovery_next_is_in_force().unwrap());
        assert_eq!(read_set(&vault.places).unwrap().set, old.set);
        // Two cards of three prove nothing of the third.
        let some = inputs(&new)[..2].to_vec();
        let refused = watched(|task| vault.s().recovery_renew(&some, task)).unwrap_err();
        assert_eq!(refused.check(), Some(Check::CardsMissing));
        let (reply, proposal) = watched(|task| vault.s().recovery_renew(&inputs(&new), task)).unwrap();
        assert!(proposal.in_force && vault.s().recovery_next_is_in_force().unwrap());
        assert_eq!((reply.set, reply.version), (new.set.clone(), 2));
        assert_eq!(read_set(&vault.places).unwrap().set, new.set);
        assert!(vault.s().holder.secrets.recovery.is_none());
        vault.open();
        // Cards of a key that was overtaken are refused, with nothing signed.
        let late = watched(|task| vault.s().recovery_renew(&inputs(&new), task)).unwrap_err();
        assert!(matches!(late, SessionError::Conflict { .. }), "{late:?}");
    }

    #[test]
    fn of_a_key_that_another_one_stands_for_no_cards_are_made() {
        let mut vault = Vault::made();
        let new = vault.s().recovery_new_cards(&asked()).unwrap();
        watched(|task| vault.s().recovery_renew(&inputs(&new), task)).unwrap();
        // The founder's own key is gone: it would open all that was written before.
        assert_eq!(vault.s().recovery_key_is_kept(), Some(false));
        let refused = vault.s().recovery_cards(asked()).err().unwrap();
        assert!(matches!(refused, SessionError::NoRecoveryKey { .. }), "{refused:?}");
        assert_eq!(read_set(&vault.places).unwrap().set, new.set);
    }

    #[test]
    fn cards_of_a_proposed_key_are_known_and_the_older_ones_stay_the_vaults() {
        let mut vault = Vault::made();
        let old = vault.s().recovery_cards(asked()).unwrap();
        vault.s().recovery_confirm(&inputs(&old)).unwrap();
        let new = vault.s().recovery_new_cards(&asked()).unwrap();
        let set = KeptSet::from_json(
            &serde_json::to_vec(&serde_json::json!({
                "schema": "casevault.recovery.set/1", "version": 2, "threshold": 2, "shares": 3, "set": new.set,
            }))
            .unwrap(),
        );
        let next = NextSet {
            cards: set.unwrap(),
            signing: "00".repeat(32),
        };
        vault
            .s()
            .store
            .write(|tx| tx.put_local(NEXT, &next.to_json().unwrap()))
            .unwrap();
        vault.open();
        let places = vault.places.clone();
        let current = |cards: &CardsReply| Session::recovery_check(&places, &inputs(cards)).unwrap().current;
        assert_eq!((current(&old), current(&new)), (Some(true), Some(false)));
    }
}
