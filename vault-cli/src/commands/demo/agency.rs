//! The demo of an agency: two members, a server, and a lie that is caught.
//!
//! ```text
//! a server ─> Robin's vault ─> Sam joins by paper ─> both write ─> what the server has ─> it forgets, and tells each another
//! history ─> the one who knew better is told, with evidence
//! ```

use std::path::PathBuf;

use super::serving::Serving;
use super::stage::{Stage, claim};
use super::{COST, find, sample, thief};
use crate::error::CliError;
use crate::places::Places;
use crate::render;
use crate::session::request::{
    ApproveRequest, CaseOpenRequest, InitRequest, JoinRequest, MemberInviteRequest, MemberListRequest, NoteAddRequest,
    NoteInput, NoteShowRequest, ServerAddRequest,
};
use crate::session::{Kind, Passphrase, Session, Task};
use vault_core::note::NoteKind;

/// The colleague.
const COLLEAGUE: &str = "Sam Quillfeather";

/// Clients, and what is written of them.
const ROBINS: (&str, &str) = (
    "Elin Farrowdale",
    "obs: The kitchen was cold again, thirteen degrees at noon.\n",
);
const SAMS: (&str, &str) = (
    "Tobin Marlstone",
    "obs: Came to the office with the letter from the court.\n",
);
/// What the server will have forgotten.
const FORGOTTEN: &str = "obs: She rang at nine: the heating works since this morning.\n";
const BESIDE: &str = "obs: Rang back, and the hearing is on Tuesday.\n";

/// Two vaults and what is between them.
pub(super) struct Agency<'a> {
    stage: Stage<'a>,
    folder: PathBuf,
    passphrase: Passphrase,
    task: Task<'a>,
}

/// A member's vault, and what was written in it.
struct Member {
    session: Session,
    case: String,
}

impl<'a> Agency<'a> {
    pub(super) fn new(stage: Stage<'a>, folder: PathBuf, task: Task<'a>) -> Self {
        Self {
            stage,
            folder,
            passphrase: Passphrase::new(sample::PASSPHRASE.to_owned()),
            task,
        }
    }

    /// Tells the story, and returns the stage for the last word.
    pub(super) fn run(mut self) -> Result<Stage<'a>, CliError> {
        self.stage.say(
            "This is an agency of two with a server, step by step, with invented people and in a folder of its own.\n\
             After each number: the command that does the same, what it prints, and what that proves.",
        )?;
        let (serving, mut robin) = self.found()?;
        let sam = self.join(&mut robin)?;
        let mut robin = self.write(robin, ROBINS)?;
        let mut sam = self.write(sam, SAMS)?;
        self.meet(&mut robin, &mut sam)?;
        let serving = self.search(serving)?;
        self.lie(serving, &mut robin, &mut sam)?;
        Ok(self.stage)
    }

    fn places(&self, name: &str) -> Result<Places, CliError> {
        find(&self.folder.join(name))
    }

    fn found(&mut self) -> Result<(Serving, Session), CliError> {
        let serving = Serving::start(&self.folder.join("server"), "127.0.0.1:0")?;
        let places = self.places("robin")?;
        let request = InitRequest {
            agency: sample::AGENCY.to_owned(),
            name: sample::PERSON.to_owned(),
            cost: COST,
        };
        let made = Session::init(&places, request, &self.passphrase)?;
        let mut robin = Session::unlock(&places, &self.passphrase)?;
        let url = serving.url.clone();
        let added = robin.server_add(ServerAddRequest { url: url.clone() }, self.task)?;
        self.stage.step(
            "A vault gets a server",
            format!("$ casevault-server\n$ casevault --home robin server add {url}"),
            &format!("listening on {url}\n{}", render::server::added(&added)),
            format!(
                "{} is on {} by now: the server's log key stands in the agency's signed root, so that no\n\
                 other server can pass for it. What was sent is ciphertext, signatures and random ids.",
                sample::PERSON,
                made.device
            ),
        )?;
        Ok((serving, robin))
    }

    fn join(&mut self, robin: &mut Session) -> Result<Session, CliError> {
        let invite = MemberInviteRequest {
            name: COLLEAGUE.to_owned(),
            roles: vec!["caseworker".to_owned()],
            days: 1,
        };
        let invite = robin.member_invite(invite, self.task)?;
        let places = self.places("sam")?;
        let sheet = JoinRequest {
            sheet: Some(invite.scanned.clone()),
            cost: COST,
            ..JoinRequest::default()
        };
        let asked = Session::join(&places, &sheet, &self.passphrase, self.task)?;
        claim(!asked.enrolled, "nobody is in before somebody lets them in")?;
        let other = ApproveRequest {
            handle: invite.member.clone(),
            code: Some(other_code(&asked.code)),
        };
        claim(
            robin.member_approve(other, self.task).is_err(),
            "another code lets nobody in",
        )?;
        let approve = ApproveRequest {
            handle: invite.member.clone(),
            code: Some(asked.code.clone()),
        };
        let approved = robin.member_approve(approve, self.task)?;
        let joined = Session::join(&places, &JoinRequest::default(), &self.passphrase, self.task)?;
        claim(joined.enrolled, "who was let in is in")?;
        let mut sam = Session::unlock(&places, &self.passphrase)?;
        let list = sam.member_list(MemberListRequest::default())?;
        claim(list.members.len() == 2, "both know both")?;
        self.stage.step(
            "A colleague joins by a sheet of paper",
            format!(
                "$ casevault --home robin member invite --name \"{COLLEAGUE}\" --role caseworker --out sheet.txt\n\
                 $ casevault --home sam member join --sheet sheet.txt\n\
                 $ casevault --home robin member approve {0} --code {1}\n\
                 $ casevault --home sam member list",
                invite.member, asked.code
            ),
            &format!(
                "{}\n{}\n{}",
                render::member::joined(&asked),
                render::member::approved(&approved),
                render::member::list(&list)
            ),
            "The sheet names the agency, its log and a secret that is used once; the code is read aloud. So the\n\
             server, which carries all of it, cannot put anybody in between: another code lets nobody in.",
        )?;
        Ok(sam)
    }

    fn write(&mut self, mut session: Session, (client, text): (&str, &str)) -> Result<Member, CliError> {
        let profile = serde_json::json!({ "name": client }).to_string();
        let opened = session.case_open(CaseOpenRequest {
            template: "adult-social-care".to_owned(),
            profile,
            opened: None,
        })?;
        let mut member = Member {
            session,
            case: opened.case,
        };
        member.add(text)?;
        Ok(member)
    }

    fn meet(&mut self, robin: &mut Member, sam: &mut Member) -> Result<(), CliError> {
        let (first, second) = (robin.session.sync(self.task)?, sam.session.sync(self.task)?);
        let third = robin.session.sync(self.task)?;
        claim(first.sent > 0 && second.sent > 0, "both had something to send")?;
        claim(second.size == third.size, "both know the same log")?;
        self.stage.step(
            "Both write, and meet at the server",
            "$ casevault --home robin sync\n$ casevault --home sam sync\n$ casevault --home robin sync",
            &[&first, &second, &third].map(render::server::synced).concat(),
            "Each device proves for itself that what it sent is in the log, and that the log is the one that it\n\
             saw before, only longer. A case that nobody shared stays with who opened it.",
        )
    }

    /// Searches what the server keeps, for what both wrote; returns the server, started again at the same place.
    fn search(&mut self, serving: Serving) -> Result<Serving, CliError> {
        let failed = |e| CliError::io("could not read the server's folder", e);
        let address = serving.address();
        drop(serving);
        let secrets: Vec<String> = [
            sample::AGENCY,
            sample::PERSON,
            COLLEAGUE,
            ROBINS.0,
            ROBINS.1.trim(),
            SAMS.0,
            SAMS.1.trim(),
        ]
        .iter()
        .map(|text| text.trim_start_matches("obs: ").to_owned())
        .collect();
        let bytes = thief::bytes(&self.folder.join("server")).map_err(failed)?;
        let found = thief::found(&secrets, &bytes);
        claim(found == 0, "no name and no word of a note is in the server's folder")?;
        let control = secrets.join("\n");
        claim(
            thief::found(&secrets, control.as_bytes()) == secrets.len(),
            "the same search finds what is there",
        )?;
        self.stage.step(
            "What the server knows",
            "(looks for every name and text of both vaults in every byte that the server keeps)",
            &format!(
                "{} bytes searched for {} names and texts: {found} found",
                render::number(bytes.len() as u64),
                secrets.len()
            ),
            "It knows who wrote to which case and when, by random ids and in padded sizes. No name, no note.",
        )?;
        Serving::start(&self.folder.join("server"), &address)
    }

    fn lie(&mut self, serving: Serving, robin: &mut Member, sam: &mut Member) -> Result<(), CliError> {
        let failed = |e| CliError::io("could not put the server's folder back", e);
        let (address, server) = (serving.address(), self.folder.join("server"));
        // The copy is made while nobody serves.
        drop(serving);
        let older = self.folder.join("older");
        std::fs::create_dir(&older).map_err(failed)?;
        thief::copy(&server, &older).map_err(failed)?;
        let serving = Serving::start(&server, &address)?;
        let forgotten = robin.add(FORGOTTEN)?;
        let sent = robin.session.sync(self.task)?;
        drop(serving);

        let serving = Serving::start(&older, &address)?;
        sam.add(BESIDE)?;
        let other = sam.session.sync(self.task)?;
        claim(
            other.sent > 0,
            "who never saw the note takes the older server for the true one",
        )?;
        self.stage.step(
            "The server lies: it forgets a note, and goes on without it",
            format!(
                "$ casevault --home robin note add {} --kind phone --file -\n$ casevault --home robin sync\n\
                 (the server's folder is put back as it was before)\n$ casevault --home sam sync",
                robin.case
            ),
            &format!(
                "saved {forgotten}\n{}{}",
                render::server::synced(&sent),
                render::server::synced(&other)
            ),
            format!("Now there are two histories, and {COLLEAGUE} cannot know: nobody ever showed the other one."),
        )?;
        let refused = match robin.session.sync(self.task) {
            Err(error) if error.kind() == Kind::Verification => CliError::from(error),
            Err(error) => return Err(error.into()),
            Ok(_) => return claim(false, "who saw the note in the log is told that it is not there"),
        };
        claim(refused.exit().code() == 4, "a lie ends with 4")?;
        let shown = robin.session.note_show(NoteShowRequest {
            note: forgotten.clone(),
            ..NoteShowRequest::default()
        })?;
        let evidence = self.evidence()?;
        self.stage.step(
            "Who saw it is told, with evidence",
            format!("$ casevault --home robin sync\n$ casevault --home robin note show {forgotten}"),
            &format!(
                "error: {refused}\nhint: {}\nexit code {}\n{}",
                refused.hint(),
                refused.exit().code(),
                render::note::show(&shown)
            ),
            format!(
                "Nothing of the other history was taken, and nothing is lost: the note is here, and work goes on\n\
                 without the server. `{evidence}` holds what the server signed, twice; with it the\n\
                 data-protection officer proves to anybody which server lied, without reading a note."
            ),
        )?;
        drop(serving);
        Ok(())
    }

    /// Finds the evidence in Robin's folder, and refuses what is none.
    fn evidence(&self) -> Result<String, CliError> {
        let failed = |e| CliError::io("could not read the evidence", e);
        for entry in std::fs::read_dir(self.folder.join("robin")).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.contains("evidence") {
                let text = std::fs::read_to_string(entry.path()).map_err(failed)?;
                claim(text.contains("casevault.evidence/1"), "the evidence says what it is")?;
                return Ok(name);
            }
        }
        claim(false, "the two histories were kept as evidence").map(|()| String::new())
    }
}

impl Member {
    fn add(&mut self, text: &str) -> Result<String, CliError> {
        let saved = self.session.note_add(NoteAddRequest {
            case: self.case.clone(),
            note: NoteInput {
                text: text.to_owned(),
                kind: NoteKind::new("phone"),
                ..NoteInput::default()
            },
            ..NoteAddRequest::default()
        })?;
        Ok(saved.note)
    }
}

/// A code that nobody showed: the first letter or digit is another.
fn other_code(code: &str) -> String {
    let mut letters = code.chars();
    let first = match letters.next() {
        Some('0') => '1',
        _ => '0',
    };
    std::iter::once(first).chain(letters).collect()
}
