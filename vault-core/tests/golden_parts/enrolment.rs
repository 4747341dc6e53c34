//! §19: an enrolment sheet for a member and one for a device, with what goes between the two sides.

use super::DEVICE;
use super::DEVICE_SEED;
use super::DPO_SEED;
use super::IDENTITY_SEED;
use super::MEMBER;
use super::OTHER_DEVICE_SEED;
use super::OTHER_IDENTITY_SEED;
use super::OTHER_RECIPIENT_SEED;
use super::RECIPIENT_SEED;
use super::SEAL_SECRET;
use super::STORE_KEY;
use super::agency;
use super::hex;
use super::links;
use super::recipient;
use super::recovery::Counting;
use serde_json::Value;
use serde_json::json;
use vault_core::agency_state;
use vault_core::agency_state::AgencyState;
use vault_core::check::Check;
use vault_core::growing;
use vault_core::growing::Acting;
use vault_core::id::DeviceId;
use vault_core::id::LinkId;
use vault_core::id::MemberId;
use vault_core::joining;
use vault_core::joining::Invite;
use vault_core::keyring;
use vault_core::keystore::Secrets;
use vault_core::secret::SealSecret;
use vault_core::secret::SigningSeed;
use vault_core::secret::StoreKey;
use vault_core::wire;
use vault_core::wire::v1::agency::DeviceCertificate;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::enrolment::EnrolmentSheet;
use vault_core::wire::v1::enrolment::HandedSecrets;
use vault_core::wire::v1::enrolment::HandedSeed;
use vault_core::wire::v1::enrolment::InviteKind;
use vault_core::wire::v1::enrolment::NewPerson;
use vault_core::wire::v1::stream::Day;

const LINK: LinkId = LinkId([0x66; 32]);
const ONCE_SEED: [u8; 32] = [0x11; 32];

pub(crate) fn sheet(kind: InviteKind) -> EnrolmentSheet {
    EnrolmentSheet {
        format: 1,
        kind,
        agency: agency(),
        member: match kind {
            InviteKind::Member => MemberId([0x60; 16]),
            _ => MEMBER,
        },
        root: agency_state::root_hash(&links::first_root()).unwrap(),
        size: 5,
        tree: [0x61; 32],
        until: Day(20_750),
        url: b"https://vault.example:8443".to_vec(),
        secret: std::array::from_fn(|at| 0xa0 + at as u8),
    }
}

pub(crate) fn invite(kind: InviteKind) -> Invite {
    Invite::of(sheet(kind)).unwrap()
}

fn joiners_secrets() -> Secrets {
    Secrets {
        device: SigningSeed::from_bytes(OTHER_DEVICE_SEED),
        seal_secret: SealSecret::from_bytes(SEAL_SECRET),
        store_key: StoreKey::from_bytes(STORE_KEY),
        identity: SigningSeed::from_bytes(OTHER_IDENTITY_SEED),
        recipients: vec![(1, recipient(OTHER_RECIPIENT_SEED))],
        dpo: Vec::new(),
        recovery: None,
    }
}

pub(crate) fn request(kind: InviteKind) -> Vec<u8> {
    let invite = invite(kind);
    let joiner = match kind {
        InviteKind::Device => {
            let device = SigningSeed::from_bytes(OTHER_DEVICE_SEED);
            invite.further_device(&device, &recipient(ONCE_SEED))
        }
        _ => invite.person(&joiners_secrets()).unwrap(),
    };
    invite.seal_request(joiner, &mut Counting::from(3)).unwrap()
}

fn told(kind: InviteKind, secrets: Option<Vec<u8>>) -> Value {
    let (invite, request) = (invite(kind), request(kind));
    let answer = invite
        .seal_answer(&request, LINK, secrets, &mut Counting::from(4))
        .unwrap();
    let sheet = invite.sheet();
    json!({
        "sheet": hex(wire::encode(sheet).unwrap()),
        "rows": joining::sheet_rows(sheet).unwrap().to_vec(),
        "scanned": joining::sheet_scanned(sheet).unwrap().as_str(),
        "secret": hex(sheet.secret),
        "url": "https://vault.example:8443",
        "invite": hex(invite.id().0),
        "device": hex(invite.device().0),
        "request": hex(&request),
        "request_hash": hex(joining::request_hash(&request)),
        "code": joining::code(&request),
        "answer": hex(&answer),
        "link": hex(LINK.0),
    })
}

/// The agency's stream from its founding on: a member joins, gets other roles, and begins anew.
fn growing_told() -> Value {
    let first = links::founding(links::first_root());
    let mut told = vec![links::told("root, with the founding", &first, DEVICE_SEED)];
    let mut state = AgencyState::found(first.as_unverified()).unwrap();
    let founder = Secrets {
        device: SigningSeed::from_bytes(DEVICE_SEED),
        identity: SigningSeed::from_bytes(IDENTITY_SEED),
        ..joiners_secrets()
    };
    let by = Acting {
        member: MEMBER,
        device: DEVICE,
        secrets: &founder,
    };
    let (member, first_device, second_device) = (MemberId([0x60; 16]), DeviceId([0x62; 16]), DeviceId([0x63; 16]));
    let person = |device: DeviceId, seeds: [u8; 3]| {
        let identity = super::signer([seeds[0]; 32]);
        let certificate = DeviceCertificate {
            agency: agency(),
            member,
            device,
            key: super::signer([seeds[1]; 32]).public(),
        };
        NewPerson {
            identity: identity.public(),
            recipient: keyring::recipient_key(&recipient([seeds[2]; 32])),
            device: joining::certify(certificate, &identity).unwrap(),
        }
    };
    let (new, anew) = (
        person(first_device, [0x21, 0x22, 0x23]),
        person(second_device, [0x24, 0x25, 0x26]),
    );
    let roles = Roles::SUPERVISOR.with(Roles::REVIEWER);
    let mut appended = growing::join(&mut state, by, &new, Roles::CASEWORKER).unwrap();
    appended.extend(growing::change_roles(&mut state, by, member, roles).unwrap());
    appended.extend(growing::reset(&mut state, by, &anew).unwrap());
    let names = ["member", "device", "roles", "reset", "device, by the new identity"];
    assert_eq!(appended.links.len(), names.len());
    for (what, link) in names.into_iter().zip(&appended.links) {
        told.push(links::told(what, link, DEVICE_SEED));
    }
    json!({
        "devices": [hex(DEVICE.0), hex(first_device.0), hex(second_device.0)],
        "member": hex(member.0),
        "roles": [1, 1, 10, 10, 10],
        "links": told,
    })
}

pub(crate) fn enrolment() -> Value {
    let handed = HandedSecrets {
        format: 1,
        agency: agency(),
        member: MEMBER,
        device: invite(InviteKind::Device).device(),
        identity: IDENTITY_SEED,
        recipients: vec![HandedSeed {
            version: 1,
            seed: RECIPIENT_SEED,
        }],
        dpo: vec![HandedSeed {
            version: 0,
            seed: DPO_SEED,
        }],
    };
    json!({
        "about": "§19: enrolment sheets with what both sides derive and send. An age file is random, so that the device's \
                  answer has other bytes in its place; what the file holds is `handed`.",
        "member": told(InviteKind::Member, None),
        "device": told(InviteKind::Device, Some(b"an age file".to_vec())),
        "once_seed": hex(ONCE_SEED),
        "signer_seeds": [hex(DEVICE_SEED), hex(OTHER_DEVICE_SEED)],
        "handed": hex(wire::encode(&handed).unwrap()),
        "growing": growing_told(),
    })
}

/// Sheets and requests that are refused.
pub(crate) fn malformed() -> Vec<Value> {
    let honest = sheet(InviteKind::Member);
    let rows = joining::sheet_rows(&honest).unwrap().to_vec();
    let text = |name: &str, rows: &[String], check: Check| json!({ "name": name, "structure": "sheet", "text": rows.join("\n"), "check": check.to_string() });
    let mut letter = rows.clone();
    let other = if letter[2].ends_with('0') { "1" } else { "0" };
    let last = letter[2].len() - 1;
    letter[2].replace_range(last.., other);
    let mut short = rows.clone();
    short[1].truncate(last - 4);
    let mut swapped = rows.clone();
    swapped.swap(3, 4);
    let of = |edit: fn(&mut EnrolmentSheet)| {
        let mut edited = honest.clone();
        edit(&mut edited);
        joining::sheet_rows(&edited).unwrap().to_vec()
    };
    let check = Check::EnrolmentSheet;
    let mut out = vec![
        text("sheet: a letter of a row's check", &letter, check),
        text("sheet: a row that is cut short", &short, check),
        text("sheet: two rows in each other's place", &swapped, check),
        text("sheet: the last row is missing", &rows[..rows.len() - 1], check),
        text("sheet: nothing of one", &["a letter".to_owned()], check),
        text("sheet: an empty log", &of(|s| s.size = 0), check),
        text(
            "sheet: an address with a space",
            &of(|s| s.url = b"https://a b".to_vec()),
            check,
        ),
        text("sheet: no address", &of(|s| s.url = Vec::new()), check),
        text("sheet: a form of later", &of(|s| s.format = 2), Check::UnknownFormat),
    ];
    let honest = request(InviteKind::Member);
    let mut sealed = |name: &str, bytes: &[u8], check: Check| {
        let bytes = hex(bytes);
        out.push(json!({ "name": name, "structure": "join_request", "bytes": bytes, "check": check.to_string() }));
    };
    for (name, at) in [
        ("fresh part", 0),
        ("commitment", 32),
        ("sealed part", 64),
        ("tag", honest.len() - 1),
    ] {
        let mut flipped = honest.clone();
        flipped[at] ^= 1;
        sealed(
            &format!("join request: a bit of its {name}"),
            &flipped,
            Check::EnrolmentSeal,
        );
    }
    sealed("join request: cut short", &honest[..63], Check::EnrolmentSeal);
    sealed("join request: too long", &vec![0; 4097], Check::TooLong);
    sealed(
        "join request: of another sheet",
        &request(InviteKind::Device),
        Check::EnrolmentSeal,
    );
    let invite = invite(InviteKind::Member);
    let device = invite.further_device(&SigningSeed::from_bytes(OTHER_DEVICE_SEED), &recipient(ONCE_SEED));
    let device = invite.seal_request(device, &mut Counting::from(5)).unwrap();
    sealed(
        "join request: of a device, where a member is asked for",
        &device,
        Check::EnrolmentContext,
    );
    out
}
