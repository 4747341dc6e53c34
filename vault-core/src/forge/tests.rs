//! A test for every check, and the attacks on what core alone decides.

mod attack_bytes;
mod attack_confusion;
mod attack_members;
mod attack_salamander;
mod attack_splice;
mod attack_unlock;
mod chk_access;
mod chk_agency;
mod chk_backup;
mod chk_change;
mod chk_every;
mod chk_keys;
mod chk_link;
mod chk_membership;
mod chk_record;
mod chk_restore;
mod chk_wire;
mod chk_write;
mod knowing;
mod samples;

use super::CaseFile;
use super::World;
use super::guard;
use crate::check::Check;
use crate::check::Refused;
use crate::wire::v1::event::Event;
use crate::wire::v1::membership::Membership;
use crate::wire::v1::stream::Section;

/// Asserts that `check` refuses `attempt`.
fn refused(check: Check, attempt: Result<(), Refused>) {
    assert_eq!(attempt.map_err(|refused| refused.check), Err(check));
}

/// Asserts that `check` refuses `attempt`, and that with it taken out nothing else would.
fn guarded(check: Check, attempt: impl Fn() -> Result<(), Refused>) {
    refused(check, attempt());
    let open = guard::without(check, &attempt);
    assert_eq!(open, Ok(()), "with {check} taken out, something else still refuses");
}

/// Asserts that `check` refuses `attempt`, and that with it taken out `second` still does.
fn guarded_twice(check: Check, second: Check, attempt: impl Fn() -> Result<(), Refused>) {
    refused(check, attempt());
    refused(second, guard::without(check, &attempt));
}

/// Asserts that honest writers still can: each of `people` places a note in core.
fn still_works(world: &World, case: &CaseFile, people: &[usize]) {
    for person in people {
        let made = case.note(world, *person, Section::CORE, 200 + *person as u8);
        assert_eq!(case.judged_record(world, *person, &made), Ok(()));
        let opened = case.opened(
            world,
            &made,
            super::twin::RecordTwin::of(&made.record).received().unwrap(),
        );
        assert_eq!(opened.unwrap(), b"{\"schema\":\"casevault.note/1\"}");
    }
}

fn change(membership: Membership) -> Event {
    Event::Membership(membership)
}
