//! The administrative records of a case: its label (section index) and its profile (section core).

use super::Result;
use super::SessionError;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vault_core::check::Check;
use vault_core::note::line::CaseLine;
use vault_core::wire::v1::stream::StreamId;

/// Schema of [`Label`].
pub(super) const LABEL: &str = "casevault.label/1";
/// Schema of [`Profile`].
pub(super) const PROFILE: &str = "casevault.profile/1";

/// The payload `casevault.label/1`: what a list of cases shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Label {
    pub(super) schema: String,
    pub(super) label: Option<String>,
    /// The client's name, where lists show something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) status: String,
    pub(super) flags: Vec<String>,
    pub(super) external_id: Option<String>,
    pub(super) opened: Option<String>,
    pub(super) closed: Option<String>,
    pub(super) template: Option<String>,
    pub(super) worker: Option<String>,
    /// Whether another open case of the caseload is called so; found anew whenever labels are listed, and never kept.
    #[serde(skip)]
    pub(super) has_namesake: bool,
}

/// The payload `casevault.profile/1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) schema: String,
    pub(super) external_id: Option<String>,
    pub(super) template_version: Option<u32>,
    /// When this version was written; versions of before it was kept have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) at: Option<String>,
    pub(super) line: CaseLine,
}

impl Profile {
    /// The profile of a case that has none which opens.
    pub(super) fn unknown() -> Self {
        Self {
            schema: PROFILE.to_owned(),
            external_id: None,
            template_version: None,
            at: None,
            line: CaseLine::default(),
        }
    }
}

impl Label {
    /// The label of a case that has none which opens: nothing is known of it but that it is there.
    pub(super) fn unknown() -> Self {
        Self {
            schema: LABEL.to_owned(),
            label: None,
            name: None,
            status: OPEN.to_owned(),
            flags: Vec::new(),
            external_id: None,
            opened: None,
            closed: None,
            template: None,
            worker: None,
            has_namesake: false,
        }
    }

    /// Makes the label of a case from its line.
    pub(super) fn of(line: &CaseLine, external_id: Option<&str>) -> Self {
        let profile = line.profile.as_ref().map(vault_core::note::extra::RawJson::value);
        let text = |field: &str| {
            let text = profile.as_ref().and_then(|profile| profile.get(field)?.as_str());
            text.filter(|text| !text.trim().is_empty()).map(str::to_owned)
        };
        // Chosen by who does not want the name on a screen that others see.
        let (name, chosen) = (text("name"), text("label"));
        let closing = line.closing().ok().flatten();
        Self {
            schema: LABEL.to_owned(),
            name: name.clone().filter(|_| chosen.is_some()),
            label: chosen.or(name),
            status: if closing.is_some() { CLOSED } else { OPEN }.to_owned(),
            flags: Vec::new(),
            external_id: external_id.map(str::to_owned),
            opened: line.opened.clone(),
            closed: closing.map(|closing| closing.on),
            template: line.template.clone(),
            worker: line.worker.clone(),
            has_namesake: false,
        }
    }
}

/// Status of a case that takes notes.
pub(super) const OPEN: &str = "open";
/// Status of a case that takes no more.
pub(crate) const CLOSED: &str = "closed";

/// Writes a payload of ours.
pub(super) fn to_json(payload: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(payload).map_err(|e| SessionError::Bug(e.to_string()))
}

/// Reads a payload that has to be of `schema`.
pub(super) fn from_json<T: DeserializeOwned>(json: &[u8], schema: &str, of: StreamId) -> Result<T> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        schema: std::borrow::Cow<'a, str>,
    }
    let fault = || SessionError::refused(Check::Payload, of);
    let tag: Tag<'_> = serde_json::from_slice(json).map_err(|_| fault())?;
    if tag.schema != schema {
        return Err(fault());
    }
    serde_json::from_slice(json).map_err(|_| fault())
}
