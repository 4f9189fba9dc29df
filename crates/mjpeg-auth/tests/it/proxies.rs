//! Users whom a proxy or a certificate names.

use std::{io, sync::Arc};

use async_trait::async_trait;
use mjpeg_auth::{Auth, AuthConfig, Means, Right, Rights, User, Who};
use mjpeg_http::{Action, Inquiry, Listener, Peer, TlsInfo, Transport, Wrap};

use crate::{Site, basic, closed, user};

fn remote() -> AuthConfig {
    closed([user("alice")]).with_remote_user(true)
}

#[tokio::test]
async fn remote_user_counts_from_a_trusted_proxy_if_it_is_set() {
    let alice = "Remote-User: alice\r\n";
    let site = Site::serve(&Auth::new(remote()).unwrap());
    assert_eq!(site.status("/door/snapshot", alice).await, 200);
    assert_eq!(site.auth.stats().verifications, 0);
    // The proxy's own password is of no matter here.
    let both = format!("{alice}{}", basic("proxy", "x"));
    assert_eq!(site.status("/door/snapshot", &both).await, 200);
    for headers in [
        "Remote-User: mallory\r\n",
        "Remote-User:\r\n",
        "Remote-User: alice\r\nRemote-User: alice\r\n",
        "Remote-User: mallory\r\nRemote-User: alice\r\n",
        "Remote-User: alice, mallory\r\n",
        "Remote_User: alice\r\n",
        "X-Remote-User: alice\r\n",
    ] {
        assert_eq!(
            site.status("/door/snapshot", headers).await,
            401,
            "{headers}"
        );
    }
    site.auth.replace(remote().with_remote_user(false)).unwrap();
    assert_eq!(site.status("/door/snapshot", alice).await, 401);
}

#[tokio::test]
async fn remote_user_from_anybody_else_is_nothing() {
    let auth = Auth::new(remote()).unwrap();
    let mut inquiry = Inquiry::new(Action::Page);
    inquiry
        .headers
        .insert("remote-user", "alice".parse().unwrap());
    let near = Peer::from(([127, 0, 0, 1], 1));
    let far = Peer::from(([192, 0, 2, 1], 1));
    for peer in [
        None,
        Some(Peer::LOCAL),
        Some(near),
        Some(far),
        Some(far.with_proxy(true)),
    ] {
        inquiry.peer = peer;
        assert_eq!(
            auth.identify(&inquiry).await.unwrap(),
            Who::STRANGER,
            "{peer:?}"
        );
    }
    inquiry.peer = Some(far.with_trusted_proxy(true));
    let who = auth.identify(&inquiry).await.unwrap();
    assert_eq!(
        (who.name(), who.means()),
        (Some("alice"), Means::RemoteUser)
    );
}

/// Over sockets: a listener that trusts nobody.
#[tokio::test]
async fn remote_user_is_removed_by_a_listener_that_trusts_no_proxy() {
    let site = Site::serve_with(&Auth::new(remote()).unwrap(), |_| {
        let config = mjpeg_http::ListenerConfig::default();
        Listener::bind("127.0.0.2:0".parse().unwrap(), config).unwrap()
    });
    assert_eq!(
        site.status("/door/snapshot", "Remote-User: alice\r\n")
            .await,
        401
    );
}

/// TLS that has verified this certificate.
struct Presents(Option<&'static [u8]>);

#[async_trait]
impl Wrap for Presents {
    async fn wrap(&self, transport: Transport) -> io::Result<Transport> {
        let mut tls = TlsInfo::default();
        tls.client_certificate = self.0.map(bytes::Bytes::from_static);
        Ok(transport.with_tls(tls))
    }
}

#[tokio::test]
async fn client_certificate_names_its_user() {
    // SHA-256 of `certificate`.
    let fingerprint = "03:D6:6D:D0:88:35:C1:CA:3F:12:8C:CE:AC:D1:F3:1A:\
                       C9:41:63:09:6B:20:F4:45:AE:84:28:5B:C0:83:2D:72";
    let robot = User::new("robot").unwrap().with_certificate(fingerprint);
    let robot = robot.unwrap().with_rights(Rights::of([Right::View]));
    let auth = Auth::new(closed([robot, user("alice")])).unwrap();
    for (certificate, status) in [
        (Some(&b"certificate"[..]), 200),
        (Some(b"another"), 401),
        (None, 401),
    ] {
        let wrap = Arc::new(Presents(certificate));
        let site = Site::serve_with(&auth, |listener| listener.with_wrap(wrap));
        assert_eq!(
            site.status("/door/snapshot", "").await,
            status,
            "{certificate:?}"
        );
        // A password that is sent is looked at first.
        let alice = basic("alice", "alice-secret");
        assert_eq!(site.status("/door/snapshot", &alice).await, 200);
        assert_eq!(
            site.status("/door/snapshot", &basic("alice", "x")).await,
            401
        );
        if status == 200 {
            let _viewer = site.watch("", &[]).await;
            let viewers = site.door.viewers();
            assert_eq!(viewers[0].identity.as_deref(), Some("robot"));
        }
    }
}
