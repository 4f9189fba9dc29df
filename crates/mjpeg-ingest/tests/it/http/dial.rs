//! Cameras that lead to addresses which the source may not reach.

use std::{
    io,
    net::{IpAddr, TcpListener},
};

use mjpeg_ingest::{ConnectError, DialPolicy, Error, Event, FailureReason, Ingest, Source};
use mjpeg_testkit::{FakeHttpCamera, Step};

use super::{answer, event, ingest, next_number, part, picture, send, stream_head};

/// Reads this URL by a policy that permits 127.0.0.1, and nothing else of this machine.
fn open_restricted(url: &str) -> Ingest {
    let policy = DialPolicy::restricted().with_allowed(["127.0.0.1/32".parse().unwrap()]);
    let source: Source = url.parse().unwrap();
    ingest(source.with_dial_policy(policy))
}

/// Pulls until the camera is offline, for an address that it may not reach.
async fn refused_address(ingest: &mut Ingest) -> IpAddr {
    loop {
        if let Event::Offline { error, .. } = event(ingest).await {
            assert_eq!(error.reason(), FailureReason::AddressNotAllowed, "{error}");
            let inner = match &*error {
                Error::Connect(error) => error,
                Error::Source(error) => error.downcast_ref().expect("an error of connecting"),
                error => panic!("{error}"),
            };
            match inner {
                ConnectError::AddressNotAllowed(refused) => return refused.addr(),
                error => panic!("{error}"),
            }
        }
    }
}

/// A service of this machine that nobody may reach.
struct Service(TcpListener);

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn assert_was_left_alone(&self) {
        let error = self.0.accept().expect_err("nobody connects");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}

fn login_wanted() -> Vec<Step> {
    vec![answer(
        "401 No",
        "WWW-Authenticate: Basic realm=\"x\"\r\n",
        b"",
    )]
}

#[tokio::test]
async fn camera_at_a_refused_address_is_never_connected_to() {
    let camera = FakeHttpCamera::start(|_| vec![stream_head(), send(part(1)), Step::Stall]);
    let source: Source = camera.url("/").parse().unwrap();
    let refused = source.clone().with_dial_policy(DialPolicy::restricted());
    let mut refused = ingest(refused);
    for _ in 0..3 {
        let addr = refused_address(&mut refused).await;
        assert_eq!(addr, camera.addr().ip());
    }
    assert_eq!(camera.camera().connections(), 0);
    assert_eq!(next_number(&mut open_restricted(&camera.url("/"))).await, 1);
}

#[tokio::test]
async fn redirect_to_a_refused_address_is_not_followed() {
    let service = Service::start();
    for host in [
        "127.0.0.2",
        "127.2",
        "2130706434",
        "0x7f.2",
        "0177.0.0.2",
        "[::ffff:127.0.0.2]",
    ] {
        let there = format!("http://{host}:{}/latest", service.port());
        // It has received the login when it redirects, and sets a cookie.
        let camera = FakeHttpCamera::start(move |asked| match asked.header("authorization") {
            Some(_) => vec![answer(
                "302 Found",
                &format!("Set-Cookie: sid=abc\r\nLocation: {there}\r\n"),
                b"",
            )],
            None => login_wanted(),
        });
        let url = camera.url("/#header=X-Key:1");
        let mut ingest = open_restricted(&url.replacen("//", "//me:pw@", 1));
        for _ in 0..2 {
            let addr = refused_address(&mut ingest).await;
            assert_eq!(addr.to_canonical().to_string(), "127.0.0.2", "{host}");
        }
        assert!(camera.requests().len() >= 4, "each attempt began anew");
    }
    service.assert_was_left_alone();
}

#[tokio::test]
async fn redirect_to_a_permitted_address_is_followed() {
    let other = FakeHttpCamera::start(|_| vec![stream_head(), send(part(1)), Step::Stall]);
    let there = other.url("/video");
    let camera = FakeHttpCamera::start(move |_| {
        vec![answer("302 Found", &format!("Location: {there}\r\n"), b"")]
    });
    assert_eq!(next_number(&mut open_restricted(&camera.url("/"))).await, 1);
}

#[tokio::test]
async fn polled_camera_that_leads_to_a_refused_address_later_is_lost_at_once() {
    let service = Service::start();
    let there = format!("Location: http://127.0.0.2:{}/\r\n", service.port());
    let camera = super::counted(move |n| match n {
        1..=3 => vec![picture(n)],
        _ => vec![answer("302 Found", &there, b"")],
    });
    let mut ingest = open_restricted(&camera.url("/#fps=50"));
    for n in 1..=3 {
        assert_eq!(next_number(&mut ingest).await, n);
    }
    let addr = refused_address(&mut ingest).await;
    assert_eq!(addr.to_string(), "127.0.0.2");
    assert_eq!(camera.requests().len(), 4);
    service.assert_was_left_alone();
}
