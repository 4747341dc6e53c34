//! A link of the server's own making at the end of a stream that it keeps, with a leaf of its own in the log: what the stream
//! would say if nobody looked at signatures. It is in an administrator's name, signed by the attacker's key.

use super::means::Asked;
use super::means::Means;
use super::message::Message;
use super::verb::Answer;
use super::verb::attackers_key;
use super::verb::from_shown;
use data_encoding::HEXLOWER;
use std::fmt;
use vault_core::agency_state::root_hash;
use vault_core::context::Label;
use vault_core::crypto::sign::Signature;
use vault_core::id::DeviceId;
use vault_core::id::MemberId;
use vault_core::keyring;
use vault_core::secret::RecipientSeed;
use vault_core::stream::UnverifiedLink;
use vault_core::tlog::entry::Entry;
use vault_core::wire;
use vault_core::wire::v1::agency::CertifiedDevice;
use vault_core::wire::v1::agency::DeviceCertificate;
use vault_core::wire::v1::agency::MemberRecipient;
use vault_core::wire::v1::agency::Roles;
use vault_core::wire::v1::event::Event;
use vault_core::wire::v1::event::NewMember;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::link::Link;
use vault_core::wire::v1::link::LinkBody;
use vault_core::wire::v1::link::PlacedEvent;
use vault_core::wire::v1::stream::StreamKind;
use vault_core::wire::v1::sync::ListedStream;
use vault_core::wire::v1::sync::Parcel;
use vault_core::wire::v1::sync::PlacedParcel;
use vault_core::wire::v1::sync::StreamList;
use vault_core::wire::v1::sync::StreamPage;

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ghost {
    /// That the administrator has another recipient, whose key is the attacker's: `substitute_key(user,pk)`.
    Recipient,
    /// That there is a root which names the attacker's recovery key.
    Recovery,
    /// That the attacker is a member.
    Member,
    /// That the attacker's device is the administrator's.
    Device,
    /// That the administrator wrote the last note of a case again.
    Note,
}

/// The link, and where it stands.
struct Placed {
    link: Link,
    signature: Signature,
    bytes: Vec<u8>,
    leaf: u64,
}

impl Ghost {
    /// Answers a message as a server does that has put the link there.
    ///
    /// # Panics
    /// Where the server has no such stream.
    pub fn answer(self, means: &Means, message: Message, asked: &Asked) -> Answer {
        let placed = self.placed(means);
        match message {
            Message::Streams => {
                let mut list: StreamList = wire::decode(&means.forward(asked).body, limit::APPEND).expect("a list");
                list.streams.retain(|one| one.stream != placed.link.stream);
                list.streams.push(ListedStream {
                    stream: placed.link.stream,
                    links: placed.link.seq + 1,
                    last: placed.leaf,
                });
                Answer::of(200, wire::encode(&list).expect("a list is encoded"))
            }
            Message::Page if asked.path.contains(&HEXLOWER.encode(&placed.link.stream.id)) => {
                let honest = means.forward(asked);
                let mut page: StreamPage = wire::decode(&honest.body, limit::APPEND).expect("a page");
                let copied = match self {
                    Self::Note => page.parcels.last().map(|last| last.parcel.records.clone()),
                    _ => None,
                };
                page.parcels.push(PlacedParcel {
                    leaf: placed.leaf,
                    parcel: Parcel {
                        link: placed.bytes,
                        signature: placed.signature,
                        records: copied.unwrap_or_default(),
                        blobs: Vec::new(),
                    },
                });
                Answer::of(200, wire::encode(&page).expect("a page is encoded"))
            }
            _ => {
                let id = UnverifiedLink::decode(&placed.bytes, placed.signature)
                    .expect("a link")
                    .id();
                let mut entries = means.honest();
                entries.push(Entry::of(placed.link.stream, placed.link.seq, id));
                means.show(Some(means.log_of(entries)));
                from_shown(means, message, asked)
            }
        }
    }

    fn kind(self) -> StreamKind {
        match self {
            Self::Note => StreamKind::Case,
            Self::Recipient | Self::Recovery | Self::Member | Self::Device => StreamKind::Agency,
        }
    }

    fn placed(self, means: &Means) -> Placed {
        let links = means.links(self.kind());
        let last = links.last().expect("a stream with links");
        let link = Link {
            seq: last.link().seq + 1,
            previous: last.id(),
            agency_head: match self.kind() {
                StreamKind::Agency => last.id(),
                StreamKind::Case | StreamKind::Access => last.link().agency_head,
            },
            body: match self.event(&links) {
                Some(event) => LinkBody::Event(PlacedEvent {
                    event,
                    sealed: Vec::new(),
                }),
                None => last.link().body.clone(),
            },
            ..last.link().clone()
        };
        let bytes = wire::encode(&link).expect("a link is encoded");
        Placed {
            signature: attackers_key().sign(Label::LinkSignature, &[&bytes]),
            link,
            bytes,
            leaf: means.honest().len() as u64,
        }
    }

    /// What a link of the agency's stream would say, behind those that there are.
    fn event(self, links: &[UnverifiedLink]) -> Option<Event> {
        let mut roots = links.iter().filter_map(|link| match &link.link().body {
            LinkBody::Event(placed) => match &placed.event {
                Event::Root(signed) => Some(signed),
                _ => None,
            },
            _ => None,
        });
        let recipient = keyring::recipient_key(&RecipientSeed::from_bytes([0xa8; 32]));
        let ghost = MemberId([0xa9; 16]);
        let of = |member| MemberRecipient {
            member,
            version: 1,
            key: recipient.clone(),
        };
        let mut root = || roots.next_back().expect("the agency has a root").clone();
        let agency = links.first()?.link().agency;
        Some(match self {
            Self::Note => return None,
            Self::Recipient => {
                let administrator = root().root.administrators.first()?.member;
                Event::Recipient(MemberRecipient {
                    version: 2,
                    ..of(administrator)
                })
            }
            Self::Recovery => {
                let mut signed = root();
                signed.root.previous = root_hash(&signed.root).expect("a root has a hash");
                signed.root.version += 1;
                signed.root.recovery.version += 1;
                signed.root.recovery.recipient = recipient;
                signed.founding = None;
                let bytes = wire::encode(&signed.root).expect("a root is encoded");
                for one in &mut signed.signatures {
                    one.signature = attackers_key().sign(Label::RootSignature, &[&bytes]);
                }
                Event::Root(signed)
            }
            Self::Member => Event::Member(NewMember {
                member: ghost,
                identity: attackers_key().public(),
                roles: Roles::CASEWORKER,
                recipient: of(ghost),
            }),
            Self::Device => {
                let certificate = DeviceCertificate {
                    agency,
                    member: root().root.administrators.first()?.member,
                    device: DeviceId([0xaa; 16]),
                    key: attackers_key().public(),
                };
                let bytes = wire::encode(&certificate).expect("a certificate is encoded");
                Event::Device(CertifiedDevice {
                    certificate,
                    signature: attackers_key().sign(Label::DeviceCertificate, &[&bytes]),
                })
            }
        })
    }
}

impl fmt::Display for Ghost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recipient => "substitute_key(recipient of the administrator)",
            Self::Recovery => "substitute_key(recovery, in a root)",
            Self::Member => "inject(a member)",
            Self::Device => "inject(a device)",
            Self::Note => "inject(a note)",
        })
    }
}
