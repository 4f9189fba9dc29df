//! Tests through the public API: requests over real sockets, to streams behind a gate.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod guesses;
mod hook;
#[cfg(unix)]
mod links;
mod passwords;
mod proxies;
mod rights;
mod sessions;
mod settings;
#[cfg(feature = "jwt")]
mod tokens;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Request, Response};
use mjpeg_auth::{Auth, AuthConfig, Right, Rights, StreamSet, User, hash_password};
use mjpeg_http::{
    Action, Inquiry, Listener, ListenerConfig, StreamService, Streams,
    ipnet::IpNet,
    mjpeg_fanout::{
        self, Producer,
        mjpeg_codec::{Frame, Stamp},
    },
};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout},
};

/// Two streams, `door` and `yard`, behind a gate on one port. Loopback is a trusted proxy, so that
/// requests can come from any address.
struct Site {
    addr: SocketAddr,
    auth: Auth,
    door: StreamService,
    producers: Vec<Producer>,
    serving: JoinHandle<()>,
}

impl Site {
    fn serve(auth: &Auth) -> Self {
        Self::serve_with(auth, |listener| listener)
    }

    fn serve_with(auth: &Auth, change: impl FnOnce(Listener) -> Listener) -> Self {
        let proxies = ["127.0.0.1/32"].map(|net| net.parse::<IpNet>().unwrap());
        let config = ListenerConfig::default().with_trusted_proxies(proxies);
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
        let listener = change(listener).with_fallback(Unknown(auth.clone()));
        let addr = listener.local_addr().unwrap();
        let mut producers = Vec::new();
        let services = ["door", "yard"].map(|name| {
            let (producer, consumer) = mjpeg_fanout::channel();
            publish(&producer, 1);
            producers.push(producer);
            let builder = StreamService::builder(consumer).name(name);
            (name, builder.gate(Arc::new(auth.clone())).build())
        });
        let door = services[0].1.clone();
        let streams = Named(BTreeMap::from(services));
        let serving = tokio::spawn(async move {
            listener.serve(streams, std::future::pending()).await;
        });
        Self {
            addr,
            auth: auth.clone(),
            door,
            producers,
            serving,
        }
    }

    /// Asks for a path with these headers, each with its line end. Returns status, head and body.
    async fn ask(&self, path: &str, headers: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: cam:{}\r\n{headers}Connection: close\r\n\r\n",
            self.addr.port()
        ))
        .await
    }

    async fn send(&self, raw: &str) -> Answer {
        self.send_bytes(raw.as_bytes()).await
    }

    async fn send_bytes(&self, raw: &[u8]) -> Answer {
        let asking = mjpeg_testkit::request(self.addr, raw);
        // A stream that is admitted by mistake does not end.
        let response = timeout(Duration::from_secs(10), asking).await;
        let response = response.expect("no stream").unwrap();
        let mut headers = response.head.headers;
        headers.retain(|(name, _)| name != "date");
        Answer {
            status: response.head.status,
            headers,
            body: response.body.to_vec(),
        }
    }

    async fn status(&self, path: &str, headers: &str) -> u16 {
        self.ask(path, headers).await.status
    }

    /// Opens the stream `door`, and takes its first frame.
    async fn watch(&self, query: &str, headers: &[(&str, &str)]) -> Viewer {
        let path = format!("/door/stream?{query}");
        let mut viewer = Viewer::open_with(self.addr, &path, headers).await.unwrap();
        assert_eq!(viewer.head().status, 200);
        viewer.next_frame().await.unwrap().expect("a frame");
        viewer
    }

    /// An inquiry as another service makes it, for a request with these headers.
    fn inquiry(&self, action: Action, headers: &[(&'static str, &str)]) -> Inquiry {
        let mut inquiry = Inquiry::new(action);
        let host = format!("cam:{}", self.addr.port());
        inquiry.headers.insert("host", host.parse().unwrap());
        for (name, value) in headers {
            inquiry.headers.append(*name, value.parse().unwrap());
        }
        inquiry
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| &**value)
    }
}

struct Named(BTreeMap<&'static str, StreamService>);

impl Streams for Named {
    fn find(&self, name: &str) -> Option<StreamService> {
        self.0.get(name).cloned()
    }
}

/// Answers requests for names that no stream has.
#[derive(Clone)]
struct Unknown(Auth);

impl<B: Send + 'static> tower_service::Service<Request<B>> for Unknown {
    type Response = Response<http_body_util::Full<bytes::Bytes>>;
    type Error = Infallible;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let auth = self.0.clone();
        let (parts, _) = request.into_parts();
        Box::pin(async move {
            let inquiry = Inquiry::of_request(Action::Stream, &parts);
            Ok(auth.refuse_unknown(&inquiry).await.map(Into::into))
        })
    }
}

fn publish(producer: &Producer, number: u32) {
    let frame = Frame::parse(jpeg::numbered(number)).expect("a frame");
    let now = Instant::now().into_std();
    producer.publish(frame, Stamp::new(SystemTime::now(), now));
}

fn basic(name: &str, password: &str) -> String {
    let encoded = BASE64_STANDARD.encode(format!("{name}:{password}"));
    format!("Authorization: Basic {encoded}\r\n")
}

/// A client at this address, through the trusted proxy.
fn from(address: &str) -> String {
    format!("X-Forwarded-For: {address}\r\n")
}

/// A user whose password is the name and `-secret`, and who may view all streams.
fn user(name: &str) -> User {
    let hash = hash_password(&format!("{name}-secret"));
    let user = User::new(name).unwrap().with_password_hash(&hash).unwrap();
    user.with_rights(Rights::of([Right::View]))
}

/// Nothing for strangers, and these users.
fn closed(users: impl IntoIterator<Item = User>) -> AuthConfig {
    let config = AuthConfig::default().with_anonymous(Rights::NONE);
    users.into_iter().fold(config, AuthConfig::with_user)
}

#[test]
fn public_types_cross_threads_and_show_no_secret() {
    fn all<T: Send + Sync + Unpin + 'static>() {}
    all::<Auth>();
    all::<AuthConfig>();
    all::<mjpeg_auth::Links>();
    all::<mjpeg_auth::LoginSession>();
    all::<mjpeg_auth::Who>();

    let hash = hash_password("secret");
    let token_hash = mjpeg_auth::hash_token("a-token");
    let fingerprint = "ab".repeat(32);
    let user = User::new("alice")
        .unwrap()
        .with_password_hash(&hash)
        .unwrap();
    let user = user.with_token_hash(&token_hash).unwrap();
    let user = user.with_certificate(&fingerprint).unwrap();
    let user = user.with_streams(StreamSet::of(["door"]));
    let links = mjpeg_auth::Links::new(*b"0123456789abcdef0123456789abcdef");
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    let spec = mjpeg_auth::LinkSpec::new("door", mjpeg_auth::LinkAction::Stream, tomorrow);
    let link = links.create(spec).unwrap();
    let auth = Auth::with_links(closed([user.clone()]), links.clone()).unwrap();
    let shown = format!("{user:?} {auth:?} {links:?} {link:?} {:#?}", auth.config());
    assert!(shown.contains("alice") && shown.contains("***"), "{shown}");
    let sig = link.query().rsplit('=').next().unwrap();
    for secret in [
        &*hash,
        &token_hash[7..],
        &fingerprint,
        sig,
        "0123456789abcdef",
        "48, 49, 50",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
