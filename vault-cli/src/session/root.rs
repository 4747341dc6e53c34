//! The agency's root: what it says, and its next version, which as many administrators sign as it asks for.
//!
//! ```text
//! propose ─ file ─> endorse (another administrator) ─ file ─> … ─> the `root` event, by whoever signs last
//! ```
//! A proposal holds no secret and no name. Whoever endorses one is shown what it changes, from its own copy of the agency.

use super::Result;
use super::Session;
use super::SessionError;
use super::Task;
use super::refused;
use super::reply::AGENCY_ENDORSE;
use super::reply::AGENCY_PROPOSAL;
use super::reply::AGENCY_PROPOSE;
use super::reply::AGENCY_SHOW;
use super::reply::AgencyShowReply;
use super::reply::NamedMember;
use super::reply::ProposalReply;
use super::reply::RECOVERY_KEY;
use super::reply::RootChangeReply;
use super::reply::SIGNATURES;
use super::reply::Schema;
use super::request::AgencyEndorseRequest;
use super::request::AgencyProposalRequest;
use super::request::AgencyProposeRequest;
use super::request::AgencyShowRequest;
use crate::remote::ServerFault;
use data_encoding::BASE64;
use vault_core::check::Check;
use vault_core::growing;
use vault_core::growing::Acting;
use vault_core::growing::Proposal;
use vault_core::growing::RootPart;
use vault_core::id::MemberId;
use vault_core::tlog::note;
use vault_core::tlog::note::Kind;
use vault_core::wire::v1::agency::Administrator;
use vault_core::wire::v1::agency::Operation;
use vault_core::wire::v1::agency::Root;
use vault_core::wire::v1::agency::Verifier;

const PROPOSAL: &str = "proposal";
/// Characters of a line of a proposal's text.
const LINE: usize = 76;

/// What a proposal changes, once the words of a request are read.
struct Edit {
    witnesses: Vec<Verifier>,
    without_witnesses: Vec<String>,
    signatures: Option<u8>,
    administrators: Vec<Administrator>,
    without_administrators: Vec<MemberId>,
}

impl Edit {
    fn apply(&self, root: &mut Root) {
        let gone = |one: &Verifier| {
            let mut named = self.without_witnesses.iter();
            named.any(|name| name.as_bytes() == one.name)
        };
        root.witnesses.retain(|one| !gone(one));
        root.witnesses.extend(self.witnesses.iter().cloned());
        if let Some(signatures) = self.signatures {
            let mut thresholds = root.thresholds.iter_mut();
            if let Some(of_root) = thresholds.find(|one| one.operation == Operation::Root) {
                of_root.administrators = signatures;
            }
        }
        let is_named = |member| self.administrators.iter().any(|one| one.member == member);
        let is_gone = |member| self.without_administrators.contains(&member);
        root.administrators
            .retain(|one| !is_gone(one.member) && !is_named(one.member));
        root.administrators.extend(self.administrators.iter().copied());
    }
}

impl Session {
    /// Shows the root in force. Nothing of it is a client's: nothing is logged.
    ///
    /// # Errors
    /// [`SessionError::Refused`].
    pub fn agency_show(&mut self, _: AgencyShowRequest) -> Result<AgencyShowReply> {
        let settings = self.store.read(|tx| {
            self.holder.catch_up(tx)?;
            Ok::<_, SessionError>(self.holder.settings(tx)?.settings)
        })?;
        let (agency, founder) = (&self.holder.agency, self.holder.founder());
        let root = agency.root();
        let line = |one: &Verifier, kind| {
            let name = String::from_utf8_lossy(&one.name);
            note::write_verifier(&name, kind, &one.key).map_err(refused("root"))
        };
        let administrators = root.administrators.iter().map(|one| NamedMember {
            member: one.member.handle(),
            name: settings.name_of(one.member, founder).map(str::to_owned),
        });
        Ok(AgencyShowReply {
            schema: AGENCY_SHOW,
            agency: agency.id().to_string(),
            name: Some(settings.agency.clone()),
            version: root.version,
            administrators: administrators.collect(),
            signatures: growing::signatures_of_root(agency),
            recovery_version: root.recovery.version,
            log: root.log.as_ref().map(|log| line(log, Kind::Ed25519)).transpose()?,
            witnesses: root
                .witnesses
                .iter()
                .map(|one| line(one, Kind::Cosignature))
                .collect::<Result<_>>()?,
        })
    }

    /// Proposes the next version of the root, with this administrator's signature. Where that is enough it is in force at
    /// once, and sent.
    ///
    /// # Errors
    /// [`SessionError::NotAdministrator`], [`SessionError::NotFound`], [`SessionError::Denied`] for one's own administration,
    /// [`SessionError::Refused`] for a witness's key that is none and a root that is not valid.
    pub fn agency_propose(&mut self, request: AgencyProposeRequest, task: Task<'_>) -> Result<ProposalReply> {
        self.holder.require_administrator("a new version of the root")?;
        // What is proposed follows the root in force everywhere, as far as the server can be reached.
        self.send_if_reachable(task)?;
        let edit = self.edit(&request)?;
        let by = self.acting();
        let proposal = Proposal::make(&self.holder.agency, by, |root| edit.apply(root)).map_err(refused(PROPOSAL))?;
        if proposal.changes(&self.holder.agency).is_empty() {
            return Err(SessionError::Conflict {
                what: "the root says all that already".to_owned(),
                next: "`casevault agency show` shows it".to_owned(),
            });
        }
        self.signed(AGENCY_PROPOSE, proposal, task)
    }

    /// Reads a proposal, and tells what it changes; nothing is signed.
    ///
    /// # Errors
    /// [`SessionError::Refused`] for what is no proposal for the root in force.
    pub fn agency_proposal(&mut self, request: AgencyProposalRequest) -> Result<ProposalReply> {
        self.store.read(|tx| self.holder.catch_up(tx))?;
        let proposal = self.proposal(&request.proposal)?;
        self.told(AGENCY_PROPOSAL, &proposal, false)
    }

    /// Signs a proposal too. Where that is enough it is in force at once, and sent.
    ///
    /// # Errors
    /// [`SessionError::NotAdministrator`]; as [`Session::agency_proposal`].
    pub fn agency_endorse(&mut self, request: AgencyEndorseRequest, task: Task<'_>) -> Result<ProposalReply> {
        self.holder
            .require_administrator("endorsing a new version of the root")?;
        self.send_if_reachable(task)?;
        let proposal = self.proposal(&request.proposal)?;
        let endorsed = proposal.endorse(&self.holder.agency, self.acting());
        self.signed(AGENCY_ENDORSE, endorsed.map_err(refused(PROPOSAL))?, task)
    }

    pub(super) fn acting(&self) -> Acting<'_> {
        Acting {
            member: self.holder.member,
            device: self.holder.device,
            secrets: &self.holder.secrets,
        }
    }

    fn edit(&self, request: &AgencyProposeRequest) -> Result<Edit> {
        let witness = |line: &String| note::read_verifier(line, Kind::Cosignature).map_err(refused("witness's key"));
        let agency = &self.holder.agency;
        let administrator = |text: &String| {
            let member = self.holder.live_member(text)?;
            let known = agency.live_member(member).map_err(refused(PROPOSAL))?;
            let identity = known.identity;
            Ok(Administrator { member, identity })
        };
        let without = |text: &String| {
            let member = self.holder.live_member(text)?;
            match member == self.holder.member {
                true => Err(SessionError::Denied {
                    why: "nobody ends their own administration".to_owned(),
                    hint: "another administrator proposes it".to_owned(),
                }),
                false => Ok(member),
            }
        };
        for name in &request.without_witnesses {
            let mut named = agency.root().witnesses.iter();
            if !named.any(|one| one.name == name.as_bytes()) {
                return Err(SessionError::NotFound {
                    what: "witness",
                    text: name.clone(),
                });
            }
        }
        Ok(Edit {
            witnesses: request.witnesses.iter().map(witness).collect::<Result<_>>()?,
            without_witnesses: request.without_witnesses.clone(),
            signatures: request.signatures,
            administrators: request
                .administrators
                .iter()
                .map(administrator)
                .collect::<Result<_>>()?,
            without_administrators: request
                .without_administrators
                .iter()
                .map(without)
                .collect::<Result<_>>()?,
        })
    }

    /// Puts in force what has enough signatures, and tells of it.
    pub(super) fn signed(&mut self, schema: Schema, proposal: Proposal, task: Task<'_>) -> Result<ProposalReply> {
        let mut reply = self.told(schema, &proposal, true)?;
        if reply.missing == 0 {
            let root = proposal.root().clone();
            self.write(|holder, tx| holder.administer(tx, |agency, by| proposal.adopt(agency, by)))?;
            reply.in_force = true;
            reply.proposal = String::new();
            reply.sent = self.send_if_known(task)?;
            // What was sent met what others had put in force meanwhile: of two next roots the log's first is the one.
            if !self.holder.agency.has_had(&root) {
                return Err(SessionError::Conflict {
                    what: "another version of the root came into force first, and this one is set aside".to_owned(),
                    next: "`casevault agency show` has the root that there is; propose anew what it lacks".to_owned(),
                });
            }
            reply.officer_owed = growing::owed(&self.holder.agency).role;
        }
        Ok(reply)
    }

    /// As [`Session::send_if_reachable`]; a restored device, which the server does not know, proposes all the same: others sign
    /// it and send it.
    pub(super) fn send_if_known(&mut self, task: Task<'_>) -> Result<bool> {
        match self.send_if_reachable(task) {
            Err(SessionError::Server(ServerFault::UnknownDevice)) => Ok(false),
            sent => sent,
        }
    }

    fn proposal(&self, text: &str) -> Result<Proposal> {
        let bytes = read(text).ok_or(SessionError::refused(Check::NotCanonical, PROPOSAL))?;
        Proposal::read(&self.holder.agency, &bytes).map_err(refused(PROPOSAL))
    }

    fn told(&mut self, schema: Schema, proposal: &Proposal, whole: bool) -> Result<ProposalReply> {
        let settings = self.store.read(|tx| self.holder.settings(tx))?.settings;
        let (agency, founder) = (&self.holder.agency, self.holder.founder());
        let changes = proposal.changes(agency).into_iter().map(|one| RootChangeReply {
            part: part_name(one.part).to_owned(),
            member: match one.part {
                RootPart::Administrator(member) => Some(settings.named(member, founder)),
                _ => None,
            },
            before: one.before,
            after: one.after,
        });
        let signed_by = proposal.signed_by().map(|member| NamedMember {
            member: member.handle(),
            name: settings.name_of(member, founder).map(str::to_owned),
        });
        let bytes = proposal.to_bytes().map_err(refused(PROPOSAL))?;
        Ok(ProposalReply {
            schema,
            version: proposal.root().version,
            changes: changes.collect(),
            signed_by: signed_by.collect(),
            administrators: proposal.root().administrators.len(),
            missing: proposal.missing(agency),
            in_force: false,
            sent: false,
            officer_owed: false,
            proposal: if whole { write(&bytes) } else { String::new() },
        })
    }
}

fn part_name(part: RootPart) -> &'static str {
    match part {
        RootPart::Administrator(_) => "administrator",
        RootPart::Signatures(Operation::Root) => SIGNATURES,
        RootPart::Signatures(Operation::Member) => "administrators for members",
        RootPart::Signatures(Operation::Policy) => "administrators for the policy set",
        RootPart::Signatures(Operation::Recovery) => "administrators for recovery",
        RootPart::Log => "log",
        RootPart::Witness => "witness",
        RootPart::Recovery => RECOVERY_KEY,
        RootPart::DataProtection => "data-protection role",
        RootPart::Duty => "duty role",
        RootPart::Sections => "sections",
        RootPart::Release => "release version",
        RootPart::Format => "lowest format",
        RootPart::Other => "salt",
    }
}

/// Writes a proposal's bytes as text that goes by mail.
fn write(bytes: &[u8]) -> String {
    let encoded = BASE64.encode(bytes);
    let mut out = String::from(
        "# CaseVault: a proposal for the next version of an agency's root. Another administrator looks at it and signs with\n\
         #     casevault agency endorse FILE\n",
    );
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(LINE.min(rest.len()));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out
}

/// Reads the bytes out of a proposal's text; lines that begin with `#` are for people.
fn read(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let encoded: String = lines.collect();
    BASE64.decode(encoded.as_bytes()).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_proposals_text_is_read_back_also_from_a_mail_and_nothing_else_is() {
        for length in [1, 56, 57, 58, 4096] {
            let bytes: Vec<u8> = (0..length).map(|at: usize| (at % 251) as u8).collect();
            let text = write(&bytes);
            assert!(text.lines().skip(2).all(|line| line.len() <= LINE));
            assert_eq!(read(&text).unwrap(), bytes);
            let mailed = text.replace('\n', "\r\n  ");
            assert_eq!(read(&mailed).unwrap(), bytes);
        }
        for wrong in ["", "# only words\n", "not base64!\n", "QQ\n"] {
            assert!(read(wrong).is_none(), "{wrong:?}");
        }
    }
}
