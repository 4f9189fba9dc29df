//! Helpers for these tests.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_control::{
    ControlAccess, ControlApi, ControlConfig, ControlService, GatewayPolicy, LinkIssuer,
};
use mjpeg_manager::{
    HttpOutlet, Manager, ManagerConfig, StartMode, StreamSpec,
    mjpeg_http::{Access, Action, Gate, Grant, Inquiry, Listener, ListenerConfig, ListenerHandle},
    mjpeg_ingest::{Backoff, IngestConfig},
};
use mjpeg_testkit::{Head, Response, Script, jpeg, request};
use serde_json::Value;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::configurator::Memory;

/// A relay with the API on a port of its own, beside the streams.
pub(crate) struct Relay {
    pub(crate) addr: SocketAddr,
    pub(crate) manager: Manager,
    pub(crate) http: HttpOutlet,
    pub(crate) memory: Arc<Memory>,
    pub(crate) control: ControlApi,
    pub(crate) service: ControlService,
    pub(crate) handle: ListenerHandle,
    serving: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Relay {
    /// With users, and without links.
    pub(crate) async fn start() -> Self {
        Self::with(ControlConfig::default(), None).await
    }

    pub(crate) async fn with(config: ControlConfig, links: Option<Arc<dyn LinkIssuer>>) -> Self {
        Self::guarded(config, links, Arc::new(Users::default())).await
    }

    pub(crate) async fn guarded(
        config: ControlConfig,
        links: Option<Arc<dyn LinkIssuer>>,
        gate: Arc<dyn Gate>,
    ) -> Self {
        Self::of_outlet(HttpOutlet::default(), config, links, gate).await
    }

    /// The same, with streams that this outlet serves.
    pub(crate) async fn of_outlet(
        http: HttpOutlet,
        config: ControlConfig,
        links: Option<Arc<dyn LinkIssuer>>,
        gate: Arc<dyn Gate>,
    ) -> Self {
        let quick = Backoff::try_new(Duration::from_millis(20), Duration::from_millis(100));
        let ingest = IngestConfig::default().with_backoff(quick.unwrap());
        let manager = ManagerConfig::default().with_ingest(ingest);
        let manager = Manager::with_outlets(manager, [http.factory()]);
        let memory = Arc::new(Memory::new(manager.clone()));
        let control = ControlApi::new(
            manager.clone(),
            http.clone(),
            Arc::clone(&memory) as _,
            links,
            config,
        );
        let policy = GatewayPolicy::new(gate).with_access(ControlAccess::Users);
        let service = control.service(policy);
        let addr = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(addr, ListenerConfig::default()).unwrap();
        let addr = listener.local_addr().unwrap();
        let listener = listener.with_fallback(service.clone());
        let handle = listener.handle();
        let (stop, stopped) = oneshot::channel();
        let serving = listener.serve(http.clone(), async {
            let _ = stopped.await;
        });
        let serving = tokio::spawn(async move {
            serving.await;
        });
        Self {
            addr,
            manager,
            http,
            memory,
            control,
            service,
            handle,
            serving,
            stop: Some(stop),
        }
    }

    /// Ends the listener, and waits until it has ended.
    pub(crate) async fn stop_listening(&mut self) {
        drop(self.stop.take());
        (&mut self.serving).await.unwrap();
    }

    /// Starts a stream, not by the API, whose camera may be off.
    pub(crate) async fn run(&self, name: &str, source: &str) {
        let spec = StreamSpec::parse(name, source).unwrap();
        self.manager
            .start(spec.with_mode(StartMode::Retry))
            .await
            .unwrap();
    }

    /// Changes the policy of the gateway.
    pub(crate) fn configure(&self, change: impl FnOnce(GatewayPolicy) -> GatewayPolicy) {
        let policy = GatewayPolicy::clone(&self.service.policy());
        self.service.configure(change(policy));
    }

    /// Sends a request as the one who may do everything.
    pub(crate) async fn root(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[ROOT, JSON], body).await
    }

    /// Reads something as the one who may do everything.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[ROOT], "").await
    }

    /// Reads something as a stranger.
    pub(crate) async fn stranger(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Sends a request below `/api/v1`. A header named `Host` replaces the default one.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut raw = format!("{method} /api/v1{path} HTTP/1.1\r\nConnection: close\r\n");
        let has_host = headers.iter().any(|(name, _)| *name == "Host");
        if !has_host {
            raw += &format!("Host: {}\r\n", self.addr);
        }
        for (name, value) in headers {
            raw += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            raw += &format!("Content-Length: {}\r\n", body.len());
        }
        raw += "\r\n";
        raw += body;
        Answer(request(self.addr, raw).await.unwrap())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An answer that was read to its end.
pub(crate) struct Answer(pub(crate) Response);

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.head.status
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.head.header(name)
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.0.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.0.body)
            .unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    /// Status and code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let json = self.json();
        assert_eq!(json["status"], self.status());
        assert!(
            json["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{json}"
        );
        (self.status(), json["code"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.problem(), (status, code.to_owned()), "{}", self.text());
    }
}

/// Who may do what: `root` everything, `guard` whatever concerns the stream `door`, `guest` nothing
/// more than a stranger, who sees all streams but those named `hidden`.
#[derive(Default)]
pub(crate) struct Users {
    /// What was asked.
    pub(crate) asked: Mutex<Vec<(Action, Option<String>)>>,
    /// Nobody but `root` may do anything.
    pub(crate) is_closed: std::sync::atomic::AtomicBool,
}

pub(crate) const ROOT: (&str, &str) = ("Authorization", "Bearer root");
pub(crate) const GUARD: (&str, &str) = ("Authorization", "Bearer guard");
pub(crate) const GUEST: (&str, &str) = ("Authorization", "Bearer guest");
pub(crate) const JSON: (&str, &str) = ("Content-Type", "application/json");

#[async_trait]
impl Gate for Users {
    async fn decide(&self, inquiry: &Inquiry) -> Access {
        let stream = inquiry.stream.as_deref();
        let asked = (inquiry.action, stream.map(str::to_owned));
        self.asked.lock().unwrap().push(asked);
        let token = inquiry.headers.get("authorization");
        let user = match token.map(|token| token.to_str().unwrap()) {
            None => None,
            Some("Bearer root") => Some("root"),
            Some("Bearer guard") => Some("guard"),
            Some("Bearer guest") => Some("guest"),
            Some(_) => return deny(401),
        };
        let is_closed = self.is_closed.load(std::sync::atomic::Ordering::Relaxed);
        let may = match (inquiry.action, user) {
            (_, Some("root")) => true,
            _ if is_closed => false,
            (Action::Page, _) => true,
            (Action::State, _) => stream != Some("hidden"),
            (Action::Control, Some("guard")) => stream == Some("door"),
            _ => false,
        };
        let grant = Grant::default();
        match (may, user) {
            (true, Some(user)) => Access::Allow(grant.with_identity(user)),
            (true, None) => Access::Allow(grant),
            (false, Some(_)) => deny(403),
            (false, None) => deny(401),
        }
    }
}

fn deny(status: u16) -> Access {
    let response = http::Response::builder().status(status);
    let response = response.header("www-authenticate", "Bearer");
    Access::deny(response.body(Bytes::from("Who are you?\n")).unwrap())
}

pub(crate) fn live() -> Script {
    let frames: Vec<Bytes> = (0..20).map(jpeg::numbered).collect();
    Script::live(frames, Duration::from_millis(10))
}

/// Waits until the condition holds; fails after ten seconds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"));
}

/// Whether a head belongs to an answer of this API.
pub(crate) fn is_guarded(head: &Head) -> bool {
    head.header("cache-control") == Some("no-store")
        && head.header("x-content-type-options") == Some("nosniff")
        && head.header("access-control-allow-origin").is_none()
}
