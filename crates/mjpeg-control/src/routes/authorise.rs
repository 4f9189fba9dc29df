//! Who may send a request: asked before it is read any further.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Extension,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use mjpeg_manager::{StreamName, mjpeg_http::Grant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    audit::{Audit, AuditedStream, AuditedUser, stream_in},
    body::check_type,
    caller::{ApiCaller, Denied},
    code::ErrorCode,
    error::Error,
    origin::refused,
    respond::Refused,
    state::ApiState,
};

/// What somebody must be allowed to do for a request to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NeededRight {
    /// To read anything here; what, is for the handler to ask.
    Look,
    /// The same, for as long as they want.
    Subscribe,
    /// The same, over a WebSocket.
    OpenSocket,
    /// To see the stream in the path.
    See,
    /// To control the stream in the path.
    ControlStream,
    /// To control the stream of the viewer in the path.
    ControlViewer,
    /// To see the past of the stream of the recording in the path.
    #[cfg_attr(
        not(feature = "replay"),
        expect(dead_code, reason = "only recordings need it")
    )]
    SeeRecording,
    /// To control the stream of the recording in the path.
    #[cfg_attr(
        not(feature = "replay"),
        expect(dead_code, reason = "only recordings need it")
    )]
    ControlRecording,
    /// To control the stream that the body names, which is for the handler to ask.
    #[cfg_attr(
        not(feature = "replay"),
        expect(dead_code, reason = "only recordings need it")
    )]
    ControlNamed,
    /// To control everything.
    Control,
}

impl NeededRight {
    /// Whether those may have it who may only look.
    pub(super) fn is_public(self) -> bool {
        matches!(
            self,
            Self::Look | Self::Subscribe | Self::OpenSocket | Self::See | Self::SeeRecording
        )
    }
}

/// What holds for one kind of request.
#[derive(Clone)]
pub(super) struct Rule {
    state: Arc<ApiState>,
    right: NeededRight,
    verb: &'static str,
}

/// What stands in the path of a request: a name, or an id.
#[derive(Clone, Debug)]
pub(super) struct PathTarget(pub(super) String);

impl Rule {
    pub(super) fn new(state: Arc<ApiState>, right: NeededRight, verb: &'static str) -> Self {
        Self { state, right, verb }
    }

    /// What stands in the path. Reads find a stream by its further names, too.
    fn target(&self, params: &RawPathParams, is_write: bool) -> String {
        let target = params.iter().next().map_or("", |(_, value)| value);
        match self.right {
            NeededRight::See | NeededRight::ControlStream if !is_write => {
                self.state.resolved(target)
            }
            _ => target.to_owned(),
        }
    }

    /// The stream that a request is about; empty if there is none.
    fn stream_of<'t>(&self, target: &'t str) -> Cow<'t, str> {
        match self.right {
            NeededRight::SeeRecording | NeededRight::ControlRecording => {
                self.state.recorded_stream(target).into()
            }
            _ if [REVOKE, FORGET].contains(&self.verb) => "".into(),
            // A viewer's id begins with it.
            _ => target
                .split_once(':')
                .map_or(target, |(stream, _)| stream)
                .into(),
        }
    }

    async fn decide(&self, caller: &ApiCaller, target: &str) -> Result<Grant, Denied> {
        let stream = &*self.stream_of(target);
        let decided = match self.right {
            NeededRight::Look
            | NeededRight::Subscribe
            | NeededRight::OpenSocket
            | NeededRight::ControlNamed => {
                return caller.may_look().await;
            }
            NeededRight::Control => return caller.may_control(None).await,
            NeededRight::See => caller.may_see(stream).await,
            NeededRight::SeeRecording => caller.may_replay(stream).await,
            NeededRight::ControlStream
            | NeededRight::ControlViewer
            | NeededRight::ControlRecording => caller.may_control(Some(stream)).await,
        };
        match decided {
            Err(denied) if denied.is_about_rights() => {
                Err(self.without_a_trace(denied, caller, stream).await)
            }
            decided => decided,
        }
    }

    /// Whoever may not see a stream gets the answer for one that is not there.
    async fn without_a_trace(&self, denied: Denied, caller: &ApiCaller, stream: &str) -> Denied {
        if let Err(denied) = caller.may_look().await {
            return denied;
        }
        let is_seen = self.right != NeededRight::See
            && self.state.manager.spec(stream).is_ok()
            && caller.may_see(stream).await.is_ok();
        match is_seen {
            true => denied,
            false => Denied::ByPolicy(Error::not_found()),
        }
    }
}

/// Answers a request if its sender may send it.
pub(super) async fn authorise(
    State(rule): State<Rule>,
    Extension(caller): Extension<Arc<ApiCaller>>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let Ok(params) = params else {
        return Refused(Error::not_found()).into_response();
    };
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD);
    if let Err(error) = check_sender(&rule, &caller, &request, is_write) {
        return Refused(error).into_response();
    }
    let target = rule.target(&params, is_write);
    let stream = match rule.right {
        NeededRight::ControlRecording => rule.stream_of(&target).into_owned(),
        _ if [REVOKE, FORGET].contains(&rule.verb) => String::new(),
        _ => target.clone(),
    };
    let stream = &*stream;
    let grant = match rule.decide(&caller, &target).await {
        Ok(grant) => grant,
        Err(denied) if is_write => return denied_change(denied, &caller, stream).await,
        Err(denied) => return denied.into_response(),
    };
    let audit = Audit::new(rule.verb, caller.peer(), stream).with_user(grant.identity.clone());
    request.extensions_mut().insert(grant);
    request.extensions_mut().insert(PathTarget(target));
    if !is_write {
        return next.run(request).await;
    }
    match place(&rule.state.writes) {
        Ok(place) => write(request, next, audit, place).await,
        Err(error) => {
            let mut response = Refused(error).into_response();
            audit.log(&mut response);
            response
        }
    }
}

/// Refuses a change, and says of whom and of what, for the log.
async fn denied_change(denied: Denied, caller: &ApiCaller, stream: &str) -> Response {
    let mut response = denied.into_response();
    // Whoever has logged in and lacks the right. A wrong password must not be tried again.
    let is_known = matches!(
        response.status(),
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    );
    if is_known
        && let Ok(grant) = caller.may_look().await
        && let Some(user) = grant.identity
    {
        response.extensions_mut().insert(AuditedUser(user));
    }
    match stream_in(stream) {
        Some(stream) => about(response, &stream),
        None => response,
    }
}

/// Whether a browser was not led here by a page of somebody else.
fn check_sender(
    rule: &Rule,
    caller: &ApiCaller,
    request: &Request,
    is_write: bool,
) -> Result<(), Error> {
    let (sender, has_cookie) = (caller.sender(), caller.has_cookie());
    let is_fine = match rule.right {
        _ if is_write => sender.may_write(has_cookie),
        NeededRight::Subscribe => sender.may_subscribe(has_cookie),
        NeededRight::OpenSocket => sender.may_open_socket(),
        NeededRight::SeeRecording => sender.may_subscribe(has_cookie),
        _ => true,
    };
    if !is_fine {
        return Err(refused());
    }
    match is_write {
        true => check_type(request.method(), request.headers(), request.body()),
        false => Ok(()),
    }
}

fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
    Arc::clone(places)
        .try_acquire_owned()
        .map_err(|_| Error::new(ErrorCode::Busy, "as many changes as allowed are under way"))
}

/// Makes a change and logs it. Both go on if the client goes away.
async fn write(
    request: Request,
    next: Next,
    audit: Audit,
    place: OwnedSemaphorePermit,
) -> Response {
    let writing = tokio::spawn(async move {
        let mut response = next.run(request).await;
        audit.log(&mut response);
        drop(place);
        response
    });
    writing.await.unwrap_or_else(|_| {
        let detail = "the relay has a defect: its log says more";
        Refused(Error::new(ErrorCode::Internal, detail)).into_response()
    })
}

/// Adds to an answer which stream a change was about, for the log.
pub(super) fn about(mut response: Response, stream: &StreamName) -> Response {
    let stream = AuditedStream(stream.clone());
    response.extensions_mut().insert(stream);
    response
}

/// The verb of a change that is about a link, whose id could pass for the name of a stream.
pub(super) const REVOKE: &str = "revoke";

/// The verb of a change that is about a node, whose name could, too.
pub(super) const FORGET: &str = "forget";
