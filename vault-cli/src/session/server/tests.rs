//! Devices of one agency that write apart and meet over a log, without a server: what each takes in and remakes, and that all
//! arrive at the same links.

mod absent;
mod apart;
mod leaving;
mod office;
mod seen;
mod unopened;

use super::indexing;
use super::kept::KeptRemote;
use super::taking::AgencyLink;
use crate::places::Places;
use crate::remote::ServerFault;
use crate::session::Session;
use crate::session::request::NoteWithdrawRequest;
use crate::session::tests::CHEAP;
use crate::session::tests::Vault;
use crate::session::writing::Version;
use crate::store::Store;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use vault_core::check::Check;
use vault_core::crypto::sign::SigningKey;
use vault_core::forge::Seeded;
use vault_core::growing::Acting;
use vault_core::growing::enrol;
use vault_core::id::DeviceId;
use vault_core::id::LinkId;
use vault_core::id::MemberId;
use vault_core::keystore;
use vault_core::opening::Opening;
use vault_core::opening::fresh;
use vault_core::opening::fresh_id;
use vault_core::opening::open_epochs;
use vault_core::parcel::OpenParcel;
use vault_core::secret::RecipientSeed;
use vault_core::secret::SealSecret;
use vault_core::secret::SigningSeed;
use vault_core::secret::StoreKey;
use vault_core::sync::Pulled;
use vault_core::wire;
use vault_core::wire::v1::agency::CertifiedDevice;
use vault_core::wire::v1::agency::DeviceCertificate;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::membership::EpochKind;
use vault_core::wire::v1::membership::Membership;
use vault_core::wire::v1::record::RecordClass;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::stream::StreamKind;
use vault_core::wire::v1::sync::Outcome;
use vault_core::wire::v1::sync::Parcel;

/// What a server keeps in the order in which it came.
#[derive(Default)]
struct Log {
    links: Vec<(StreamId, u64, LinkId, Parcel)>,
    /// By which checks something was set aside.
    aside: Vec<Check>,
}

impl Log {
    /// What an honest server does for a device whose position is `at`: it gives what is new, and takes what waits if nobody
    /// wrote in between.
    fn meet(&mut self, vault: &mut Vault, at: &mut usize) {
        let session = vault.s();
        let mut kept = kept(session);
        let mut pulled = Vec::new();
        for (leaf, (stream, seq, id, parcel)) in self.links.iter().enumerate().skip(*at) {
            if stream.kind == StreamKind::Access || is_sent(session, &kept, *stream, *seq, *id) {
                continue;
            }
            let agency = self.links[..leaf].iter().filter(|(s, ..)| s.kind == StreamKind::Agency);
            let position = match stream.kind {
                StreamKind::Agency => *seq,
                _ => agency.count() as u64 - 1,
            };
            pulled.push(Pulled {
                leaf: leaf as u64,
                position,
                parcel: OpenParcel::open(parcel.clone()).unwrap(),
            });
        }
        let mut taken = super::taking::Taken::default();
        if !pulled.is_empty() {
            session.take(&mut kept, pulled, &mut taken).unwrap();
            self.aside.extend(taken.aside.iter().map(|aside| aside.check));
            let logged = session.log_verification(None, "others").unwrap();
            session
                .write(|holder, tx| indexing::take_in(holder, tx, &mut kept, &BTreeSet::new(), &logged))
                .unwrap();
        }
        let mut order = session.store.read(|tx| kept.order(tx)).unwrap();
        let mut last = kept.pushed;
        let links = &mut self.links;
        session
            .store
            .read(|tx| {
                tx.outgoing(kept.pushed, 64, &mut |outgoing| {
                    for one in outgoing {
                        let link = one.link.link();
                        let next = links.iter().filter(|(stream, ..)| *stream == link.stream).count() as u64;
                        assert_eq!(link.seq, next, "{}", link.stream);
                        order = order.then(&one.link.id());
                        last = one.pos;
                        links.push((link.stream, link.seq, one.link.id(), one.parcel));
                    }
                    Ok::<_, crate::session::SessionError>(())
                })
            })
            .unwrap();
        kept.is_sent_to(last, order, true);
        kept.is_followed();
        session.write(|_, tx| kept.store(tx)).unwrap();
        *at = self.links.len();
    }
}

fn kept(session: &Session) -> KeptRemote {
    let agency = session.holder.agency.id();
    let kept = session.store.read(KeptRemote::load).unwrap();
    kept.unwrap_or_else(|| KeptRemote::new("http://127.0.0.1:1/", agency).unwrap())
}

fn is_sent(session: &Session, kept: &KeptRemote, stream: StreamId, seq: u64, id: LinkId) -> bool {
    let mut found = false;
    session
        .store
        .read(|tx| {
            tx.links_until(kept.pushed, &mut |s, q, link| {
                found |= (s, q, link) == (stream, seq, id);
                Ok::<_, crate::session::SessionError>(())
            })
        })
        .unwrap();
    found
}

/// A further device of the same member, with an empty store but for the agency's stream.
fn further(first: &mut Vault) -> Vault {
    let mut random = crate::session::random::os();
    let session = first.s();
    let member = session.holder.member;
    let identity = SigningSeed::from_bytes(*session.holder.secrets.identity.expose());
    let (certified, seed) = certified(session, member, &identity);
    session
        .write(|holder, tx| {
            let (member, device) = (holder.member, holder.device);
            let by = Acting {
                member,
                device,
                secrets: &holder.secrets,
            };
            let appended = enrol(&mut holder.agency, by, certified).unwrap();
            for link in &appended.links {
                tx.put_event(link, &[])?;
            }
            Ok(())
        })
        .unwrap();
    let duplicate = |seed: &RecipientSeed| RecipientSeed::from_bytes(*seed.expose());
    let held = &session.holder.secrets;
    let secrets = keystore::Secrets {
        device: seed,
        seal_secret: SealSecret::from_bytes(fresh(&mut random)),
        store_key: StoreKey::from_bytes(fresh(&mut random)),
        identity,
        recipients: held.recipients.iter().map(|(v, seed)| (*v, duplicate(seed))).collect(),
        dpo: held.dpo.iter().map(|(v, seed)| (*v, duplicate(seed))).collect(),
        recovery: None,
    };
    vault_of(session, member, certified.certificate.device, &secrets)
}

/// A certificate of a fresh device of a member, and its key.
fn certified(session: &Session, member: MemberId, identity: &SigningSeed) -> (CertifiedDevice, SigningSeed) {
    let mut random = crate::session::random::os();
    let seed = SigningSeed::from_bytes(fresh(&mut random));
    let certificate = DeviceCertificate {
        agency: session.holder.agency.id(),
        member,
        device: DeviceId(fresh_id(&mut random)),
        key: SigningKey::from_seed(&seed).public(),
    };
    let bytes = wire::encode(&certificate).unwrap();
    let signature = SigningKey::from_seed(identity).sign(vault_core::context::Label::DeviceCertificate, &[&bytes]);
    (CertifiedDevice { certificate, signature }, seed)
}

/// The vault of a device, with an empty store but for the agency's stream as another has it.
fn vault_of(session: &Session, member: MemberId, device: DeviceId, secrets: &keystore::Secrets) -> Vault {
    let mut random = crate::session::random::os();
    let agency = session.holder.agency.id();
    let folder = tempfile::tempdir().unwrap();
    let places = Places::find(Some(&folder.path().join("home"))).unwrap();
    places.create().unwrap();
    let mut store = Store::create(&places.store(), agency, &secrets.store_key).unwrap();
    let mut parcels = Vec::new();
    session
        .store
        .read(|tx| {
            tx.outgoing(0, 64, &mut |outgoing| {
                let of_agency = |one: &crate::store::Outgoing| one.link.link().stream.kind == StreamKind::Agency;
                parcels.extend(outgoing.into_iter().filter(of_agency).map(|one| one.parcel));
                Ok::<_, crate::session::SessionError>(())
            })
        })
        .unwrap();
    store
        .write(|tx| -> crate::session::Result<()> {
            for parcel in parcels {
                let (link, records, blobs) = OpenParcel::open(parcel).unwrap().into_parts();
                let signer = session.holder.agency.devices()[&link.link().device].key.clone();
                let link = link.verify(&signer).unwrap();
                AgencyLink::judged(link, records, blobs).keep(tx)?;
            }
            let mut kept = KeptRemote::new("http://127.0.0.1:1/", agency)?;
            kept.is_sent_to(tx.head().pos, tx.head().order, false);
            kept.store(tx)
        })
        .unwrap();
    drop(store);
    let mut unlocked = keystore::create(agency, member, device, "p", CHEAP, fresh(&mut random)).unwrap();
    let file = keystore::write(&mut unlocked, secrets, fresh(&mut random)).unwrap();
    std::fs::write(places.keystore(), file).unwrap();
    Vault::of(folder, places)
}

/// The links of every case and of the agency, by place.
fn links(vault: &mut Vault) -> BTreeMap<(StreamId, u64), LinkId> {
    let session = vault.s();
    let mut all = BTreeMap::new();
    let read = session.store.read(|tx| {
        let last = tx.head().pos;
        tx.links_until(last, &mut |stream, seq, link| {
            if stream.kind != StreamKind::Access {
                all.insert((stream, seq), link);
            }
            Ok::<_, crate::session::SessionError>(())
        })
    });
    read.unwrap();
    all
}

/// A task whose progress nobody sees, and that nobody cancels.
fn silent() -> crate::session::Task<'static> {
    static CANCEL: std::sync::LazyLock<crate::session::Cancel> = std::sync::LazyLock::new(Default::default);
    crate::session::Task {
        progress: &crate::session::Silent,
        cancel: &CANCEL,
    }
}

fn require_sound(vault: &mut Vault) {
    let task = silent();
    let reply = vault.s().verify(task).unwrap();
    assert!(reply.failures.is_empty(), "{:?}", reply.failures);
}

/// Opens the next epoch of a case's core, as a rotation does.
fn rotated(vault: &mut Vault, case: &str) {
    let rotated = vault.s().write(|holder, tx| {
        let case = holder.resolve_case(tx, case)?;
        let mut keys = holder.case_keys(tx, case)?;
        let view = holder.agency.now();
        let heads = keys.state.sections()[&Section::CORE].heads.len() as u32;
        let recipients = keys
            .state
            .recipients_of(view, Section::CORE, EpochKind::Head, Epoch::FIRST, None, view.seq())
            .unwrap();
        let opening = Opening {
            section: Section::CORE,
            epoch: Epoch(heads),
            private_author: None,
            recipients,
        };
        let mut random = crate::session::random::os();
        let opened = open_epochs(&holder.agency, keys.stream(), &[opening], &mut random).unwrap();
        let change = Membership {
            opens: opened.opens.clone(),
            keyrings: opened.keyrings.clone(),
            ..Membership::default()
        };
        holder.append_membership(tx, &mut keys, Event::Membership, change, opened, &[])
    });
    rotated.unwrap();
}

#[test]
fn what_two_wrote_under_keys_of_their_own_making_opens_for_both() {
    let mut log = Log::default();
    let mut one = Vault::made();
    let case = one.case("ext-1");
    let mut two = further(&mut one);
    let (mut at_one, mut at_two) = (0, 0);
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);

    // Each rotates, and each opens a private section of the same number: one of each has no place.
    let mut notes = Vec::new();
    for (vault, name) in [(&mut one, "one"), (&mut two, "two")] {
        rotated(vault, &case);
        notes.push(vault.note(&case, &format!("obs: On {name}.")));
        notes.push(vault.note(&case, &format!("obs: Rang from {name}.\npriv: I was tired on {name}.")));
    }
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);
    log.meet(&mut one, &mut at_one);
    assert_eq!(log.aside, [Check::EpochNumber, Check::EpochNumber]);
    assert_eq!(links(&mut one), links(&mut two));
    for vault in [&mut one, &mut two] {
        for note in &notes {
            vault.show(note).unwrap();
        }
        assert_eq!(vault.list(&case).unwrap().notes.len(), 4);
        require_sound(vault);
    }
}

#[test]
fn a_note_that_was_withdrawn_before_it_was_sent_keeps_nobody_from_the_others() {
    let mut log = Log::default();
    let mut one = Vault::made();
    let case = one.case("ext-1");
    one.note(&case, "obs: Stays.");
    let gone = one.note(&case, "obs: Goes.");
    let withdraw = |vault: &mut Vault, note: &str| {
        let request = NoteWithdrawRequest { note: note.to_owned() };
        vault.s().note_withdraw(request).unwrap();
    };
    withdraw(&mut one, &gone);
    let mut two = further(&mut one);
    let (mut at_one, mut at_two) = (0, 0);
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);
    assert_eq!(two.list(&case).unwrap().notes.len(), 1);
    require_sound(&mut two);

    // And one that waits withdrawn while others write.
    let also_gone = two.note(&case, "obs: Goes too.");
    withdraw(&mut two, &also_gone);
    one.note(&case, "obs: Meanwhile.");
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);
    log.meet(&mut one, &mut at_one);
    assert_eq!((links(&mut one), log.aside), (links(&mut two), Vec::new()));
    for vault in [&mut one, &mut two] {
        assert_eq!(vault.list(&case).unwrap().notes.len(), 2);
        require_sound(vault);
    }
}

#[test]
fn an_id_that_a_record_of_another_case_has_keeps_nothing_away() {
    let mut log = Log::default();
    let mut one = Vault::made();
    let (case, elsewhere) = (one.case("ext-1"), one.case("ext-2"));
    let note = one.note(&case, "obs: Rang.");
    let mut two = further(&mut one);
    let (mut at_one, mut at_two) = (0, 0);
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);

    // Somebody who writes in both cases, and not with this program: a record of the one under the id of one of the other.
    two.s()
        .write(|holder, tx| {
            let (_, id) = holder.resolve_note(tx, &note)?;
            let other = holder.resolve_case(tx, &elsewhere)?;
            let keys = holder.case_keys(tx, other)?;
            let payload = format!(r#"{{"schema":"casevault.note/1","note":"{id}","kind":"phone","segments":[]}}"#);
            let (class, section) = (RecordClass::Note, Section::CORE);
            let placed = holder.seal(&keys, class, section, Version::first(id), payload.as_bytes())?;
            holder.append_record(tx, &placed, false)
        })
        .unwrap();
    log.meet(&mut two, &mut at_two);
    // What comes is taken in: it is a valid link of its own case, and a server that judges by cases takes it too.
    log.meet(&mut one, &mut at_one);
    assert_eq!(links(&mut one), links(&mut two));
    assert_eq!(one.list(&case).unwrap().notes.len(), 1);
}

#[test]
fn two_devices_that_write_apart_arrive_at_the_same_links() {
    let mut log = Log::default();
    let mut one = Vault::made();
    let case = one.case("ext-1");
    let note = one.note(&case, "obs: Rang.");
    let mut two = further(&mut one);
    let (mut at_one, mut at_two) = (0, 0);
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);
    assert_eq!(two.list(&case).unwrap().notes.len(), 1);

    // Both amend one note, write others, and open cases, without having heard of each other.
    one.amend(&note, "obs: Rang twice.");
    two.amend(&note, "obs: Rang at the door.");
    let mine = one.note(&case, "obs: Of the first.");
    let yours = two.note(&case, "obs: Of the second.");
    let elsewhere = two.case("ext-2");
    two.note(&elsewhere, "obs: In another case.");
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);
    log.meet(&mut one, &mut at_one);

    for vault in [&mut one, &mut two] {
        for wanted in [&mine, &yours, &note] {
            vault.show(wanted).unwrap();
        }
        assert_eq!(vault.list(&case).unwrap().notes.len(), 3);
        assert_eq!(vault.list(&elsewhere).unwrap().notes.len(), 1);
        require_sound(vault);
    }
    assert_eq!(links(&mut one), links(&mut two));
    assert_eq!(log.aside, []);

    // Of the two amendments neither is lost: one is shown first, the other beside it, on both devices alike.
    let of = |show: &crate::session::reply::NoteView| show.content.segments[0].text.trim().to_owned();
    for vault in [&mut one, &mut two] {
        let shown = vault.show(&note).unwrap();
        assert_eq!((shown.view.head.version, shown.view.head.beside), (2, 1));
        let [beside] = shown.beside.as_slice() else {
            panic!("{:?}", shown.beside)
        };
        assert_eq!(
            (of(&shown.view), of(beside)),
            ("Rang at the door.".into(), "Rang twice.".into())
        );
        let listed = vault.list(&case).unwrap();
        let listed = listed.notes.iter().find(|row| row.head.note == note).unwrap();
        assert_eq!(listed.head.beside, 1);
    }
    two.amend(&note, "obs: Rang twice, at the door.");
    log.meet(&mut two, &mut at_two);
    log.meet(&mut one, &mut at_one);
    let shown = one.show(&note).unwrap();
    assert_eq!((shown.view.head.version, shown.view.head.beside), (3, 0));
    assert_eq!(of(&shown.view), "Rang twice, at the door.");

    // And what was opened anew from the disk is the same.
    for vault in [&mut one, &mut two] {
        vault.open();
        require_sound(vault);
    }
}

#[test]
fn one_amendment_and_two_that_were_made_apart_stand_beside_each_other() {
    let mut log = Log::default();
    let mut one = Vault::made();
    let case = one.case("ext-1");
    let note = one.note(&case, "obs: Rang.");
    let mut two = further(&mut one);
    let (mut at_one, mut at_two) = (0, 0);
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);
    one.amend(&note, "obs: Rang twice.");
    one.amend(&note, "obs: Rang three times.");
    two.amend(&note, "obs: Rang at the door.");
    log.meet(&mut one, &mut at_one);
    log.meet(&mut two, &mut at_two);
    log.meet(&mut one, &mut at_one);
    let of = |show: &crate::session::reply::NoteView| show.content.segments[0].text.trim().to_owned();
    for vault in [&mut one, &mut two] {
        let shown = vault.show(&note).unwrap();
        assert_eq!((shown.view.head.version, shown.view.head.beside), (3, 1));
        assert_eq!(of(&shown.view), "Rang three times.");
        let [beside] = shown.beside.as_slice() else {
            panic!("{:?}", shown.beside)
        };
        assert_eq!(of(beside), "Rang at the door.");
        assert_eq!(vault.list(&case).unwrap().notes[0].head.beside, 1);
    }
    // The next stands for both.
    two.amend(&note, "obs: Rang three times, at the door.");
    log.meet(&mut two, &mut at_two);
    log.meet(&mut one, &mut at_one);
    for vault in [&mut one, &mut two] {
        let shown = vault.show(&note).unwrap();
        assert_eq!((shown.view.head.version, shown.view.head.beside), (4, 0));
        assert!(shown.beside.is_empty());
        require_sound(vault);
    }
}

#[test]
fn whatever_three_devices_do_apart_they_arrive_at_the_same_links() {
    let mut dice = Seeded::new(7);
    let mut log = Log::default();
    let mut one = Vault::made();
    let case = one.case("ext-1");
    let mut notes = vec![one.note(&case, "obs: The first.")];
    let (two, three) = (further(&mut one), further(&mut one));
    let mut vaults = [(one, 0), (two, 0), (three, 0)];
    for (vault, at) in &mut vaults {
        log.meet(vault, at);
    }
    let mut written = notes.len();
    for step in 0..60 {
        let which = dice.roll(3) as usize;
        let (vault, at) = &mut vaults[which];
        match dice.roll(6) {
            0 | 1 => {
                notes.push(vault.note(&case, &format!("obs: Step {step}.")));
                written += 1;
            }
            2 => {
                let note = &notes[dice.roll(notes.len() as u64) as usize];
                // One that has not come yet cannot be amended here.
                if vault.show(note).is_ok() {
                    vault.amend(note, &format!("obs: Amended in step {step}."));
                }
            }
            3 => {
                let opened = vault.case(&format!("ext-{step}-{which}"));
                vault.note(&opened, "obs: In a case of its own.");
            }
            _ => log.meet(vault, at),
        }
    }
    for _ in 0..2 {
        for (vault, at) in &mut vaults {
            log.meet(vault, at);
        }
    }
    assert_eq!(log.aside, []);
    let all: Vec<_> = vaults.iter_mut().map(|(vault, _)| links(vault)).collect();
    assert_eq!(all[0], all[1]);
    assert_eq!(all[1], all[2]);
    for (vault, _) in &mut vaults {
        assert_eq!(vault.list(&case).unwrap().notes.len(), written);
        require_sound(vault);
    }
}

#[test]
fn what_was_refused_is_told_and_not_what_was_to_be_stored_with_it() {
    let stream = |n: u8| StreamId {
        kind: StreamKind::Case,
        id: [n; 16],
    };
    let streams = [stream(1), stream(2), stream(3), stream(4)];
    let told = |outcomes: [Outcome; 4]| crate::session::server::fault_of(streams.iter().copied(), &outcomes);
    let named = |fault: Option<ServerFault>| match fault {
        Some(ServerFault::Link { check, of }) => (check, of),
        fault => panic!("{fault:?}"),
    };
    let (stored, not_tried, refused) = (Outcome::Stored(7), Outcome::NotTried, Outcome::Refused(77));
    let (check, of) = named(told([stored, not_tried, refused, not_tried]));
    assert_eq!((check, of), (77, format!("an entry of {}", stream(3))));
    let withheld = told([stored, stored, not_tried, stored]);
    assert!(matches!(withheld, Some(ServerFault::Withheld { of }) if of.ends_with(&stream(3).to_string())));
    assert!(told([stored, stored, stored, stored]).is_none());
}
