//! An agency of one person is founded, opens a case and writes in it; every link is judged as a stranger would.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use vault_core::agency_state::AgencyState;
use vault_core::case_state::CaseState;
use vault_core::crypto::sign::SigningKey;
use vault_core::founding;
use vault_core::id::CaseId;
use vault_core::id::PolicyHash;
use vault_core::opening;
use vault_core::stream::Chain;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::PlacedEvent;
use vault_core::wire::v1::stream::Month;
use vault_core::wire::v1::stream::StreamId;

#[test]
fn a_founded_agency_and_a_case_are_judged_from_their_links_alone() {
    let mut random = UnwrapErr(SysRng);
    let founded = founding::found(
        b"{\"schema\":\"casevault.settings/1\"}",
        PolicyHash([0; 32]),
        Month(682),
        &mut random,
    )
    .unwrap();
    let mut links = founded.links.iter();
    let (first, _) = links.next().unwrap();
    let mut agency = AgencyState::found(first.as_unverified()).unwrap();
    for (link, parts) in links {
        let stored: Vec<_> = parts.iter().map(|p| p.stored()).collect();
        agency.admit(link.as_unverified().clone(), &stored).unwrap();
    }
    assert_eq!(agency.head(), founded.agency.head());

    let case = CaseId(opening::fresh_id(&mut random));
    let stream = StreamId::case(case);
    let (membership, _) = opening::open_case(&agency, stream, founded.member, &mut random).unwrap();
    let mut chain = Chain::empty(agency.id(), stream);
    let event = PlacedEvent {
        event: Event::CaseOpened(membership),
        sealed: Vec::new(),
    };
    let signer = SigningKey::from_seed(&founded.secrets.device);
    let link = chain
        .append(agency.head(), founded.device, LinkBody::Event(event))
        .unwrap()
        .sign(&signer);
    let mut state = CaseState::empty(case);
    state.judge(&agency, link.as_unverified(), &[]).unwrap();
    assert_eq!(state.owner(), Some(founded.member));
    assert_eq!(state.sections().len(), founding::SECTIONS.len());

    let section = vault_core::wire::v1::stream::Section::FIRST_PRIVATE;
    let (membership, _) = opening::open_private(&agency, stream, section, founded.member, &mut random).unwrap();
    let event = PlacedEvent {
        event: Event::Membership(membership),
        sealed: Vec::new(),
    };
    let link = chain
        .append(agency.head(), founded.device, LinkBody::Event(event))
        .unwrap()
        .sign(&signer);
    state.judge(&agency, link.as_unverified(), &[]).unwrap();
    assert_eq!(state.private_section(founded.member), Some(section));
}
