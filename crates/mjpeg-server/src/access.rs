//! Who may do what, and who changes the configuration.

use std::sync::Arc;

use async_trait::async_trait;
use mjpeg_auth::{Auth, AuthConfig, Right};
use mjpeg_control::{
    Configurator, ConfiguredStream, ControlAccess, EditedStream, Error, ErrorCode, LinkIssuer,
    Reloaded, StreamEdit, StreamRemoval,
};
use mjpeg_manager::{
    StreamName,
    mjpeg_http::{Access as Decision, Action, Gate, Grant, Inquiry},
};
use serde_json::Value;

#[cfg(unix)]
use crate::recordings::RecordingPlan;
use crate::{
    cluster::RelayNode, event_clips::EventClipPlan, gateway::config::WallLimits,
    jwks::place::KeySource, webhooks::Webhooks,
};

/// What a relay asks about its clients, and passes their changes on to.
#[derive(Clone)]
pub(crate) struct RelayAccess {
    pub(crate) auth: Auth,
    /// The keys of tokens.
    pub(crate) keys: Option<KeySource>,
    pub(crate) walls: WallLimits,
    pub(crate) configurator: Arc<dyn Configurator>,
    pub(crate) links: Option<Arc<dyn LinkIssuer>>,
    /// What clips and time-lapses may take on the disk; `None` for none of them.
    #[cfg(unix)]
    pub(crate) recordings: Option<RecordingPlan>,
    /// What streams keep clips of by themselves.
    pub(crate) clips: Vec<(StreamName, EventClipPlan)>,
    pub(crate) webhooks: Webhooks,
    pub(crate) cluster: Option<RelayNode>,
}

impl Default for RelayAccess {
    /// Everybody may view, and nobody can change anything.
    fn default() -> Self {
        Self {
            auth: Auth::new(AuthConfig::default()).expect("the default is valid"),
            keys: None,
            walls: WallLimits::default(),
            configurator: Arc::new(Fixed),
            links: None,
            #[cfg(unix)]
            recordings: None,
            clips: Vec::new(),
            webhooks: Webhooks::default(),
            cluster: None,
        }
    }
}

/// Whether there is anybody who may control, so that control needs credentials.
pub(crate) fn control_access(auth: &Auth, serves_control: bool) -> ControlAccess {
    let config = auth.config();
    let mut users = config.users().iter();
    match serves_control {
        false => ControlAccess::Closed,
        // The bearers of tokens may, perhaps.
        true if config.jwt().is_some() => ControlAccess::Users,
        true if users.any(|user| user.rights().has(Right::Control)) => ControlAccess::Users,
        true => ControlAccess::LocalOnly,
    }
}

/// Replaces who may do what by what will hold after a change, for streams that are about to start:
/// from their first moment on, nobody sees them who will not be allowed to.
pub(crate) fn staged(now: &AuthConfig, next: &AuthConfig) -> AuthConfig {
    let mut staged = now.clone();
    let is_known = |name: &&Arc<str>| now.users().iter().any(|user| user.name() == &***name);
    for (stream, users) in next.views() {
        if !now.views().any(|(known, _)| known == stream) {
            let users: Vec<Arc<str>> = users.iter().filter(is_known).cloned().collect();
            staged = staged.with_view(stream, users);
        }
    }
    staged
}

/// Lets everybody control, and asks about all else: for gateways whose policy admits only clients
/// on this machine.
pub(crate) struct LocalGate(pub(crate) Auth);

#[async_trait]
impl Gate for LocalGate {
    async fn decide(&self, inquiry: &Inquiry) -> Decision {
        match inquiry.action {
            Action::Control => Decision::Allow(Grant::default()),
            _ => self.0.decide(inquiry).await,
        }
    }
}

/// The configuration of a relay that another program has built in.
struct Fixed;

impl Fixed {
    fn refusal<T>() -> Result<T, Error> {
        let detail = "the streams of this relay are set by the program that it is a part of";
        Err(Error::new(ErrorCode::NotPersistent, detail))
    }
}

#[async_trait]
impl Configurator for Fixed {
    fn stream(&self, _: &str) -> Option<ConfiguredStream> {
        None
    }

    async fn set(&self, _: StreamEdit) -> Result<EditedStream, Error> {
        Self::refusal()
    }

    async fn remove(&self, _: StreamRemoval) -> Result<(), Error> {
        Self::refusal()
    }

    async fn reload(&self, _: bool) -> Result<Reloaded, Error> {
        Self::refusal()
    }

    async fn shown(&self) -> Result<Value, Error> {
        Self::refusal()
    }
}
