//! An office: two members with a vault each, a server as a model between them, and cases that the one lets the other into.

use super::certified;
use super::vault_of;
use crate::remote::ServerFault;
use crate::session::Cancel;
use crate::session::Result;
use crate::session::Session;
use crate::session::SessionError;
use crate::session::Silent;
use crate::session::Task;
use crate::session::server::Answers;
use crate::session::server::kept::KeptRemote;
use crate::session::tests::Vault;
use crate::store::BlobKind;
use std::cell::RefCell;
use std::collections::BTreeSet;
use vault_core::check::Check;
use vault_core::crypto::sign::SigningKey;
use vault_core::crypto::sign::VerifyingKey;
use vault_core::forge::Served;
use vault_core::growing;
use vault_core::id::GrantId;
use vault_core::id::MemberId;
use vault_core::keyring;
use vault_core::keystore;
use vault_core::opening::Opening;
use vault_core::opening::fresh;
use vault_core::opening::fresh_id;
use vault_core::opening::open_epochs;
use vault_core::secret::EpochKey;
use vault_core::secret::RecipientSeed;
use vault_core::secret::SealSecret;
use vault_core::secret::SigningSeed;
use vault_core::secret::StoreKey;
use vault_core::sync::Fault;
use vault_core::sync::LogOf;
use vault_core::sync::Request;
use vault_core::tlog::checkpoint;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::enrolment::NewPerson;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::key::KeyringRef;
use vault_core::wire::v1::membership::EpochKind;
use vault_core::wire::v1::membership::Grant;
use vault_core::wire::v1::membership::GrantedSection;
use vault_core::wire::v1::membership::Membership;
use vault_core::wire::v1::membership::Rights;
use vault_core::wire::v1::stream::Epoch;
use vault_core::wire::v1::stream::Section;
use vault_core::wire::v1::stream::StreamId;

/// Two members over one server.
pub(super) struct Office {
    pub(super) ann: Vault,
    pub(super) ben: Vault,
    pub(super) served: Served,
}

/// What a server is asked, and answers instead of what it would.
pub(super) type Lie<'a> = &'a dyn Fn(Request, Vec<u8>) -> Vec<u8>;

const LOG: [u8; 32] = [3; 32];

fn log_key() -> SigningKey {
    SigningKey::from_seed(&SigningSeed::from_bytes(LOG))
}

impl Office {
    /// Ann founds it, Ben joins; everything is with the server, and each has what it may have.
    pub(super) fn founded() -> Self {
        let mut ann = Vault::made();
        let agency = ann.s().holder.agency.id();
        let named = ann.s().write(|holder, tx| {
            let (member, device) = (holder.member, holder.device);
            let log = Verifier {
                name: checkpoint::origin(agency).into_bytes(),
                key: log_key().public(),
            };
            let appended = growing::name_log(&mut holder.agency, member, device, &holder.secrets, log).unwrap();
            for link in &appended.links {
                tx.put_event(link, &[])?;
            }
            KeptRemote::new("http://127.0.0.1:1/", agency)?.store(tx)
        });
        named.unwrap();
        let ben = joined(&mut ann);
        let served = Served::new(agency, LOG, 3);
        let mut office = Self { ann, ben, served };
        office.meet();
        office
    }

    /// Lets both synchronise, so often that both have everything.
    pub(super) fn meet(&mut self) {
        for _ in 0..2 {
            sync(&mut self.ann, &mut self.served).unwrap();
            sync(&mut self.ben, &mut self.served).unwrap();
        }
    }

    /// Lets Ben into Ann's case, as far back as it goes.
    pub(super) fn grant(&mut self, case: &str) -> GrantId {
        self.grant_of(case, &|_| true)
    }

    /// As [`Self::grant`], of some of its sections.
    pub(super) fn grant_of(&mut self, case: &str, is_granted: &dyn Fn(Section) -> bool) -> GrantId {
        let ben = self.ben.s().holder.member;
        let grant = GrantId(fresh_id(&mut crate::session::random::os()));
        let granted = self.ann.s().write(|holder, tx| {
            let case = holder.resolve_case(tx, case)?;
            let mut keys = holder.case_keys(tx, case)?;
            let to = holder.agency.member_ref(ben).unwrap();
            let mut held = keys.all_held();
            held.retain(|(section, ..)| !section.is_private() && is_granted(*section));
            let entries: Vec<_> = held
                .iter()
                .map(|(section, epoch, key)| (*section, *epoch, key))
                .collect();
            let public = holder.agency.recipient_key(&to).unwrap();
            let random = &mut crate::session::random::os();
            let sealed = keyring::seal(holder.agency.id(), keys.stream(), to, public, &entries, random);
            let (file, keyring_hash) = sealed.unwrap();
            let sections: BTreeSet<_> = held.iter().map(|(section, ..)| *section).collect();
            let sections = sections.into_iter().map(|section| GrantedSection {
                section,
                from_epoch: Epoch::FIRST,
            });
            let change = Membership {
                grants: vec![Grant {
                    grant,
                    member: ben,
                    rights: Rights::ALL,
                    sections: sections.collect(),
                    until: None,
                }],
                keyrings: vec![KeyringRef { to, keyring_hash }],
                ..Membership::default()
            };
            tx.put_blob(BlobKind::Keyring, &file)?;
            holder.append_event(tx, &mut keys, Event::Membership(change), &[])
        });
        granted.unwrap();
        grant
    }

    /// Ends it, with the next epoch of every section.
    pub(super) fn revoke(&mut self, case: &str, grant: GrantId) {
        let ben = self.ben.s().holder.member;
        rotated(&mut self.ann, case, Some((ben, grant)), None);
    }

    /// Lets Ben open the next epoch of every section, with a file of other keys for Ann.
    pub(super) fn spoil_keys(&mut self, case: &str) {
        let ann = self.ann.s().holder.member;
        rotated(&mut self.ben, case, None, Some(ann));
    }
}

/// Opens the next epoch of every section, without a member whose grant it ends; one is given a file of other keys.
fn rotated(vault: &mut Vault, case: &str, ended: Option<(MemberId, GrantId)>, spoiled: Option<MemberId>) {
    let written = vault.s().write(|holder, tx| {
        let case = holder.resolve_case(tx, case)?;
        let mut keys = holder.case_keys(tx, case)?;
        let view = holder.agency.now();
        let to_of = |member| holder.agency.member_ref(member).unwrap();
        let mut openings = Vec::new();
        for (section, state) in keys.state.sections() {
            let (kind, of) = (EpochKind::Head, Epoch::FIRST);
            let recipients = keys.state.recipients_of(view, *section, kind, of, None, view.seq());
            let mut recipients = recipients.unwrap();
            recipients.retain(|to| ended.is_none_or(|(gone, _)| *to != to_of(gone)));
            openings.push(Opening {
                section: *section,
                epoch: Epoch(state.heads.len() as u32),
                private_author: None,
                recipients,
            });
        }
        let random = &mut crate::session::random::os();
        let mut opened = open_epochs(&holder.agency, keys.stream(), &openings, random).unwrap();
        if let Some(to) = spoiled.map(to_of) {
            let other = EpochKey::from_bytes([7; 32]);
            let entries: Vec<_> = opened
                .keys
                .iter()
                .map(|(section, epoch, _)| (*section, *epoch, &other))
                .collect();
            let public = holder.agency.recipient_key(&to).unwrap();
            let sealed = keyring::seal(holder.agency.id(), keys.stream(), to, public, &entries, random);
            let (file, keyring_hash) = sealed.unwrap();
            let named = opened.keyrings.iter_mut().find(|named| named.to == to).unwrap();
            named.keyring_hash = keyring_hash;
            opened.files.push((keyring_hash, file));
        }
        let change = Membership {
            revoked: ended.iter().map(|(_, grant)| *grant).collect(),
            opens: opened.opens.clone(),
            keyrings: opened.keyrings.clone(),
            ..Membership::default()
        };
        holder.append_membership(tx, &mut keys, Event::Membership, change, opened, &[])
    });
    written.unwrap();
}

/// The keys of somebody new.
struct Newcomer {
    member: MemberId,
    identity: SigningSeed,
    recipient: RecipientSeed,
    device: SigningSeed,
    person: NewPerson,
}

fn newcomer(session: &Session) -> Newcomer {
    let mut random = crate::session::random::os();
    let member = MemberId(fresh_id(&mut random));
    let identity = SigningSeed::from_bytes(fresh(&mut random));
    let recipient = RecipientSeed::from_bytes(fresh(&mut random));
    let (device, seed) = certified(session, member, &identity);
    let person = NewPerson {
        identity: SigningKey::from_seed(&identity).public(),
        recipient: keyring::recipient_key(&recipient),
        device,
    };
    Newcomer {
        member,
        identity,
        recipient,
        device: seed,
        person,
    }
}

/// Another member, a caseworker, with one device.
fn joined(first: &mut Vault) -> Vault {
    let mut random = crate::session::random::os();
    let session = first.s();
    let Newcomer {
        member,
        identity,
        recipient,
        device: seed,
        person,
    } = newcomer(session);
    let written = session.write(|holder, tx| {
        holder.administer(tx, |agency, by| growing::join(agency, by, &person, Roles::CASEWORKER))?;
        let mut kept = holder.settings(tx)?;
        kept.settings.put_name(member, "Ben");
        holder.put_settings(tx, &kept)
    });
    written.unwrap();
    let secrets = keystore::Secrets {
        device: seed,
        seal_secret: SealSecret::from_bytes(fresh(&mut random)),
        store_key: StoreKey::from_bytes(fresh(&mut random)),
        identity,
        recipients: vec![(1, recipient)],
        dpo: Vec::new(),
        recovery: None,
    };
    vault_of(session, member, person.device.certificate.device, &secrets)
}

#[test]
fn one_recipient_that_nothing_is_sealed_to_does_not_stop_the_others() {
    let mut office = Office::founded();
    let case = office.ann.case("ext-1");
    let session = office.ann.s();
    let mut person = newcomer(session).person;
    person.recipient.0[1184..].fill(0);
    let join = |session: &mut Session| {
        session.write(|holder, tx| {
            let by = vault_core::growing::Acting {
                member: holder.member,
                device: holder.device,
                secrets: &holder.secrets,
            };
            let joined = growing::join(&mut holder.agency, by, &person, Roles::CASEWORKER);
            for link in &joined.map_err(crate::session::refused("agency"))?.links {
                tx.put_event(link, &[])?;
            }
            Ok(())
        })
    };
    assert_eq!(join(session).unwrap_err().check(), Some(Check::RecipientKey));
    // Taken in by a version that did not ask.
    vault_core::forge::guard::without(Check::RecipientKey, || {
        let session = office.ann.s();
        join(session).unwrap();
        assert_eq!(session.pay_owed_epochs().unwrap(), Some(Check::AgeLimits));
        office.ann.note(&case, "obs: Goes out all the same.");
        sync(&mut office.ann, &mut office.served).unwrap();
    });
}

/// Synchronises with an honest server; tells how many links came.
pub(super) fn sync(vault: &mut Vault, served: &mut Served) -> Result<u64> {
    let received = follow(vault, served, &|_, answer| answer)?;
    send(vault, served);
    Ok(received)
}

/// Takes in what a server says; tells how many links came.
pub(super) fn follow(vault: &mut Vault, served: &Served, lie: Lie<'_>) -> Result<u64> {
    asked(vault, served, lie).0
}

/// As [`follow`], with what was asked.
pub(super) fn asked(vault: &mut Vault, served: &Served, lie: Lie<'_>) -> (Result<u64>, Vec<Request>) {
    let session = vault.s();
    let asked = RefCell::new(Vec::new());
    let log = LogOf {
        agency: session.holder.agency.id(),
        key: VerifyingKey::new(&log_key().public(), Check::CheckpointSignature).unwrap(),
    };
    let ask = |_: &Session, request: Request| {
        asked.borrow_mut().push(request);
        Ok(lie(request, served.answer(request)))
    };
    let answers = Answers {
        log: &log,
        ask: &ask,
        fault: &told,
    };
    let (cancel, progress) = (Cancel::default(), Silent);
    let task = Task {
        progress: &progress,
        cancel: &cancel,
    };
    let mut kept = super::kept(session);
    let taken = session.follow_by(&answers, &mut kept, task);
    (taken.map(|taken| taken.links), asked.into_inner())
}

fn told(fault: Fault) -> SessionError {
    match fault {
        Fault::Withheld { stream, seq } => {
            let of = format!("entry {seq} of {stream}");
            ServerFault::Withheld { of }.into()
        }
        Fault::Absent { stream, seq } => {
            let of = format!("entry {seq} of {stream}");
            ServerFault::Absent { of }.into()
        }
        Fault::Contradiction(_) => SessionError::refused(Check::LogConsistency, "the log"),
        Fault::Refused(refused) => SessionError::refused(refused.check, "the log"),
        Fault::Twice(_) => SessionError::refused(Check::LogTwice, "the log"),
    }
}

/// Sends what waits.
pub(super) fn send(vault: &mut Vault, served: &mut Served) {
    let session = vault.s();
    let mut kept = super::kept(session);
    let mut order = session.store.read(|tx| kept.order(tx)).unwrap();
    let mut last = kept.pushed;
    let sent = session.store.read(|tx| {
        let held_back = crate::session::server::waiting::first_of(tx, &kept, &kept.all_behind())?;
        tx.outgoing(kept.pushed, 64, &mut |outgoing| {
            for one in outgoing {
                if held_back.is_some_and(|first| first <= one.pos) {
                    return Ok(());
                }
                let link = one.link.link();
                let next = served.chains.get(&link.stream).map_or(0, Vec::len) as u64;
                assert_eq!(link.seq, next, "{}", link.stream);
                order = order.then(&one.link.id());
                last = one.pos;
                served.push(link.stream, one.link.id(), one.parcel);
            }
            Ok::<_, SessionError>(())
        })
    });
    sent.unwrap();
    kept.is_sent_to(last, order, true);
    session.write(|_, tx| kept.store(tx)).unwrap();
}

/// The stream of a case by its handle.
pub(super) fn stream_of(vault: &mut Vault, case: &str) -> StreamId {
    let session = vault.s();
    let holder = &session.holder;
    let found = session.store.read(|tx| holder.resolve_case(tx, case));
    StreamId::case(found.unwrap())
}
