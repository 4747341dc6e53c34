//! Appending: what is stored, what is a conflict, what is refused and by which check.

use vault_core::check::Check;
use vault_core::forge::World;
use vault_core::forge::case::none;
use vault_core::id::{LinkId, RecordHash, WrapHash};
use vault_core::wire::v1::event::{Erasure, ErasureGround, Event};
use vault_core::wire::v1::link::{LinkBody, PlacedEvent, Seen};
use vault_core::wire::v1::membership::Rights;
use vault_core::wire::v1::stream::{Epoch, Section};
use vault_core::wire::v1::sync::{CarriedBody, ErasedBody, Heads, Outcome};

use crate::kit::{Office, Server, link_id};

fn refused(check: Check) -> Outcome {
    Outcome::Refused(check.number())
}

#[test]
pub(crate) fn an_agency_grows_link_by_link_and_what_it_appended_comes_back() {
    let server = Server::start(&[]);
    let mut office = Office::found(&server, 1, 3);
    let links = office.world.links.len() as u64;
    assert_eq!(links, 5);
    let mut sent = vec![office.open_case()];
    for _ in 0..3 {
        sent.push(office.note(0));
    }
    let accesses = vec![office.access(0), office.access(0), office.access(0)];
    assert_eq!(office.stored(&server, sent.clone()), [5, 6, 7, 8]);
    assert_eq!(office.stored(&server, accesses.clone()), [9, 10, 11]);

    let page = office.page(&server, 0, office.case_stream(), 0);
    assert_eq!(page.more, 0);
    let leaves: Vec<_> = page.parcels.iter().map(|placed| placed.leaf).collect();
    assert_eq!(leaves, [5, 6, 7, 8]);
    let back: Vec<_> = page.parcels.into_iter().map(|placed| placed.parcel).collect();
    assert_eq!(back, sent);
    let page = office.page(&server, 0, office.access_stream(0), 1);
    let back: Vec<_> = page.parcels.into_iter().map(|placed| placed.parcel).collect();
    assert_eq!(back, accesses[1..]);
    let mut server = server;
    server.stop();
}

#[test]
pub(crate) fn attack_58_what_was_appended_is_appended_again_without_change() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 2, 1);
    let (one, two, three) = (office.note(0), office.note(0), office.note(0));
    let first = office.stored(&server, vec![one.clone(), two.clone()]);
    assert_eq!(office.stored(&server, vec![one.clone()]), first[..1]);
    // A batch of which some is there.
    let again = office.stored(&server, vec![one.clone(), two, three.clone()]);
    assert_eq!(again[..2], first);
    assert_eq!(again[2], first[1] + 1);
    assert_eq!(office.stored(&server, vec![one.clone(), one]), [first[0], first[0]]);
    let page = office.page(&server, 0, office.case_stream(), 0);
    assert_eq!(page.parcels.len(), 4);
    assert_eq!(page.parcels[3].parcel, three);
}

#[test]
pub(crate) fn a_stream_that_moved_on_is_a_conflict_with_both_heads() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 3, 2);
    let before = office.case.clone();
    let one = office.note(0);
    let ours = office.case.clone();
    office.case = before.clone();
    let other = office.note(0);
    let third = office.note(0);
    let agency = office.world.agency.head();
    office.stored(&server, vec![one.clone()]);
    let heads = Heads {
        links: 2,
        stream: link_id(&one),
        agency,
    };
    // The other's, made against the same head, and what would follow it is not tried.
    let reply = office.append(&server, vec![other, third.clone()]);
    assert_eq!(reply.outcomes, [Outcome::Conflict(heads), Outcome::NotTried]);
    // A link too far ahead.
    assert_eq!(office.outcome(&server, third), Outcome::Conflict(heads));
    // A stream without links.
    let mut elsewhere = vault_core::forge::CaseFile::open(&office.world, 77, 0);
    std::mem::swap(&mut office.case, &mut elsewhere);
    let unknown = office.note(0);
    let nothing = Heads {
        links: 0,
        stream: LinkId::ZERO,
        agency,
    };
    assert_eq!(office.outcome(&server, unknown), Outcome::Conflict(nothing));
    // A link that cites an agency head which the server has not.
    office.case = ours;
    office.world.join(vault_core::forge::Person::new(
        990,
        vault_core::wire::v1::agency::Roles::CASEWORKER,
    ));
    let ahead = office.note(0);
    assert_eq!(office.outcome(&server, ahead), Outcome::Conflict(heads));
    // The agency's own stream likewise.
    let skipped = office.world.links.last().unwrap();
    let own = Heads {
        links: 3,
        stream: agency,
        agency,
    };
    assert_eq!(office.outcome(&server, office.parcel(skipped)), Outcome::Conflict(own));
}

#[test]
pub(crate) fn nobody_but_its_founder_founds_an_agency_and_only_once() {
    let server = Server::start(&[]);
    let office = Office::register(&server, 4, 1);
    let other = Office::register(&server, 5, 1);
    // No link of another agency, and none before the founding.
    let foreign = other.parcel(&other.world.links[0]);
    let reply = office.append_as(&server, None, vec![foreign]);
    assert_eq!(reply.outcomes, [refused(Check::Agency)]);
    let mut early = Office::register(&server, 4, 1);
    let opening = early.open_case();
    let reply = office.append_as(&server, None, vec![opening]);
    assert!(matches!(reply.outcomes[..], [Outcome::Conflict(_)]));
    let mut forged = office.parcel(&office.world.links[0]);
    forged.signature.0[5] ^= 1;
    let reply = office.append_as(&server, None, vec![forged]);
    assert_eq!(reply.outcomes, [refused(Check::LinkSignature)]);
    let founding = office.parcel(&office.world.links[0]);
    let reply = office.append_as(&server, None, vec![founding.clone()]);
    assert_eq!(reply.outcomes, [Outcome::Stored(0)]);
    // From now on a session is needed.
    let answer = server.ask("POST", "/v1/append", &[], &office.request(vec![founding]));
    assert_eq!((answer.status, answer.problem().as_str()), (401, "no-session"));
}

#[test]
pub(crate) fn what_any_reader_would_refuse_is_refused_by_the_same_check() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 6, 3);
    let grant = office.case.grant(&office.world, 1, Rights::READ);
    let granting = vault_core::forge::case::granting(&office.world, &[grant]);
    let granted = office.event(0, Event::Membership(granting));
    let (note, made) = office.note_made(0);
    office.stored(&server, vec![granted, note]);
    let honest = office.case.clone();
    let case = |office: &Office, by: usize, body: LinkBody| {
        let link = office.case.link(&office.world, by, body);
        office.sign(by, link)
    };
    let event = |event: Event| {
        let sealed = Vec::new();
        LinkBody::Event(PlacedEvent { event, sealed })
    };

    // CHK-45 and CHK-15: signatures.
    let mut parcel = office.note(0);
    parcel.signature.0[0] ^= 1;
    assert_eq!(office.outcome(&server, parcel), refused(Check::LinkSignature));
    office.case = honest.clone();
    let mut parcel = office.note(0);
    parcel.records[0].signature.0[0] ^= 1;
    assert_eq!(office.outcome(&server, parcel), refused(Check::RecordSignature));
    office.case = honest.clone();
    // CHK-139: other bytes than the link names.
    let mut parcel = office.note(0);
    let CarriedBody::Kept(body) = &mut parcel.records[0].body else {
        panic!()
    };
    body.ciphertext[0] ^= 1;
    assert_eq!(office.outcome(&server, parcel), refused(Check::Parcel));
    office.case = honest.clone();
    // CHK-02: a link that is not in its one form.
    let mut parcel = office.note(0);
    parcel.link.push(0);
    assert_eq!(office.outcome(&server, parcel), refused(Check::NotCanonical));
    office.case = honest.clone();
    // CHK-75: a reader writes; CHK-44: a stranger does.
    let read_only = office.case.note(&office.world, 1, Section::CORE, 91);
    let link = case(&office, 1, LinkBody::Record(read_only.placement));
    let carried = vault_core::parcel::carry(read_only.record.as_unverified(), &read_only.wrap);
    let parcel = vault_core::parcel::pack(&link, vec![carried], Vec::new()).unwrap();
    assert_eq!(office.outcome(&server, parcel), refused(Check::WriteRight));
    let strangers = World::new(60, 1);
    let mut link = office.case.link(&office.world, 0, LinkBody::Record(made.placement));
    link.device = strangers.people[0].device;
    let signed = vault_core::forge::twin::LinkTwin::signed(link, &strangers.people[0].signer);
    let carried = vault_core::parcel::carry(made.record.as_unverified(), &made.wrap);
    let parcel = vault_core::parcel::pack(&signed.received().unwrap(), vec![carried.clone()], Vec::new()).unwrap();
    assert_eq!(office.outcome(&server, parcel), refused(Check::Signer));
    // CHK-48: the same record again; CHK-16: one that amends what is not there.
    let link = case(&office, 0, LinkBody::Record(made.placement));
    let parcel = vault_core::parcel::pack(&link, vec![carried], Vec::new()).unwrap();
    assert_eq!(office.outcome(&server, parcel), refused(Check::PlacedTwice));
    let mut header = office.case.header(&office.world, 0, Section::CORE, 92);
    (header.version, header.amends) = (2, RecordHash([5; 32]));
    let amending = office.case.make(&office.world, 0, header);
    let link = case(&office, 0, LinkBody::Record(amending.placement));
    let carried = vault_core::parcel::carry(amending.record.as_unverified(), &amending.wrap);
    let parcel = vault_core::parcel::pack(&link, vec![carried], Vec::new()).unwrap();
    assert_eq!(office.outcome(&server, parcel), refused(Check::Amends));
    // CHK-74: under an epoch that is not the head.
    let mut placement = office.case.note(&office.world, 0, Section::CORE, 93).placement;
    placement.epoch = Epoch(1);
    let later = office.case.note(&office.world, 0, Section::CORE, 93);
    placement.record_hash = later.record.hash();
    placement.wrap_hash = later.wrap.hash();
    let link = case(&office, 0, LinkBody::Record(placement));
    let carried = vault_core::parcel::carry(later.record.as_unverified(), &later.wrap);
    let parcel = vault_core::parcel::pack(&link, vec![carried], Vec::new()).unwrap();
    assert_eq!(office.outcome(&server, parcel), refused(Check::EpochHead));
    // CHK-46: a checkpoint that nobody can verify yet.
    let mut link = office.case.link(&office.world, 0, event(Event::Relation));
    link.seen = Some(Seen {
        size: 1,
        root: [0; 32],
        signature: vault_core::crypto::sign::Signature([0; 64]),
    });
    let link = office.sign(0, link);
    assert_eq!(
        office.outcome(&server, office.parcel(&link)),
        refused(Check::SeenCheckpoint)
    );
    // CHK-80 and CHK-81: erasures of what is not there, and by whom it is not theirs to erase.
    let erasure = |hash, ground| {
        event(Event::Erasure(Erasure {
            records: vec![hash],
            ground,
        }))
    };
    let link = case(&office, 0, erasure(RecordHash([7; 32]), ErasureGround::Decided));
    assert_eq!(
        office.outcome(&server, office.parcel(&link)),
        refused(Check::ErasureTarget)
    );
    for stranger in [1, 2] {
        let link = case(&office, stranger, erasure(made.record.hash(), ErasureGround::Decided));
        assert_eq!(
            office.outcome(&server, office.parcel(&link)),
            refused(Check::ErasureRight)
        );
    }
    // CHK-90: an access entry before its segment; CHK-44: in somebody else's stream.
    let (segment, entry) = (office.access(1), office.access(1));
    let outcome = office.outcome(&server, entry.clone());
    assert!(matches!(outcome, Outcome::Conflict(_)), "{outcome:?}");
    office.stored(&server, vec![segment, entry]);
    // CHK-25: a caseworker retires a member.
    let retiring = Event::MemberRetired(office.world.people[0].member);
    let link = office.sign(1, office.world.link(1, retiring));
    assert_eq!(
        office.outcome(&server, office.parcel(&link)),
        refused(Check::AdministratorOnly)
    );
    // Nothing of all that was kept: the honest next link is the next.
    office.case = honest;
    let note = office.note(0);
    office.stored(&server, vec![note]);
    assert_eq!(office.page(&server, 0, office.case_stream(), 0).parcels.len(), 4);
}

#[test]
pub(crate) fn those_before_a_refused_one_stay_stored_and_those_after_are_not_tried() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 7, 1);
    let (one, mut two, three) = (office.note(0), office.note(0), office.note(0));
    two.signature.0[9] ^= 1;
    let reply = office.append(&server, vec![one, two, three]);
    let [Outcome::Stored(2), second, Outcome::NotTried] = reply.outcomes[..] else {
        panic!("{reply:?}")
    };
    assert_eq!(second, refused(Check::LinkSignature));
}

#[test]
pub(crate) fn a_batch_may_bring_the_device_that_signs_the_rest_of_it() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 8, 1);
    let before = office.world.links.len();
    office.world.join(vault_core::forge::Person::new(
        881,
        vault_core::wire::v1::agency::Roles::CASEWORKER,
    ));
    let joined: Vec<_> = office.world.links[before..].to_vec();
    let mut batch: Vec<_> = joined.iter().map(|link| office.parcel(link)).collect();
    let grant = office.case.grant(&office.world, 1, Rights::ALL);
    let granting = vault_core::forge::case::granting(&office.world, &[grant]);
    batch.push(office.event(0, Event::Membership(granting)));
    batch.push(office.note(1));
    let mut forged = office.note(1);
    forged.signature.0[3] ^= 1;
    batch.push(forged);
    let reply = office.append(&server, batch);
    let stored = reply.outcomes.iter().filter(|o| matches!(o, Outcome::Stored(_)));
    assert_eq!(stored.count(), 4);
    assert_eq!(reply.outcomes[4], refused(Check::LinkSignature));
}

#[test]
pub(crate) fn a_case_is_judged_alike_after_the_server_was_started_again() {
    let mut server = Server::start(&[]);
    let mut office = Office::with_case(&server, 9, 2);
    let (note, made) = office.note_made(0);
    office.stored(&server, vec![note]);
    server.stop();
    let server = server.again(&[]);
    let honest = office.case.clone();
    let mut header = office.case.header(&office.world, 0, Section::CORE, 0);
    header.record = made.record.header().record;
    let second_first = office.case.make(&office.world, 0, header.clone());
    let link = office
        .case
        .link(&office.world, 0, LinkBody::Record(second_first.placement));
    let link = office.sign(0, link);
    let carried = vault_core::parcel::carry(second_first.record.as_unverified(), &second_first.wrap);
    let parcel = vault_core::parcel::pack(&link, vec![carried], Vec::new()).unwrap();
    assert_eq!(office.outcome(&server, parcel), refused(Check::PlacedTwice));
    (header.version, header.amends) = (2, made.record.hash());
    let amending = office.case.make(&office.world, 0, header);
    let parcel = office.place(0, &amending);
    office.stored(&server, vec![parcel]);
    let rotation = honest.rotation(&office.world, &[Section::CORE], &[0]);
    let rotated = office.event(0, Event::Membership(rotation));
    office.stored(&server, vec![rotated]);
    let note = office.note(0);
    office.stored(&server, vec![note]);
}

#[test]
pub(crate) fn an_access_stream_goes_on_after_the_server_was_started_again() {
    let mut server = Server::start(&[]);
    let mut office = Office::found(&server, 11, 1);
    let links: Vec<_> = (0..4).map(|_| office.access(0)).collect();
    office.stored(&server, links[..2].to_vec());
    server.stop();
    let server = server.again(&[]);
    office.stored(&server, links[2..3].to_vec());
    office.stored(&server, links.clone());
}

#[test]
pub(crate) fn records_may_come_without_their_bytes_where_those_were_erased_before() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 10, 1);
    let (mut note, made) = office.note_made(0);
    let CarriedBody::Kept(_) = &note.records[0].body else {
        panic!()
    };
    let ciphertext = vault_core::record::Ciphertext::from(made.record.ciphertext().to_vec()).hash();
    let wrap: WrapHash = made.wrap.hash();
    note.records[0].body = CarriedBody::Erased(ErasedBody { ciphertext, wrap });
    let erasure = Erasure {
        records: vec![made.record.hash()],
        ground: ErasureGround::Withdrawn,
    };
    let erased = office.event(0, Event::Erasure(erasure));
    office.stored(&server, vec![note.clone(), erased]);
    let page = office.page(&server, 0, office.case_stream(), 1);
    assert_eq!(page.parcels[0].parcel, note);
    assert_eq!(none(), made.placement.release);
}

#[test]
pub(crate) fn chk_82_in_a_case_of_several_nothing_comes_without_its_bytes_and_its_erasure() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 12, 2);
    let grant = office.case.grant(&office.world, 1, Rights::ALL);
    let granting = vault_core::forge::case::granting(&office.world, &[grant]);
    let granted = office.event(0, Event::Membership(granting));
    office.stored(&server, vec![granted]);
    let (mut note, made) = office.note_made(1);
    let ciphertext = vault_core::record::Ciphertext::from(made.record.ciphertext().to_vec()).hash();
    let wrap: WrapHash = made.wrap.hash();
    note.records[0].body = CarriedBody::Erased(ErasedBody { ciphertext, wrap });
    // Whoever fetched it would take it for withheld.
    assert_eq!(office.outcome(&server, note.clone()), refused(Check::BodyMissing));
    let erasure = Erasure {
        records: vec![made.record.hash()],
        ground: ErasureGround::Withdrawn,
    };
    let erased = office.event(1, Event::Erasure(erasure));
    let both = vec![note, erased];
    let leaves = office.stored(&server, both.clone());
    assert_eq!(office.stored(&server, both), leaves);
}

#[test]
pub(crate) fn chk_82_what_comes_without_its_bytes_is_stored_with_its_erasure_or_not_at_all() {
    let server = Server::start(&[]);
    let mut office = Office::with_case(&server, 13, 2);
    let grant = office.case.grant(&office.world, 1, Rights::ALL);
    let granting = vault_core::forge::case::granting(&office.world, &[grant]);
    let granted = office.event(0, Event::Membership(granting));
    office.stored(&server, vec![granted]);
    let before = office.note(0);
    let (mut gone, made) = office.note_made(1);
    let ciphertext = vault_core::record::Ciphertext::from(made.record.ciphertext().to_vec()).hash();
    let wrap: WrapHash = made.wrap.hash();
    gone.records[0].body = CarriedBody::Erased(ErasedBody { ciphertext, wrap });
    let between = office.note(1);
    let elsewhere = office.access(1);
    let erasure = Erasure {
        records: vec![made.record.hash()],
        ground: ErasureGround::Withdrawn,
    };
    let lawful = office.case.clone();

    // An erasure that is refused: the record's author alone withdraws it.
    let body = LinkBody::Event(PlacedEvent {
        event: Event::Erasure(erasure.clone()),
        sealed: Vec::new(),
    });
    let unlawful = office.sign(0, office.case.link(&office.world, 0, body));
    let unlawful = office.parcel(&unlawful);
    let (stream, sent) = (office.case_stream(), [before, gone.clone(), between, elsewhere.clone()]);
    let reply = office.append(&server, [&sent[..], &[unlawful]].concat());
    let Outcome::Stored(leaf) = reply.outcomes[0] else {
        panic!("{reply:?}")
    };
    // The one that was refused says so; nothing of what was to be stored with it is.
    let left = [
        Outcome::NotTried,
        Outcome::NotTried,
        Outcome::NotTried,
        refused(Check::ErasureRight),
    ];
    assert_eq!(reply.outcomes[1..], left);
    let links = office.page(&server, 0, stream, 0).parcels.len();
    assert_eq!(office.page(&server, 0, stream, 0).parcels[links - 1].leaf, leaf);

    // And one that does not follow: the link before it is missing.
    office.case = lawful;
    let erased = office.event(1, Event::Erasure(erasure));
    let reply = office.append(&server, vec![gone.clone(), erased.clone()]);
    let heads = Heads {
        links: links as u64,
        stream: link_id(&sent[0]),
        agency: office.world.agency.head(),
    };
    assert_eq!(reply.outcomes, [Outcome::NotTried, Outcome::Conflict(heads)]);

    // The server goes on from what it has, and what was lawful gets in whole.
    let lawful = [&sent[..], &[erased]].concat();
    let leaves = office.stored(&server, lawful.clone());
    assert_eq!(leaves, (leaf..leaf + 5).collect::<Vec<_>>());
    assert_eq!(office.stored(&server, lawful), leaves);
}
