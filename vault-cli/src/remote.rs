//! A server as the client asks it: one method a request of `docs/format.md` §18, blocking, with limits on what it takes.
//!
//! Nothing here judges what comes: bytes are decoded, and whoever asked verifies them. All failures to get an answer
//! are told alike, whatever the answer would have been about, and none is tried again here (ATTACKS 1, 39).

mod events;
mod fault;

pub use events::Event;
pub use events::Events;
pub use fault::ServerFault;

use data_encoding::BASE64URL_NOPAD;
use data_encoding::HEXLOWER;
use std::cell::RefCell;
use std::io::Read;
use std::time::Duration;
use ureq::http::Response;
use ureq::http::StatusCode;
use vault_core::crypto::sign::PublicKey;
use vault_core::crypto::sign::SigningKey;
use vault_core::guard;
use vault_core::guard::Guard;
use vault_core::id::AgencyId;
use vault_core::id::DeviceId;
use vault_core::server_session;
use vault_core::server_session::By;
use vault_core::tlog::tile::Tile;
use vault_core::wire;
use vault_core::wire::v1::agency::Verifier;
use vault_core::wire::v1::enrolment::AnswerInvite;
use vault_core::wire::v1::enrolment::InviteId;
use vault_core::wire::v1::enrolment::InviteState;
use vault_core::wire::v1::enrolment::OpenInvite;
use vault_core::wire::v1::enrolment::WaitingDevices;
use vault_core::wire::v1::follow::CosignedNotes;
use vault_core::wire::v1::limit;
use vault_core::wire::v1::stream::StreamId;
use vault_core::wire::v1::sync::AppendReply;
use vault_core::wire::v1::sync::AppendRequest;
use vault_core::wire::v1::sync::SessionStatement;

type Result<T> = std::result::Result<T, ServerFault>;

/// How long a whole request may take; what does not fit goes in several.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server may take to be reached.
const REACH: Duration = Duration::from_secs(10);
/// Bytes of a verifier, a challenge, a token.
const SMALL: usize = 4 << 10;
/// Bytes of a checkpoint's note.
const NOTE: usize = 64 << 10;
/// Bytes of a list of streams: 33 each.
const LIST: usize = 32 << 20;
/// Bytes of a bundle of 256 entries, each after its length.
const BUNDLE: usize = 256 * 50;
/// Bytes of a tile of 256 hashes.
const TILE: usize = 256 * 32;
/// Bytes of a list of waiting devices: 160 each, and no more of them than there are invites.
const WAITING: usize = 64 << 10;
/// Bytes of a problem's JSON.
const PROBLEM: u64 = 16 << 10;

/// Where a server is: `http://` on this machine alone, otherwise `https://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(String);

impl ServerUrl {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`ServerFault::Url`] for anything but a scheme, a host and perhaps a port and a path; [`ServerFault::Insecure`] for
    /// `http://` to another machine.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || ServerFault::Url { text: text.to_owned() };
        let uri: ureq::http::Uri = text.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let has_more = uri.query().is_some() || uri.authority().is_some_and(|a| a.as_str().contains('@'));
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match uri.scheme_str() {
            _ if has_more => Err(wrong()),
            Some("https") => Ok(()),
            Some("http") if is_here => Ok(()),
            Some("http") => Err(ServerFault::Insecure { text: text.to_owned() }),
            _ => Err(wrong()),
        }?;
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// Returns it as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A server, asked about one agency by one device.
pub struct Remote {
    agent: ureq::Agent,
    url: ServerUrl,
    agency: AgencyId,
    token: RefCell<Option<String>>,
}

impl Remote {
    /// Makes one; nothing is asked yet.
    pub fn new(url: ServerUrl, agency: AgencyId) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(REACH))
            .timeout_global(Some(PATIENCE))
            .user_agent("casevault")
            .build();
        Self {
            agent: config.into(),
            url,
            agency,
            token: RefCell::new(None),
        }
    }

    /// Returns where it is.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Asks for the log key that the server has for the agency, made now if there is none.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn log_key(&self) -> Result<Verifier> {
        let path = format!("/v1/agencies/{}", self.agency_hex());
        let put = self.agent.put(self.address(&path)).send_empty();
        decoded(self.bytes(put, SMALL)?, SMALL)
    }

    /// Tells whether a session was begun.
    pub fn has_begun(&self) -> bool {
        self.token.borrow().is_some()
    }

    /// Asks, in a session, for a token with which its device follows change events and does nothing else.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn begin_feed(&self) -> Result<String> {
        let post = self.authorised(self.agent.post(self.address("/v1/changes")));
        let token = self.bytes(post.send_empty(), SMALL)?;
        Ok(format!("Bearer {}", BASE64URL_NOPAD.encode(&token)))
    }

    /// Begins a session: the device signs what the server gives it, or whose word stands for it.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn begin(&self, log: PublicKey, device: DeviceId, by: By, signer: &SigningKey) -> Result<()> {
        let challenge = self.agent.post(self.address("/v1/sessions/challenge")).send_empty();
        let challenge = self.bytes(challenge, SMALL)?;
        let statement = SessionStatement {
            agency: self.agency,
            log,
            device,
            challenge: challenge.try_into().map_err(|_| ServerFault::garbled("challenge"))?,
        };
        let request = server_session::sign(statement, by, signer).map_err(|_| ServerFault::garbled("challenge"))?;
        let request = wire::encode(&request).map_err(|_| ServerFault::garbled("challenge"))?;
        let path = match by {
            By::Device => "/v1/sessions",
            By::Identity => "/v1/sessions/restored",
        };
        let token = self.agent.post(self.address(path)).send(&request);
        let token = self.bytes(token, SMALL)?;
        self.token
            .replace(Some(format!("Bearer {}", BASE64URL_NOPAD.encode(&token))));
        Ok(())
    }

    /// Appends parcels.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn append(&self, request: &AppendRequest) -> Result<AppendReply> {
        let bytes = encoded(request)?;
        let post = self.authorised(self.agent.post(self.address("/v1/append")));
        // An outcome for each parcel and a note: more is no answer, and is not read.
        let most = request
            .parcels
            .len()
            .saturating_mul(limit::OUTCOME)
            .saturating_add(NOTE + 16);
        let reply: AppendReply = decoded(self.bytes(post.send(&bytes), most)?, most)?;
        let is_each = reply.outcomes.len() == request.parcels.len();
        match guard::holds(is_each, Guard::OutcomeForEach) {
            true => Ok(reply),
            false => Err(ServerFault::garbled("answer to what was sent")),
        }
    }

    /// Lists the streams with a link at leaf `after` or later: the bytes of a `StreamList`.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn streams(&self, after: u64) -> Result<Vec<u8>> {
        self.get(&format!("/v1/streams?after={after}"), LIST)
    }

    /// Fetches links of a stream from a sequence number on: the bytes of a `StreamPage`.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn page(&self, stream: StreamId, from: u64) -> Result<Vec<u8>> {
        let path = format!(
            "/v1/streams/{}/{}?from={from}",
            stream.kind as u8,
            HEXLOWER.encode(&stream.id)
        );
        self.get(&path, limit::APPEND)
    }

    /// Fetches the newest checkpoint's note.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn checkpoint(&self) -> Result<Vec<u8>> {
        self.get(&format!("/v1/log/{}/checkpoint", self.agency_hex()), NOTE)
    }

    /// Fetches what witnesses cosigned: the bytes of a `CosignedNotes`. Of a server that knows of no witnesses, or says so, it
    /// is nothing.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn cosigned(&self) -> Result<Vec<u8>> {
        match self.get(&format!("/v1/log/{}/cosigned", self.agency_hex()), limit::COSIGNED) {
            Err(ServerFault::Refused { status: 404, .. }) => encoded(&CosignedNotes { notes: Vec::new() }),
            answer => answer,
        }
    }

    /// Brings a witness's cosignature, in a note.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn cosign(&self, note: &str) -> Result<()> {
        let post = self.agent.post(self.address("/v1/cosign"));
        self.bytes(post.send(note), 0).map(drop)
    }

    /// Fetches a tile.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn tile(&self, tile: Tile) -> Result<Vec<u8>> {
        self.get(&format!("/v1/log/{}/{}", self.agency_hex(), tile), TILE)
    }

    /// Fetches the entries of a tile of leaves.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn entries(&self, tile: Tile) -> Result<Vec<u8>> {
        self.get(
            &format!("/v1/log/{}/{}", self.agency_hex(), tile.entries_path()),
            BUNDLE,
        )
    }

    /// Opens an invite, in the session's name.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn open_invite(&self, id: InviteId, open: &OpenInvite) -> Result<()> {
        let put = self.authorised(self.agent.put(self.address(&invite_path(id))));
        self.bytes(put.send(&encoded(open)?), 0).map(drop)
    }

    /// Asks to join, with a sealed request.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn ask_to_join(&self, id: InviteId, request: &[u8]) -> Result<()> {
        let post = self.agent.post(self.address(&invite_path(id)));
        self.bytes(post.send(request), 0).map(drop)
    }

    /// Tells how far an invite has got; nothing where there is none that is open.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn invite(&self, id: InviteId) -> Result<Option<InviteState>> {
        const MOST: usize = limit::JOIN_REQUEST + limit::JOIN_ANSWER + 16;
        match self.get(&invite_path(id), MOST) {
            Ok(bytes) => decoded(bytes, MOST).map(Some),
            Err(ServerFault::Refused { status: 404, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Answers an invite, in the session's name.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn answer_invite(&self, id: InviteId, answer: &AnswerInvite) -> Result<()> {
        let path = format!("{}/answer", invite_path(id));
        let post = self.authorised(self.agent.post(self.address(&path)));
        self.bytes(post.send(&encoded(answer)?), 0).map(drop)
    }

    /// Lists the devices that wait for an administrator.
    ///
    /// # Errors
    /// [`ServerFault`].
    pub fn waiting_devices(&self) -> Result<WaitingDevices> {
        decoded(self.get("/v1/join", WAITING)?, WAITING)
    }

    fn authorised<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match self.token.borrow().as_ref() {
            Some(token) => request.header("Authorization", token),
            None => request,
        }
    }

    fn get(&self, path: &str, most: usize) -> Result<Vec<u8>> {
        let get = self.authorised(self.agent.get(self.address(path)));
        self.bytes(get.call(), most)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str())
    }

    fn agency_hex(&self) -> String {
        HEXLOWER.encode(&self.agency.0)
    }

    /// Takes the bytes of an answer, at most `most` of them.
    fn bytes(&self, answer: std::result::Result<Response<ureq::Body>, ureq::Error>, most: usize) -> Result<Vec<u8>> {
        let unreachable = |why: String| ServerFault::Unreachable {
            url: self.url.as_str().to_owned(),
            why,
        };
        let answer = answer.map_err(|error| unreachable(error.to_string()))?;
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|v| v.to_str().ok()?.parse().ok());
        let mut bytes = Vec::new();
        let limit = match status.is_success() {
            true => most as u64,
            false => PROBLEM,
        };
        let body = answer.into_body().into_reader();
        let most = match guard::holds(false, Guard::AnswerLength) {
            true => u64::MAX,
            false => limit.saturating_add(1),
        };
        let read = body.take(most).read_to_end(&mut bytes);
        read.map_err(|error| unreachable(error.to_string()))?;
        if !guard::holds(bytes.len() as u64 <= limit, Guard::AnswerLength) {
            return Err(ServerFault::garbled("answer, which is longer than it may be"));
        }
        match status {
            status if status.is_success() => Ok(bytes),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(ServerFault::Busy { retry_after }),
            status => Err(ServerFault::refused(status.as_u16(), &bytes)),
        }
    }
}

fn invite_path(id: InviteId) -> String {
    format!("/v1/join/{}", HEXLOWER.encode(&id.0))
}

fn encoded<T: wire::Structure>(value: &T) -> Result<Vec<u8>> {
    wire::encode(value).map_err(|_| ServerFault::garbled("request"))
}

fn decoded<T: wire::Structure>(bytes: Vec<u8>, most: usize) -> Result<T> {
    wire::decode(&bytes, most).map_err(|_| ServerFault::garbled("answer"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_on_this_machine_or_behind_tls() {
        for good in [
            "http://127.0.0.1:8443",
            "http://localhost/",
            "http://[::1]:1",
            "https://vault.example/cv/",
        ] {
            let url = ServerUrl::parse(good).unwrap();
            assert_eq!(url.as_str(), good.trim_end_matches('/'));
        }
        for insecure in [
            "http://vault.example",
            "http://10.0.0.1:8443",
            "http://127.0.0.1.example",
        ] {
            assert!(
                matches!(ServerUrl::parse(insecure), Err(ServerFault::Insecure { .. })),
                "{insecure}"
            );
        }
        for wrong in [
            "",
            "vault.example",
            "ftp://x",
            "https://",
            "https://a@b",
            "https://a?b=c",
            "/v1",
        ] {
            assert!(
                matches!(ServerUrl::parse(wrong), Err(ServerFault::Url { .. })),
                "{wrong}"
            );
        }
    }
}
