//! Lies about what the log says, each as a change of its entries; and lies about what became of an append.

use super::forged::stranger;
use std::fmt;
use vault_core::id::LinkId;
use vault_core::parcel;
use vault_core::parcel::OpenParcel;
use vault_core::parcel::OpenRecord;
use vault_core::record::Ciphertext;
use vault_core::tlog::entry::Entry;
use vault_core::wire::v1::sync::CarriedBody;
use vault_core::wire::v1::sync::ErasedBody;
use vault_core::wire::v1::sync::Heads;
use vault_core::wire::v1::sync::Outcome;
use vault_core::wire::v1::sync::Parcel;
use vault_core::wire::v1::sync::StreamPage;

/// How the log that is shown differs from the one that there is. Leaves count from the end: 0 is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLie {
    /// The log as it was so many leaves ago: `replay(snapshot)`.
    Replay(u64),
    /// Without a leaf: `drop(filter)`.
    Drop(u64),
    /// Two neighbours change places: `reorder(perm)`.
    Reorder(u64),
    /// A leaf is there twice: `dup`.
    Dup(u64),
    /// A leaf that nobody wrote, before one: `inject(bytes)`.
    Inject(u64),
    /// Other entries from a leaf on, as many as there were and so many more: `fork(clients)`.
    Fork {
        /// The first that is other.
        from: u64,
        /// How many more.
        more: u64,
    },
    /// Leaves of another link of the same stream: `splice(case,event)`.
    Splice(u64),
    /// Leaves that others wrote, behind the log as it is. No lie; it makes a client ask for what is new.
    Grow(u64),
}

impl LogLie {
    /// Changes entries.
    ///
    /// # Panics
    /// Where there are not so many of them.
    pub fn applied(self, honest: &[Entry]) -> Vec<Entry> {
        let mut entries = honest.to_vec();
        let last = entries.len() - 1;
        let at = |back: u64| last - usize::try_from(back).expect("a small number");
        match self {
            Self::Replay(back) => entries.truncate(at(back) + 1),
            Self::Drop(back) => drop(entries.remove(at(back))),
            Self::Reorder(back) => entries.swap(at(back), at(back) - 1),
            Self::Dup(back) => {
                let again = entries.get(at(back)).copied().expect("it is there");
                entries.insert(at(back), again);
            }
            Self::Inject(back) => entries.insert(at(back), stranger(0xee)),
            Self::Fork { from, more } => {
                let from = at(from);
                let to = entries.len() + usize::try_from(more).expect("a small number");
                entries.truncate(from);
                entries.extend((from..to).map(|n| stranger(n as u8)));
            }
            Self::Splice(back) => {
                let link = LinkId([0x5a; 32]);
                entries.get_mut(at(back)).expect("it is there").link = link;
            }
            Self::Grow(more) => entries.extend((0..more).map(|n| stranger(0xd0 ^ n as u8))),
        }
        entries
    }
}

impl fmt::Display for LogLie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replay(back) => write!(f, "replay(snapshot of {back} leaves ago)"),
            Self::Drop(back) => write!(f, "drop(leaf -{back})"),
            Self::Reorder(back) => write!(f, "reorder(leaves -{back} and before)"),
            Self::Dup(back) => write!(f, "dup(leaf -{back})"),
            Self::Inject(back) => write!(f, "inject(a leaf before -{back})"),
            Self::Fork { from, more } => write!(f, "fork(from leaf -{from}, {more} longer)"),
            Self::Splice(back) => write!(f, "splice(another link at leaf -{back})"),
            Self::Grow(more) => write!(f, "{more} leaves of others"),
        }
    }
}

/// What is said to have become of an append that was never handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendLie {
    /// All stored, and the log does not grow: `hold(filter, until)`.
    Hold,
    /// All stored, and other entries are at their leaves: `splice`.
    Splice,
    /// All stored, in the log in the reverse of their order, as the leaves say: `reorder(perm)`.
    Reorder,
    /// All stored where they are, but for the leaves of the first two, which are told the wrong way round: `swap(a,b)`.
    Swap,
    /// The last is not in the log, and is said to be where the one before it is: `drop(filter)`.
    Drop,
    /// All stored, behind a log that is other from its last leaf on: `fork(clients)`.
    Fork,
    /// All stored, and the log is as it was a leaf ago: `replay(snapshot)`.
    Replay,
    /// One outcome more than was asked: `dup`.
    Dup,
    /// One outcome fewer than was asked: `truncate(n)`.
    Truncate,
    /// Stored at a leaf that is far behind the end: `set_param(leaf, 2^63)`.
    Leaf(u64),
    /// A conflict, with heads that nobody made: `inject`.
    Conflict,
    /// Refused by a check: `set_param(check, k)`.
    Refuse(u8),
    /// None was tried: `drop`.
    NotTried,
}

impl AppendLie {
    /// Answers an append of these entries to a log of those; returns the answer's outcomes and the log that goes with it.
    ///
    /// # Panics
    /// Where fewer than two entries are appended to a lie that needs two.
    pub fn answered(self, honest: &[Entry], own: &[Entry]) -> (Vec<Outcome>, Vec<Entry>) {
        let first = honest.len() as u64;
        let behind = |more: &[Entry]| [honest, more].concat();
        let mut stored: Vec<_> = (first..).take(own.len()).map(Outcome::Stored).collect();
        let all = |outcome: Outcome| vec![outcome; own.len()];
        match self {
            Self::Hold => (stored, honest.to_vec()),
            Self::Splice => (stored, behind(&vec![stranger(0x51); own.len()])),
            Self::Reorder => {
                stored.reverse();
                let reversed: Vec<_> = own.iter().rev().copied().collect();
                (stored, behind(&reversed))
            }
            Self::Swap => {
                stored.swap(0, 1);
                (stored, behind(own))
            }
            Self::Drop => {
                let (_, but_last) = own.split_last().expect("something is appended");
                let before = first + but_last.len() as u64 - 1;
                *stored.last_mut().expect("something is appended") = Outcome::Stored(before);
                (stored, behind(but_last))
            }
            Self::Fork => {
                let forked = LogLie::Fork { from: 0, more: 0 }.applied(honest);
                (stored, [&forked, own].concat())
            }
            Self::Replay => (stored, LogLie::Replay(1).applied(honest)),
            Self::Dup => {
                stored.push(Outcome::Stored(first));
                (stored, behind(own))
            }
            Self::Truncate => {
                stored.pop();
                let kept = own.get(..stored.len()).unwrap_or_default();
                (stored, behind(kept))
            }
            Self::Leaf(leaf) => (all(Outcome::Stored(leaf)), behind(own)),
            Self::Conflict => {
                let heads = Heads {
                    links: 7,
                    stream: LinkId([7; 32]),
                    agency: LinkId([8; 32]),
                };
                (all(Outcome::Conflict(heads)), honest.to_vec())
            }
            Self::Refuse(check) => (all(Outcome::Refused(check)), honest.to_vec()),
            Self::NotTried => (all(Outcome::NotTried), honest.to_vec()),
        }
    }
}

/// How the links that are handed out differ from those that there are. They are of two leaves at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageLie {
    /// The first two change places: `reorder(perm)`.
    Reorder,
    /// Without the first: `drop(filter)`.
    Drop,
    /// The first twice: `dup`.
    Dup,
    /// The second at the first's leaf: `splice(case,event)`.
    Splice,
    /// One bit of the first's ciphertext or of its link: `flip(blob,bit)`.
    Flip,
    /// None: `hold(filter, until)`.
    Hold,
    /// The records of all without their bytes, as if they had been erased: `drop(filter)`.
    Erase,
}

impl PageLie {
    /// Changes a page.
    ///
    /// # Panics
    /// Where it has not two parcels.
    pub fn applied(self, mut page: StreamPage) -> StreamPage {
        let parcels = &mut page.parcels;
        match self {
            Self::Reorder => parcels.swap(0, 1),
            Self::Drop => drop(parcels.remove(0)),
            Self::Dup => parcels.insert(1, parcels.first().cloned().expect("a parcel")),
            Self::Splice => {
                // The last page of a stream may have one alone.
                if parcels.len() > 1 {
                    let mut second = parcels.remove(1);
                    let first = parcels.first_mut().expect("a parcel");
                    second.leaf = first.leaf;
                    *first = second;
                }
            }
            Self::Flip => {
                let parcel = &mut parcels.first_mut().expect("a parcel").parcel;
                let record = parcel.records.first_mut().map(|record| &mut record.body);
                match record {
                    Some(CarriedBody::Kept(body)) => *body.ciphertext.first_mut().expect("a byte") ^= 1,
                    _ => *parcel.link.last_mut().expect("a byte") ^= 1,
                }
            }
            Self::Hold => parcels.clear(),
            Self::Erase => parcels.iter_mut().for_each(|placed| erase(&mut placed.parcel)),
        }
        page
    }
}

/// Leaves of each record what an erasure would leave.
fn erase(parcel: &mut Parcel) {
    let open = OpenParcel::open(parcel.clone()).expect("an honest parcel");
    let placements = parcel::placements(&open.link().link().body);
    for ((record, opened), placement) in parcel.records.iter_mut().zip(open.records()).zip(placements) {
        if let OpenRecord::Kept { record: kept, .. } = opened {
            record.body = CarriedBody::Erased(ErasedBody {
                ciphertext: Ciphertext::from(kept.ciphertext().to_vec()).hash(),
                wrap: placement.wrap_hash,
            });
        }
    }
}

impl fmt::Display for PageLie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reorder => "reorder(links of a page)",
            Self::Drop => "drop(the first link of a page)",
            Self::Dup => "dup(a link of a page)",
            Self::Splice => "splice(a link at another's leaf)",
            Self::Flip => "flip(a bit of a link's record)",
            Self::Hold => "hold(all links)",
            Self::Erase => "drop(the bytes of a page's records)",
        })
    }
}

impl fmt::Display for AppendLie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold => f.write_str("hold(append, said to be stored)"),
            Self::Splice => f.write_str("splice(others' entries at their leaves)"),
            Self::Reorder => f.write_str("reorder(links of an append)"),
            Self::Swap => f.write_str("swap(leaves of an append)"),
            Self::Drop => f.write_str("drop(the last of an append)"),
            Self::Fork => f.write_str("fork(behind an append)"),
            Self::Replay => f.write_str("replay(snapshot behind an append)"),
            Self::Dup => f.write_str("dup(an outcome)"),
            Self::Truncate => f.write_str("truncate(outcomes)"),
            Self::Leaf(leaf) => write!(f, "set_param(leaf, {leaf})"),
            Self::Conflict => f.write_str("inject(heads)"),
            Self::Refuse(check) => write!(f, "set_param(check, {check})"),
            Self::NotTried => f.write_str("drop(append, not tried)"),
        }
    }
}
