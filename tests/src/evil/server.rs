//! The lying server itself: axum on loopback, a real server behind it, and the rules by which it lies.

use super::means::Asked;
use super::means::Means;
use super::message::Message;
use super::tape::Exchange;
use super::tape::Tape;
use super::verb;
use super::verb::Answer;
use super::verb::Pace;
use super::verb::Verb;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Bytes of a request's body.
const BODY: usize = 64 << 20;
/// Bytes of a piece of zeros.
const PIECE: usize = 64 << 10;

/// What is done with which message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The message.
    pub on: Message,
    /// How many of them are answered honestly first.
    pub after: usize,
    /// What is done with those that come then.
    pub verb: Verb,
}

impl Rule {
    /// Makes a rule for every such message.
    pub const fn on(message: Message, verb: Verb) -> Self {
        Self {
            on: message,
            after: 0,
            verb,
        }
    }
}

/// A lying server, which is honest until it is told to lie, and ends when it is dropped.
pub struct Evil {
    /// Where it is.
    pub url: String,
    inner: Arc<Inner>,
    // Ends every connection when it is dropped.
    _runtime: Runtime,
}

struct Inner {
    means: Means,
    script: Mutex<Vec<Rule>>,
    tape: Tape,
    failed: AtomicBool,
}

impl Evil {
    /// Begins in front of the server at `upstream`, whose folder is `data`.
    ///
    /// # Panics
    /// Where there is no port to be had.
    pub fn start(upstream: &str, data: PathBuf) -> Self {
        Self::start_at(upstream, data, "127.0.0.1:0")
    }

    /// As [`Self::start`], on an address.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_at(upstream: &str, data: PathBuf, listen: &str) -> Self {
        let inner = Arc::new(Inner {
            means: Means::new(upstream, data),
            script: Mutex::default(),
            tape: Tape::default(),
            failed: AtomicBool::new(false),
        });
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind(listen)).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let router = Router::new().fallback(handle).with_state(Arc::clone(&inner));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            inner,
            _runtime: runtime,
        }
    }

    /// Lies by these rules from now on; of two for one message the first counts.
    pub fn lie(&self, rules: Vec<Rule>) {
        self.inner.means.show(None);
        *self.inner.script.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Is honest from now on.
    pub fn be_honest(&self) {
        self.lie(Vec::new());
    }

    /// Returns what passed.
    pub fn tape(&self) -> &Tape {
        &self.inner.tape
    }

    /// Tells whether a verb could not do what it says, so that what was answered is no lie but a fault of the test.
    pub fn has_failed(&self) -> bool {
        self.inner.failed.load(Ordering::SeqCst)
    }

    /// Returns what it has to lie with.
    pub fn means(&self) -> &Means {
        &self.inner.means
    }
}

impl Inner {
    fn answer(&self, asked: &Asked) -> Answer {
        let message = Message::of(&asked.method, asked.path.split('?').next().unwrap_or_default());
        let verb = self.verb_for(message);
        self.tape.keep(Exchange {
            message,
            method: asked.method.clone(),
            path: asked.path.clone(),
            body: asked.body.clone(),
            authorization: asked.authorization.clone(),
            lied: verb.is_some(),
        });
        match verb {
            Some(verb) => verb.answer(&self.means, message, asked),
            None => verb::from_shown(&self.means, message, asked),
        }
    }

    fn verb_for(&self, message: Message) -> Option<Verb> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = script.iter_mut().find(|rule| rule.on == message)?;
        match rule.after.checked_sub(1) {
            Some(fewer) => {
                rule.after = fewer;
                None
            }
            None => Some(rule.verb.clone()),
        }
    }
}

async fn handle(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let authorization = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let asked = Asked {
        method: parts.method.as_str().to_owned(),
        path: path.to_owned(),
        authorization: authorization.map(str::to_owned),
        body: body.to_vec(),
    };
    let answering = Arc::clone(&inner);
    let answered = tokio::task::spawn_blocking(move || answering.answer(&asked)).await;
    answered.map_or_else(
        |_| {
            inner.failed.store(true, Ordering::SeqCst);
            StatusCode::BAD_GATEWAY.into_response()
        },
        sent,
    )
}

/// Sends an answer at its pace.
fn sent(answer: Answer) -> Response {
    let body = answer.body;
    let body = match answer.pace {
        Pace::Whole => Body::from(body),
        Pace::Never => Body::from_stream(stream::pending::<io::Result<Vec<u8>>>()),
        Pace::Cut => Body::from_stream(stream::iter([Ok(body), Err(io::Error::other("cut"))])),
        Pace::Slow { pause } => Body::from_stream(stream::iter(body).then(move |byte| async move {
            // The lie itself, not a wait for something.
            tokio::time::sleep(Duration::from_millis(pause)).await;
            Ok::<_, io::Error>(vec![byte])
        })),
        Pace::Zeros { bytes } => {
            let pieces = usize::try_from(bytes).unwrap_or(usize::MAX) / PIECE;
            let zeros = stream::repeat_with(|| vec![0; PIECE]).take(pieces);
            Body::from_stream(stream::iter([body]).chain(zeros).map(Ok::<_, io::Error>))
        }
    };
    let mut response = (
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY),
        body,
    )
        .into_response();
    for (name, value) in answer.headers {
        let name = axum::http::HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, axum::http::HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
