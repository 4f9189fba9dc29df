//! Logging in and out, which the page's script asks for.

use bytes::Bytes;
use http::{
    Request, Response, StatusCode,
    header::{RETRY_AFTER, SET_COOKIE},
};
use http_body::Body;
use http_body_util::Full;
use mjpeg_auth::{Auth, LoginError, Means, Who};
use mjpeg_control::{Error, ErrorCode};
use mjpeg_manager::mjpeg_http::{Action, Inquiry, Peer};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::info;

use super::respond;
use crate::gateway::state::GatewayState;

/// Who somebody is, and what they can do about it.
#[derive(Serialize)]
struct SessionView<'a> {
    /// Their name; `null` for a stranger.
    user: Option<&'a str>,
    /// Whether there are users to be.
    has_users: bool,
    /// Whether it is a session that says who they are, which a logout ends.
    has_session: bool,
}

/// Says who somebody is.
pub(super) fn session(auth: &Auth, who: &Who) -> Response<Full<Bytes>> {
    let config = auth.config();
    respond::json(&SessionView {
        user: who.name(),
        has_users: !config.users().is_empty(),
        has_session: who.means() == Means::Session,
    })
}

/// What becomes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionChange {
    Begin,
    End,
}

impl SessionChange {
    /// Makes the change that a request asks for. There is no challenge in the answer: the browser
    /// would ask for a name and a password by itself.
    pub(super) async fn answer<B>(
        self,
        state: &GatewayState,
        request: Request<B>,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let reading = state.control.read_change(request, MOST_BYTES);
        let (parts, fields) = reading.await?;
        let inquiry = Inquiry::of_request(Action::Page, &parts);
        match self {
            Self::Begin => begin(state, &inquiry, &fields).await,
            Self::End => Ok(end(state, &inquiry).await),
        }
    }
}

async fn begin(
    state: &GatewayState,
    inquiry: &Inquiry,
    fields: &Map<String, Value>,
) -> Result<Response<Full<Bytes>>, Error> {
    let text = |key| fields.get(key).and_then(Value::as_str);
    let (Some(name), Some(password), 2) = (text("name"), text("password"), fields.len()) else {
        let detail = "a login is a name and a password, both of them texts";
        return Err(Error::new(ErrorCode::InvalidSpec, detail));
    };
    let peer: Option<Peer> = inquiry.peer;
    match state.relayed.auth.login(name, password, peer).await {
        Ok(session) => {
            let (user, peer) = (session.user(), shown(peer));
            let configured = state.configured();
            let listener = configured.config.name();
            info!(user, peer, listener, "login succeeded");
            let mut response = respond::nothing();
            let cookie = session.set_cookie(inquiry);
            response.headers_mut().insert(SET_COOKIE, cookie);
            Ok(response)
        }
        Err(error) => Ok(failed(&error)),
    }
}

fn failed(error: &LoginError) -> Response<Full<Bytes>> {
    let detail = error.to_string();
    let LoginError::TooMany { retry_after } = error else {
        let code = ErrorCode::Unauthorized;
        return respond::problem(StatusCode::UNAUTHORIZED, code.as_str(), &detail, None);
    };
    let code = ErrorCode::RateLimited;
    let mut response = respond::problem(code.status(), code.as_str(), &detail, None);
    let seconds = retry_after.as_secs_f64().ceil().max(1.0) as u64;
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

async fn end(state: &GatewayState, inquiry: &Inquiry) -> Response<Full<Bytes>> {
    let relayed = &state.relayed;
    let who = relayed.auth.identify(inquiry).await;
    let cookie = relayed.auth.logout(inquiry);
    if let Ok(who) = who
        && who.means() == Means::Session
    {
        let (user, peer) = (who.name(), shown(inquiry.peer));
        let configured = state.configured();
        let listener = configured.config.name();
        info!(user, peer, listener, "logout");
        // What this session watches ends, too.
        relayed.recheck().await;
    }
    let mut response = respond::nothing();
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

/// The client, for the log.
fn shown(peer: Option<Peer>) -> String {
    peer.map_or_else(|| "-".into(), |peer| peer.to_string())
}

/// A name and a password, even if each of their characters is escaped.
const MOST_BYTES: usize = 16 << 10;
