use super::*;
use crate::forge::Seeded;
use crate::forge::World;
use crate::id::AgencyId;
use crate::secret::SealSecret;
use crate::secret::StoreKey;
use proptest::prelude::*;

fn world() -> World {
    World::with_release(1, 1)
}

fn invite_of(world: &World, kind: InviteKind, random: &mut Seeded) -> Invite {
    let checkpoint = Checkpoint {
        agency: world.agency.id(),
        size: 7,
        root: Hash([9; 32]),
    };
    let terms = Terms {
        kind,
        member: (kind == InviteKind::Device).then(|| world.people[0].member),
        checkpoint,
        url: "https://vault.example",
        until: Day(20_000),
    };
    Invite::make(&world.agency, terms, random).unwrap()
}

fn secrets(seed: u8) -> Secrets {
    Secrets {
        device: SigningSeed::from_bytes([seed; 32]),
        seal_secret: SealSecret::from_bytes([2; 32]),
        store_key: StoreKey::from_bytes([3; 32]),
        identity: SigningSeed::from_bytes([seed + 1; 32]),
        recipients: vec![
            (1, RecipientSeed::from_bytes([5; 32])),
            (2, RecipientSeed::from_bytes([6; 32])),
        ],
        dpo: vec![(0, RecipientSeed::from_bytes([7; 32]))],
        recovery: None,
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Refused>) -> Check {
    result.unwrap_err().check
}

#[test]
fn a_sheet_is_read_as_it_was_printed_scanned_and_typed() {
    let (world, mut random) = (world(), Seeded::new(1));
    let invite = invite_of(&world, InviteKind::Member, &mut random);
    let rows = sheet_rows(invite.sheet()).unwrap();
    let printed = format!("# For the new colleague: by hand\nEnrolment\n\n{}\n", rows.join("\n"));
    let scanned = sheet_scanned(invite.sheet()).unwrap();
    let typed = printed
        .to_uppercase()
        .replace('0', "o")
        .replace("  ", " ")
        .replace('1', "l");
    // Row numbers stay digits.
    let typed: String = typed
        .lines()
        .zip(printed.lines())
        .map(|(typed, printed)| match printed.split_once(':') {
            Some((number, _)) if !printed.starts_with('#') => {
                format!("{number}:{}\n", typed.split_once(':').unwrap().1)
            }
            _ => "\n".to_owned(),
        })
        .collect();
    for text in [&printed, &*scanned, &typed] {
        let read = Invite::of(read_sheet(text).unwrap()).unwrap();
        assert_eq!(read.sheet(), invite.sheet(), "{text}");
        assert_eq!((read.id(), read.device()), (invite.id(), invite.device()));
    }
    assert_eq!(invite.url(), "https://vault.example");
}

#[test]
fn chk_150_a_sheet_that_is_not_as_it_was_written_is_refused_by_its_row() {
    let (world, mut random) = (world(), Seeded::new(2));
    let invite = invite_of(&world, InviteKind::Device, &mut random);
    let rows = sheet_rows(invite.sheet()).unwrap();
    for at in 0..rows.len() {
        let letters: Vec<usize> = (4..rows[at].len())
            .filter(|i| rows[at].as_bytes()[*i] != b' ')
            .collect();
        for place in [letters[0], letters[letters.len() / 2], *letters.last().unwrap()] {
            let mut changed = rows.to_vec();
            let was = rows[at].as_bytes()[place] as char;
            let other = if was == 'x' { "y" } else { "x" };
            changed[at].replace_range(place..=place, other);
            let error = read_sheet(&changed.join("\n")).unwrap_err();
            assert_eq!(error, SheetError::Row { at: at + 1 });
            assert_eq!(error.check(), Check::EnrolmentSheet);
        }
        let mut shorter = rows.to_vec();
        let (first, last) = (letters[0], rows[at].len() - 1);
        shorter[at].replace_range(first..=first, "");
        let error = read_sheet(&shorter.join("\n")).unwrap_err();
        let is_named =
            matches!(error, SheetError::Length { at: row, .. } | SheetError::Row { at: row } if row == at + 1);
        assert!(is_named, "{error}, {last}");
        let mut missing = rows.to_vec();
        missing.remove(at);
        let error = read_sheet(&missing.join("\n")).unwrap_err();
        let expected = if at + 1 == rows.len() {
            SheetError::Check
        } else {
            SheetError::Missing { at: at + 1 }
        };
        assert_eq!(error, expected);
    }
    let mut swapped = rows.to_vec();
    swapped.swap(0, 1);
    assert_eq!(read_sheet(&swapped.join("\n")), Err(SheetError::Missing { at: 1 }));
    assert_eq!(read_sheet("no sheet at all"), Err(SheetError::Empty));
    let mut numbers = invite.sheet().clone();
    numbers.size = 0;
    assert_eq!(refused(Invite::of(numbers)), Check::EnrolmentSheet);
    let mut url = invite.sheet().clone();
    url.url = b"https://a b".to_vec();
    assert_eq!(refused(Invite::of(url)), Check::EnrolmentSheet);
    let mut newer = invite.sheet().clone();
    newer.format = 2;
    assert_eq!(refused(Invite::of(newer)), Check::UnknownFormat);
}

#[test]
fn chk_151_only_the_sheet_opens_a_request_and_its_answer() {
    let (world, mut random) = (world(), Seeded::new(3));
    let invite = invite_of(&world, InviteKind::Member, &mut random);
    let joiner = invite.person(&secrets(40)).unwrap();
    let request = invite.seal_request(joiner.clone(), &mut random).unwrap();
    assert_eq!(invite.open_request(&request).unwrap(), joiner);
    let answer = invite
        .seal_answer(&request, LinkId([1; 32]), None, &mut random)
        .unwrap();
    assert_eq!(invite.open_answer(&request, &answer).unwrap().link, LinkId([1; 32]));
    for at in (0..request.len()).step_by(7) {
        let mut flipped = request.clone();
        flipped[at] ^= 1;
        assert_eq!(refused(invite.open_request(&flipped)), Check::EnrolmentSeal, "{at}");
    }
    for at in (0..answer.len()).step_by(7) {
        let mut flipped = answer.clone();
        flipped[at] ^= 1;
        assert_eq!(
            refused(invite.open_answer(&request, &flipped)),
            Check::EnrolmentSeal,
            "{at}"
        );
    }
    for cut in [0, 63, 64, 80] {
        assert_eq!(refused(invite.open_request(&request[..cut])), Check::EnrolmentSeal);
    }
    // An answer is no request, a request no answer, and the answer to one is not that to another.
    assert_eq!(refused(invite.open_request(&answer)), Check::EnrolmentSeal);
    assert_eq!(refused(invite.open_answer(&request, &request)), Check::EnrolmentSeal);
    let again = invite.seal_request(joiner, &mut random).unwrap();
    assert_ne!(again, request);
    assert_eq!(refused(invite.open_answer(&again, &answer)), Check::EnrolmentSeal);
    assert_ne!(code(&request), code(&again));
    // Whatever is changed on the sheet, its secret opens nothing of the old one's.
    let edits: [fn(&mut EnrolmentSheet); 7] = [
        |s| s.secret[15] ^= 1,
        |s| s.url = b"https://evil.example".to_vec(),
        |s| s.member.0[0] ^= 1,
        |s| s.agency.0[0] ^= 1,
        |s| s.tree[0] ^= 1,
        |s| s.root.0[0] ^= 1,
        |s| s.until = Day(20_001),
    ];
    for edit in edits {
        let mut sheet = invite.sheet().clone();
        edit(&mut sheet);
        let other = Invite::of(sheet).unwrap();
        assert!(other.id() != invite.id() && other.device() != invite.device());
        assert_eq!(refused(other.open_request(&request)), Check::EnrolmentSeal);
    }
    let long = vec![0; limit::JOIN_REQUEST + 1];
    assert_eq!(refused(invite.open_request(&long)), Check::TooLong);
}

#[test]
fn chk_152_a_request_and_an_answer_are_what_their_sheet_is_for() {
    let (world, mut random) = (world(), Seeded::new(4));
    let invite = invite_of(&world, InviteKind::Member, &mut random);
    let device = SigningSeed::from_bytes([40; 32]);
    let once = RecipientSeed::from_bytes([41; 32]);
    let sealed = |invite: &Invite, joiner| invite.seal_request(joiner, &mut Seeded::new(5)).unwrap();
    // Another kind.
    let further = sealed(&invite, invite.further_device(&device, &once));
    assert_eq!(refused(invite.open_request(&further)), Check::EnrolmentContext);
    // Another member, another device, another agency.
    let Joiner::Member(honest) = invite.person(&secrets(40)).unwrap() else {
        panic!()
    };
    let identity = SigningKey::from_seed(&secrets(40).identity);
    let edits: [fn(&mut DeviceCertificate); 3] = [
        |c| c.member = MemberId([1; 16]),
        |c| c.device = DeviceId([1; 16]),
        |c| c.agency = AgencyId([1; 32]),
    ];
    for edit in edits {
        let mut person = honest.clone();
        edit(&mut person.device.certificate);
        person.device = certify(person.device.certificate, &identity).unwrap();
        let request = sealed(&invite, Joiner::Member(person));
        assert_eq!(refused(invite.open_request(&request)), Check::EnrolmentContext);
    }
    // A certificate of another identity.
    let mut person = honest;
    person.identity = SigningKey::from_seed(&device).public();
    let request = sealed(&invite, Joiner::Member(person));
    assert_eq!(refused(invite.open_request(&request)), Check::DeviceCertificate);
    // Secrets for whom none are meant, and none where they are.
    let request = sealed(&invite, invite.person(&secrets(40)).unwrap());
    let link = LinkId([1; 32]);
    let answer = invite
        .seal_answer(&request, link, Some(Vec::new()), &mut random)
        .unwrap();
    assert_eq!(refused(invite.open_answer(&request, &answer)), Check::EnrolmentContext);
    let of_device = invite_of(&world, InviteKind::Device, &mut random);
    let request = sealed(&of_device, of_device.further_device(&device, &once));
    let answer = of_device.seal_answer(&request, link, None, &mut random).unwrap();
    assert_eq!(
        refused(of_device.open_answer(&request, &answer)),
        Check::EnrolmentContext
    );
}

#[test]
fn chk_37_a_request_with_a_recipient_that_nothing_is_sealed_to_is_not_opened() {
    let (world, mut random) = (world(), Seeded::new(9));
    for kind in [InviteKind::Member, InviteKind::Device] {
        let invite = invite_of(&world, kind, &mut random);
        let joiner = match kind {
            InviteKind::Device => {
                let (device, once) = ([40; 32], [41; 32]);
                invite.further_device(&SigningSeed::from_bytes(device), &RecipientSeed::from_bytes(once))
            }
            _ => invite.person(&secrets(40)).unwrap(),
        };
        assert!(
            invite
                .open_request(&invite.seal_request(joiner.clone(), &mut random).unwrap())
                .is_ok()
        );
        let mut bad = joiner;
        let key = match &mut bad {
            Joiner::Member(person) | Joiner::Reset(person) => &mut person.recipient,
            Joiner::Device(device) => &mut device.once,
        };
        key.0[1184..].fill(0);
        let sealed = invite.seal_request(bad, &mut random).unwrap();
        assert_eq!(refused(invite.open_request(&sealed)), Check::RecipientKey);
    }
}

#[test]
fn what_a_further_device_is_handed_opens_to_it_alone() {
    let (world, mut random) = (world(), Seeded::new(6));
    let invite = invite_of(&world, InviteKind::Device, &mut random);
    let device = SigningSeed::from_bytes([40; 32]);
    let once = RecipientSeed::from_bytes([41; 32]);
    let Joiner::Device(asked) = invite.further_device(&device, &once) else {
        panic!()
    };
    let file = hand_over(&asked.certificate, &asked.once, &secrets(50), &mut random).unwrap();
    let taken = take_over(&invite, &once, &file).unwrap();
    assert!(taken.identity == secrets(50).identity && taken.recipients == secrets(50).recipients);
    assert!(taken.dpo == secrets(50).dpo);
    let other = RecipientSeed::from_bytes([42; 32]);
    assert_eq!(refused(take_over(&invite, &other, &file)), Check::KeyringContext);
    // Handed for another device.
    let mut elsewhere = asked.certificate;
    elsewhere.device = DeviceId([1; 16]);
    let file = hand_over(&elsewhere, &asked.once, &secrets(50), &mut random).unwrap();
    assert_eq!(refused(take_over(&invite, &once, &file)), Check::EnrolmentContext);
}

#[test]
fn chk_153_attack_43_an_agency_without_the_papers_root_is_refused() {
    let (mut world, mut random) = (world(), Seeded::new(7));
    let old = world.agency.clone();
    let root = world.next_root();
    let event = world.signed_root(root, &[0]);
    world.try_event(0, event).unwrap();
    let invite = invite_of(&world, InviteKind::Member, &mut random);
    assert_eq!(invite.require_continued(&world.agency), Ok(()));
    assert_eq!(refused(invite.require_continued(&old)), Check::EnrolmentRollback);
    let other = World::with_release(99, 1);
    assert_eq!(
        refused(invite.require_continued(&other.agency)),
        Check::EnrolmentRollback
    );
    crate::forge::guard::without(Check::EnrolmentRollback, || {
        assert_eq!(invite.require_continued(&old), Ok(()));
    });
}

#[test]
fn what_waits_is_opened_by_its_passphrase_and_asks_for_the_same_again() {
    let (world, mut random) = (world(), Seeded::new(8));
    let cost = crate::crypto::passphrase::Cost {
        memory_kib: 64 << 10,
        passes: 3,
        lanes: 4,
    };
    for kind in [InviteKind::Member, InviteKind::Device, InviteKind::Reset] {
        let pending = Pending::begin(invite_of(&world, kind, &mut random), &mut random).unwrap();
        let sheet = pending.invite().sheet();
        let (agency, member, device) = (sheet.agency, sheet.member, pending.invite().device());
        let mut unlocked = crate::keystore::create(agency, member, device, "pass", cost, [4; 32]).unwrap();
        let file = pending.write(&mut unlocked, [5; 32]).unwrap();
        assert_eq!(refused(Pending::open(&file, "Pass").map(|_| ())), Check::Keystore);
        // It is no keystore, and a keystore is none of it.
        assert_eq!(
            refused(crate::keystore::unlock(&file, "pass").map(|_| ())),
            Check::Keystore
        );
        let (mut unlocked, back) = Pending::open(&file, "pass").unwrap();
        assert_eq!((back.request(), back.device()), (pending.request(), pending.device()));
        assert_eq!(back.invite().sheet(), pending.invite().sheet());
        let joiner = back.invite().open_request(back.request()).unwrap();
        let answer = JoinAnswer {
            format: FORMAT,
            agency,
            invite: back.invite().id(),
            request: request_hash(back.request()),
            link: LinkId([1; 32]),
            secrets: match &joiner {
                Joiner::Device(asked) => {
                    Some(hand_over(&asked.certificate, &asked.once, &secrets(50), &mut random).unwrap())
                }
                Joiner::Member(_) | Joiner::Reset(_) => None,
            },
        };
        let taken = back.secrets(&answer, 7).unwrap();
        match joiner {
            Joiner::Device(_) => assert!(taken.identity == secrets(50).identity),
            Joiner::Member(person) | Joiner::Reset(person) => {
                assert_eq!(SigningKey::from_seed(&taken.identity).public(), person.identity);
                assert_eq!(taken.recipients[0].0, 7);
                assert_eq!(keyring::recipient_key(&taken.recipients[0].1), person.recipient);
            }
        }
        let keystore = crate::keystore::write(&mut unlocked, &taken, [6; 32]).unwrap();
        assert_eq!(refused(Pending::open(&keystore, "pass").map(|_| ())), Check::Keystore);
    }
}

proptest! {
    #[test]
    fn every_sheet_round_trips(url in "[!-~]{1,200}", size in 1u64.., secret: [u8; 16], tree: [u8; 32], until: u32) {
        let sheet = EnrolmentSheet {
            format: SHEET_FORMAT, kind: InviteKind::Reset, agency: AgencyId([7; 32]), member: MemberId([8; 16]),
            root: crate::id::RootHash([9; 32]), size, tree, until: Day(until), url: url.into_bytes(), secret,
        };
        let invite = Invite::of(sheet.clone()).unwrap();
        prop_assert_eq!(&read_sheet(&sheet_rows(&sheet).unwrap().join("\n")).unwrap(), &sheet);
        prop_assert_eq!(&read_sheet(&sheet_scanned(&sheet).unwrap()).unwrap(), invite.sheet());
    }

    #[test]
    fn no_text_breaks_the_reader(text: String) {
        let _ = read_sheet(&text);
        let _ = read_sheet(&format!("01:{text}"));
        let _ = read_sheet(&format!("CASEVAULT1:{text}"));
    }
}
