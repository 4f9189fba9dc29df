//! Problems as the API answers them (RFC 9457).

use std::fmt;

use http::StatusCode;
use mjpeg_manager::mjpeg_ingest::escaped;
use serde_json::Value;

/// Why the relay refused a request.
#[derive(Debug)]
pub(super) struct ApiProblem {
    pub(super) status: StatusCode,
    /// The problem as it came, if what came is one.
    pub(super) json: Option<Value>,
    /// What to do that the answer does not say.
    pub(super) advice: Option<&'static str>,
    /// What it is about, of several.
    pub(super) subject: Option<String>,
}

impl ApiProblem {
    /// Reads an answer of this status.
    pub(super) fn new(status: StatusCode, body: &[u8]) -> Self {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let json = json.filter(|json| json.get("detail").is_some_and(Value::is_string));
        let advice = match (&json, status) {
            (_, StatusCode::UNAUTHORIZED) => Some(LOG_IN),
            (None, status) if status.is_redirection() => Some(REDIRECTED),
            (None, _) => Some(NOT_OURS),
            (Some(_), _) => None,
        };
        Self {
            status,
            json,
            advice,
            subject: None,
        }
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.json.as_ref()?.get(field)?.as_str()
    }
}

impl fmt::Display for ApiProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: ")?;
        if let Some(subject) = &self.subject {
            write!(f, "{}: ", escaped(subject))?;
        }
        match self.text("detail") {
            Some(detail) => write!(f, "{}", escaped(detail))?,
            None => write!(f, "the answer is {}", self.status)?,
        }
        let errors = self.json.as_ref().and_then(|json| json.get("errors"));
        let errors = errors.and_then(Value::as_array).into_iter().flatten();
        for error in errors {
            let line = violation(error);
            // With a single one, the detail says the same.
            if !line.is_empty() && Some(line.as_str()) != self.text("detail") {
                write!(f, "\n  {}", escaped(&line))?;
            }
        }
        let hint = self
            .text("hint")
            .map(|hint| hint.replace(NOT_STORED, "--no-persist"));
        for hint in hint.as_deref().into_iter().chain(self.advice) {
            write!(f, "\nhint: {}", escaped(hint))?;
        }
        Ok(())
    }
}

/// One thing that is wrong, where it stands in front: `FILE:LINE:COLUMN: KEY: MESSAGE`.
fn violation(error: &Value) -> String {
    let text = |field: &str| error.get(field).and_then(Value::as_str);
    let number = |field: &str| error.get(field).and_then(Value::as_u64);
    let mut line = String::new();
    if let Some(file) = text("file") {
        line += file;
        for place in [number("line"), number("column")].into_iter().flatten() {
            line += &format!(":{place}");
        }
        line += ": ";
    }
    let message = text("message").unwrap_or_default();
    // Some messages begin with it.
    if let Some(key) = text("key").filter(|key| !message.starts_with(*key)) {
        line += &format!("{key}: ");
    }
    line + message
}

/// What the API calls the option.
const NOT_STORED: &str = "?persist=false";

const LOG_IN: &str = "show who you are with --user NAME, --token-file FILE or MJPEG_CTL_TOKEN";
const REDIRECTED: &str = "redirects are not followed; give the URL to which it leads";
const NOT_OURS: &str = "is it a mjpeg-server that answers there?";
/// For a socket of the relay that was passed over.
pub(super) const NO_MEMBER: &str = "only the relay's user and group may open its socket: join the \
                                    group, or use sudo";
/// For what may be there, but not for whoever asks.
pub(super) const HIDDEN: &str = "what you may not control may be hidden: show who you are with \
                                 --user NAME, --token-file FILE or MJPEG_CTL_TOKEN";
/// For a listener that answers all of the API like one that does not have it.
pub(super) const NO_CONTROL: &str =
    "this listener may not control the relay: its [[listen]] needs serve = [\"control\"]";
