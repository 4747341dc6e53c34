//! The rules for one change of members (`docs/format.md` §7, CHK-60 to CHK-72 and CHK-79).

use super::CaseState;
use super::GrantState;
use crate::agency_state::AgencyView;
use crate::agency_state::require_keyrings;
use crate::check::Check;
use crate::check::Refused;
use crate::check::require;
use crate::id::GrantId;
use crate::id::MemberId;
use crate::wire;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::key::RecipientRef;
use crate::wire::v1::membership::EpochKind;
use crate::wire::v1::membership::EpochOpen;
use crate::wire::v1::membership::Grant;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::membership::Rights;
use crate::wire::v1::stream::Epoch;
use crate::wire::v1::stream::Section;
use std::collections::BTreeSet;

/// Opens the case: its first link.
pub(super) fn open(
    state: &mut CaseState,
    agency: AgencyView<'_>,
    signer: MemberId,
    cited: u64,
    change: &Membership,
) -> Result<(), Refused> {
    let keeps_cases = Roles::CASEWORKER.with(Roles::SUPERVISOR).with(Roles::DUTY);
    require(agency.live_roles(signer)?.any(keeps_cases), Check::CaseFounding)?;
    require(
        change.owner == Some(signer) && change.revoked.is_empty() && change.due.is_empty(),
        Check::CaseFounding,
    )?;
    let opened: BTreeSet<_> = change.opens.iter().map(|o| o.section).collect();
    require(
        opened.contains(&Section::INDEX) && opened.contains(&Section::CORE),
        Check::CaseFounding,
    )?;
    let whole = change.grants.iter().any(|g| {
        let named: BTreeSet<_> = g.sections.iter().map(|s| s.section).collect();
        g.member == signer
            && g.rights == Rights::ALL
            && g.until.is_none()
            && opened.iter().filter(|s| !s.is_private()).all(|s| named.contains(s))
    });
    require(whole, Check::CaseFounding)?;
    // The owner holds what it opens: its own grant is what it then gives from.
    let before = state.clone();
    state.owner = Some(signer);
    apply(&before, state, agency, signer, cited, change, &[])
}

/// Changes the members of an open case. `expired` are grants that end by their date.
pub(super) fn change(
    state: &mut CaseState,
    agency: AgencyView<'_>,
    signer: MemberId,
    cited: u64,
    change: &Membership,
    expired: &[GrantId],
) -> Result<(), Refused> {
    let before = state.clone();
    // Whoever holds nothing has nothing to change.
    require(before.holds_anything(signer), Check::GrantorRights)?;
    apply(&before, state, agency, signer, cited, change, expired)
}

fn apply(
    before: &CaseState,
    after: &mut CaseState,
    agency: AgencyView<'_>,
    signer: MemberId,
    cited: u64,
    change: &Membership,
    expired: &[GrantId],
) -> Result<(), Refused> {
    require_sets(change)?;
    revoke(before, after, signer, &change.revoked, expired)?;
    for grant in &change.grants {
        require(!before.grants.contains_key(&grant.grant), Check::GrantReused)?;
        let known = GrantState {
            grant: grant.clone(),
            live: true,
        };
        require(after.grants.insert(grant.grant, known).is_none(), Check::GrantReused)?;
    }
    let mut recipients = BTreeSet::new();
    for open in &change.opens {
        number(after, open)?;
        let section = after.sections.entry(open.section).or_default();
        let list = if open.kind == EpochKind::History {
            &mut section.histories
        } else {
            &mut section.heads
        };
        list.push(open.clone());
        if open.kind == EpochKind::Head {
            section.due = false;
            section.readers = open.recipients.iter().copied().collect();
        }
    }
    for open in &change.opens {
        may_open(before, after, signer, open)?;
        let expected = after.recipients_of(agency, open.section, open.kind, open.of, open.private_author, cited)?;
        require_recipients(open, &expected)?;
        recipients.extend(expected);
    }
    for grant in &change.grants {
        require_grant(before, after, agency, signer, grant, change)?;
        let cited = agency.state().at(cited);
        let grantee = cited.member_ref(grant.member).ok_or(Check::RecipientVersion)?;
        for granted in &grant.sections {
            after
                .sections
                .entry(granted.section)
                .or_default()
                .readers
                .insert(grantee);
        }
        recipients.insert(grantee);
    }
    if let Some(owner) = change.owner {
        require_owner(before, after, agency, signer, owner)?;
        after.owner = Some(owner);
    }
    require_rotation(before, after, signer, change)?;
    require_keyrings(&change.keyrings, &recipients)?;
    after.keyrings.extend(change.keyrings.iter().copied());
    Ok(())
}

fn require_sets(change: &Membership) -> Result<(), Refused> {
    wire::require_set(&change.grants)?;
    wire::require_set(&change.revoked)?;
    wire::require_set(&change.opens)?;
    wire::require_set(&change.due)?;
    wire::require_set(&change.keyrings)?;
    for grant in &change.grants {
        wire::require_set(&grant.sections)?;
        let named: BTreeSet<_> = grant.sections.iter().map(|s| s.section).collect();
        require(named.len() == grant.sections.len(), Check::NotCanonical)?;
    }
    for open in &change.opens {
        wire::require_set(&open.recipients)?;
    }
    Ok(())
}

fn revoke(
    before: &CaseState,
    after: &mut CaseState,
    signer: MemberId,
    revoked: &[GrantId],
    expired: &[GrantId],
) -> Result<(), Refused> {
    let owns = before.owns(signer);
    for id in revoked.iter().chain(expired) {
        let state = after.grants.get_mut(id).filter(|g| g.live).ok_or(Check::Revocation)?;
        require(
            owns || state.grant.member == signer || expired.contains(id),
            Check::Revocation,
        )?;
        state.live = false;
    }
    Ok(())
}

/// The number is the next of its kind, and the fields of the other kind are empty.
fn number(state: &CaseState, open: &EpochOpen) -> Result<(), Refused> {
    let empty = super::SectionState::default();
    let section = state.sections.get(&open.section).unwrap_or(&empty);
    let heads = u32::try_from(section.heads.len()).map_err(|_| Check::EpochNumber)?;
    let histories = u32::try_from(section.histories.len()).map_err(|_| Check::EpochNumber)?;
    match open.kind {
        EpochKind::Head => {
            require(
                open.epoch == Epoch(heads) && open.of == Epoch::FIRST,
                Check::EpochNumber,
            )?;
            require(heads < Epoch::FIRST_HISTORY.0, Check::EpochNumber)
        }
        EpochKind::History => {
            let next = Epoch::FIRST_HISTORY
                .0
                .checked_add(histories)
                .ok_or(Check::EpochNumber)?;
            require(open.epoch == Epoch(next) && open.of.0 < heads, Check::EpochNumber)
        }
    }
}

fn may_open(before: &CaseState, after: &CaseState, signer: MemberId, open: &EpochOpen) -> Result<(), Refused> {
    let check = Check::EpochOpener;
    require(open.section.is_private() == open.private_author.is_some(), check)?;
    require(open.section != Section::DPO_IDENTITY, check)?;
    if let Some(author) = open.private_author {
        require(author == signer && after.holds_anything(signer), check)?;
        let mut own = after
            .sections
            .iter()
            .filter(|(s, _)| s.is_private())
            .flat_map(|(s, state)| {
                state
                    .heads
                    .iter()
                    .chain(&state.histories)
                    .map(|h| (*s, h.private_author))
            });
        // One author a private section, and one private section an author, for the life of the case.
        return require(own.all(|(s, a)| (s == open.section) == (a == Some(author))), check);
    }
    if open.kind == EpochKind::Head && open.epoch == Epoch::FIRST {
        // A new section: the owner opens it, with its own grant over it in the same link. An owner who gave its grants
        // away opens nothing: the section would have no holder for ever.
        return require(after.owner == Some(signer) && after.owns(signer), check);
    }
    require(before.may_write(signer, open.section), check)
}

fn require_recipients(open: &EpochOpen, expected: &BTreeSet<RecipientRef>) -> Result<(), Refused> {
    let named: BTreeSet<_> = open.recipients.iter().copied().collect();
    let who = |set: &BTreeSet<RecipientRef>| set.iter().map(|r| (r.kind, r.id)).collect::<BTreeSet<_>>();
    require(who(&named) == who(expected), Check::EpochRecipients)?;
    require(named == *expected, Check::RecipientVersion)
}

fn require_grant(
    before: &CaseState,
    after: &CaseState,
    agency: AgencyView<'_>,
    signer: MemberId,
    grant: &Grant,
    change: &Membership,
) -> Result<(), Refused> {
    require(
        grant.rights.is_valid() && grant.sections.iter().any(|s| s.section == Section::INDEX),
        Check::GrantRights,
    )?;
    agency.live_member(grant.member).map_err(|_| Check::Grantee)?;
    // At the opening, and over a section opened here for the first time, the owner gives from nothing but itself.
    let opening = before.owner.is_none();
    for granted in &grant.sections {
        let section = after
            .sections
            .get(&granted.section)
            .filter(|s| !s.heads.is_empty())
            .ok_or(Check::GrantRights)?;
        require(
            !granted.section.is_private() && !granted.from_epoch.is_history(),
            Check::GrantRights,
        )?;
        let here = |o: &EpochOpen| o.section == granted.section && o.kind == EpochKind::Head;
        let opens_here = change.opens.iter().find(|o| here(o)).map(|o| o.epoch);
        let new_section = before.sections.get(&granted.section).is_none_or(|s| s.heads.is_empty());
        require(
            section.heads.iter().any(|h| h.epoch == granted.from_epoch),
            Check::FromNow,
        )?;
        if new_section && (opening || before.owner == Some(signer)) {
            continue;
        }
        let held = before
            .live_grants(signer)
            .filter(|g| g.rights.contains(Rights::SHARE) && g.rights.contains(grant.rights))
            .flat_map(|g| &g.sections)
            .filter(|s| s.section == granted.section)
            .map(|s| s.from_epoch)
            .min()
            .ok_or(Check::GrantorRights)?;
        require(held <= granted.from_epoch, Check::GrantorRights)?;
        let from_now = opens_here == Some(granted.from_epoch);
        require(
            granted.from_epoch == held || from_now || granted.from_epoch == Epoch::FIRST,
            Check::FromNow,
        )?;
    }
    Ok(())
}

fn require_owner(
    before: &CaseState,
    after: &CaseState,
    agency: AgencyView<'_>,
    signer: MemberId,
    owner: MemberId,
) -> Result<(), Refused> {
    let opening = before.owner.is_none();
    require(opening || before.owns(signer), Check::Owner)?;
    agency.live_member(owner).map_err(|_| Check::Owner)?;
    require(after.owns(owner), Check::Owner)
}

/// A section that loses a holder is rotated by whoever can, and otherwise due.
fn require_rotation(
    before: &CaseState,
    after: &mut CaseState,
    signer: MemberId,
    change: &Membership,
) -> Result<(), Refused> {
    let sections: Vec<_> = before.sections.keys().copied().filter(|s| !s.is_private()).collect();
    for due in &change.due {
        require(sections.contains(due), Check::RotationOwed)?;
    }
    for section in sections {
        let lost = !before.holders(section).is_subset(&after.holders(section));
        let opened = change
            .opens
            .iter()
            .any(|o| o.section == section && o.kind == EpochKind::Head);
        let due = change.due.contains(&section);
        let can = before.may_write(signer, section) && after.may_write(signer, section);
        require(!(opened && due), Check::RotationOwed)?;
        // A mark stops every writer, so it takes a loss to mark, or somebody who could rotate as well.
        require(
            !due || lost || before.may_write(signer, section) || before.owns(signer),
            Check::RotationOwed,
        )?;
        require(!lost || opened || (due && !can), Check::RotationOwed)?;
        if due {
            after.sections.entry(section).or_default().due = true;
        }
    }
    Ok(())
}
