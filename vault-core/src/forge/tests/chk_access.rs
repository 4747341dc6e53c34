//! CHK-90 to CHK-92: access streams.

use super::guarded;
use super::refused;
use crate::access::AccessState;
use crate::access::BODY_BYTES;
use crate::access::Ratchet;
use crate::access::SEGMENT_ENTRIES;
use crate::access::SegmentReader;
use crate::access::require_parts;
use crate::check::Check;
use crate::check::Refused;
use crate::forge::Seeded;
use crate::forge::World;
use crate::forge::twin::LinkTwin;
use crate::id::BodyHash;
use crate::id::DeviceId;
use crate::id::KeyringHash;
use crate::keyring;
use crate::secret::SealSecret;
use crate::stream::Chain;
use crate::wire::v1::access::AccessEntry;
use crate::wire::v1::access::AccessOperation;
use crate::wire::v1::access::AccessSegment;
use crate::wire::v1::agency::Roles;
use crate::wire::v1::event::Event;
use crate::wire::v1::link::Link;
use crate::wire::v1::link::LinkBody;
use crate::wire::v1::stream::StreamId;

fn segment(segment: u32, dpo_epoch: u32) -> LinkBody {
    LinkBody::Segment(AccessSegment {
        segment,
        dpo_epoch,
        start_hash: KeyringHash([0; 32]),
    })
}

fn entry(segment: u32, index: u32) -> LinkBody {
    LinkBody::Access(AccessEntry {
        segment,
        index,
        operation: AccessOperation::Open,
        subject: None,
        release_hash: BodyHash::ZERO,
        body_hash: BodyHash::ZERO,
        manifest_hash: BodyHash::ZERO,
    })
}

/// Person 0's access stream, judged link by link.
#[derive(Clone)]
struct Log {
    chain: Chain,
    state: AccessState,
}

impl Log {
    fn new(world: &World) -> Self {
        let device = world.people[0].device;
        Self {
            chain: Chain::empty(world.agency.id(), StreamId::access(device)),
            state: AccessState::empty(device),
        }
    }

    fn link(&self, world: &World, body: LinkBody) -> Link {
        self.chain.next_link(world.agency.head(), world.people[0].device, body)
    }

    fn push(&mut self, world: &World, body: LinkBody) -> Result<(), Refused> {
        self.push_link(world, self.link(world, body))
    }

    fn push_link(&mut self, world: &World, link: Link) -> Result<(), Refused> {
        let received = LinkTwin::signed(link, &world.people[0].signer).received()?;
        self.chain.follow(&received)?;
        received.verify_signature(&world.agency.devices()[&world.people[0].device].key)?;
        self.state.judge(&world.agency, &received)
    }

    fn judged(&self, world: &World, body: LinkBody) -> Result<(), Refused> {
        self.clone().push(world, body)
    }
}

#[test]
fn chk_90_segments_and_entries_have_no_gap() {
    let world = World::new(1, 1);
    let mut log = Log::new(&world);
    refused(Check::AccessSequence, log.judged(&world, entry(0, 0)));
    for first in [1, u32::MAX] {
        refused(Check::AccessSequence, log.judged(&world, segment(first, 0)));
    }
    guarded(Check::AccessSequence, || log.judged(&world, segment(1, 0)));
    log.push(&world, segment(0, 0)).unwrap();
    refused(Check::AccessSequence, log.judged(&world, segment(0, 0)));
    for (at, index) in [(0, 1), (1, 0), (u32::MAX, 0), (0, u32::MAX)] {
        guarded(Check::AccessSequence, || log.judged(&world, entry(at, index)));
    }
    log.push(&world, entry(0, 0)).unwrap();
    refused(Check::AccessSequence, log.judged(&world, entry(0, 0)));
    log.push(&world, entry(0, 1)).unwrap();
    log.push(&world, segment(1, 0)).unwrap();
    refused(Check::AccessSequence, log.judged(&world, entry(0, 2)));
    assert_eq!(log.judged(&world, entry(1, 0)), Ok(()));
}

#[test]
fn chk_90_a_segment_is_full_after_4096_entries() {
    let world = World::new(1, 1);
    let mut log = Log::new(&world);
    log.push(&world, segment(0, 0)).unwrap();
    for index in 0..SEGMENT_ENTRIES {
        log.push(&world, entry(0, index)).unwrap();
    }
    guarded(Check::AccessSequence, || log.judged(&world, entry(0, SEGMENT_ENTRIES)));
    assert_eq!(log.judged(&world, segment(1, 0)), Ok(()));
}

#[test]
fn an_access_stream_is_its_own_devices_and_holds_nothing_else() {
    let world = World::new(1, 2);
    let log = Log::new(&world);
    let other = LinkTwin::signed(
        Link {
            device: world.people[1].device,
            ..log.link(&world, segment(0, 0))
        },
        &world.people[1].signer,
    );
    guarded(Check::Signer, || {
        log.state.clone().judge(&world.agency, &other.received()?)
    });
    let elsewhere = Link {
        stream: StreamId::access(world.people[1].device),
        ..log.link(&world, segment(0, 0))
    };
    let elsewhere = LinkTwin::signed(elsewhere, &world.people[0].signer);
    guarded(Check::Agency, || {
        log.state.clone().judge(&world.agency, &elsewhere.received()?)
    });
    let seen = Link {
        seen: Some(crate::wire::v1::link::Seen {
            size: 1,
            root: [0; 32],
            signature: crate::crypto::sign::Signature([0; 64]),
        }),
        ..log.link(&world, segment(0, 0))
    };
    guarded(Check::SeenCheckpoint, || log.clone().push_link(&world, seen.clone()));
}

#[test]
fn chk_91_a_segment_under_a_role_key_that_is_over_is_refused() {
    let mut world = World::new(1, 1);
    let mut log = Log::new(&world);
    guarded(Check::AccessContext, || log.judged(&world, segment(0, 1)));
    log.push(&world, segment(0, 0)).unwrap();
    log.push(&world, entry(0, 0)).unwrap();
    for epoch in [0, 1] {
        let next = Event::DpoEpoch(world.dpo_epoch(epoch, &[0]));
        world.try_event(0, next).unwrap();
    }
    // The officers of epoch 0 read neither a new segment under its key nor another entry of the old one.
    guarded(Check::AccessContext, || log.judged(&world, segment(1, 0)));
    guarded(Check::AccessContext, || log.judged(&world, entry(0, 1)));
    // What was made before, against the agency as it was, counts.
    let mut link = log.link(&world, entry(0, 1));
    link.agency_head = world.links[world.links.len() - 2].id();
    assert_eq!(log.clone().push_link(&world, link), Ok(()));
    log.push(&world, segment(1, 1)).unwrap();
    assert_eq!(log.judged(&world, entry(1, 0)), Ok(()));
    assert!(world.people[0].roles.any(Roles::DPO));
}

#[test]
fn chk_91_a_segment_start_from_elsewhere_is_refused() {
    let world = World::new(1, 2);
    let (agency, device) = (world.agency.id(), world.people[0].device);
    let key = keyring::recipient_key(&world.dpo);
    let (_, begun, file) = Ratchet::begin(agency, device, 3, (0, &key), [9; 32], &mut Seeded::new(1)).unwrap();
    let open = |agency, device, begun: &AccessSegment, file: &[u8]| {
        SegmentReader::open(agency, device, begun, file, &world.dpo).map(|_| ())
    };
    let other = World::new(2, 1).agency.id();
    guarded(Check::AccessContext, || open(other, device, &begun, &file));
    guarded(Check::AccessContext, || {
        open(agency, world.people[1].device, &begun, &file)
    });
    let renumbered = AccessSegment { segment: 4, ..begun };
    guarded(Check::AccessContext, || open(agency, device, &renumbered, &file));
    // Another file, of the same content, than the link names.
    let (_, _, second) = Ratchet::begin(agency, device, 3, (0, &key), [9; 32], &mut Seeded::new(2)).unwrap();
    guarded(Check::AccessContext, || open(agency, device, &begun, &second));
    assert_eq!(open(agency, device, &begun, &file), Ok(()));
}

#[test]
fn chk_92_entries_of_other_devices_positions_and_sizes_do_not_open() {
    let world = World::new(1, 1);
    let (agency, device) = (world.agency.id(), world.people[0].device);
    let key = keyring::recipient_key(&world.dpo);
    let start = |device: DeviceId| Ratchet::begin(agency, device, 0, (0, &key), [9; 32], &mut Seeded::new(1)).unwrap();
    let (mut ratchet, begun, file) = start(device);
    let one = ratchet
        .seal(
            AccessOperation::Open,
            None,
            b"{}",
            Some(b"[]"),
            &[3; 32],
            &SealSecret::from_bytes([4; 32]),
        )
        .unwrap();
    let two = ratchet
        .seal(
            AccessOperation::Open,
            None,
            b"{}",
            None,
            &[3; 32],
            &SealSecret::from_bytes([4; 32]),
        )
        .unwrap();
    let reader = || SegmentReader::open(agency, device, &begun, &file, &world.dpo).unwrap();
    // The second body under the first index, its hash put right: the seal knows its place.
    let moved = AccessEntry {
        body_hash: two.entry.body_hash,
        manifest_hash: BodyHash::ZERO,
        ..one.entry
    };
    refused(Check::AccessBody, reader().next(&moved, &two.body, None).map(|_| ()));
    // Another device with the same S0 seals otherwise.
    let (mut cloned, _, _) = start(DeviceId([1; 16]));
    let theirs = cloned
        .seal(
            AccessOperation::Open,
            None,
            b"{}",
            None,
            &[3; 32],
            &SealSecret::from_bytes([4; 32]),
        )
        .unwrap();
    let framed = AccessEntry {
        body_hash: theirs.entry.body_hash,
        manifest_hash: BodyHash::ZERO,
        ..one.entry
    };
    refused(
        Check::AccessBody,
        reader().next(&framed, &theirs.body, None).map(|_| ()),
    );
    // Body and manifest are not each other, and are of the sizes and hashes that the link names.
    guarded(Check::AccessBody, || require_parts(&one.entry, &one.body, None));
    guarded(Check::AccessBody, || {
        require_parts(&two.entry, &two.body, one.manifest.as_deref())
    });
    guarded(Check::AccessBody, || {
        require_parts(&one.entry, &one.body[..BODY_BYTES - 1], one.manifest.as_deref())
    });
    let mut reader = reader();
    assert!(reader.next(&one.entry, &one.body, one.manifest.as_deref()).is_ok());
    assert!(reader.next(&two.entry, &two.body, None).is_ok());
}
