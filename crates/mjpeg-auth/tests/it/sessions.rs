//! Logins of pages.

use std::time::Duration;

use mjpeg_auth::{Auth, AuthConfig, AuthLimits, LoginSession, Means, Right, Rights, User, Who};
use mjpeg_auth::{hash_password, mjpeg_http::TlsInfo};
use mjpeg_http::{Action, Inquiry, Peer};

use crate::{Site, closed, user};

/// The cookie that a browser sends after this answer.
fn cookie(session: &LoginSession, inquiry: &Inquiry) -> String {
    let set = session.set_cookie(inquiry);
    set.to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn log_in(site: &Site, name: &str) -> String {
    let password = format!("{name}-secret");
    let session = site.auth.login(name, &password, None).await.unwrap();
    cookie(&session, &site.inquiry(Action::Page, &[]))
}

impl Site {
    async fn status_with(&self, cookie: &str) -> u16 {
        self.status("/door/snapshot", &format!("Cookie: {cookie}\r\n"))
            .await
    }
}

#[tokio::test]
async fn cookie_stands_for_its_user_until_logout() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let alice = log_in(&site, "alice").await;
    assert_eq!(site.status_with(&alice).await, 200);
    assert_eq!(site.status_with(&format!("a=b; {alice}; c=d")).await, 200);
    let inquiry = site.inquiry(Action::Page, &[("cookie", &alice)]);
    let who = site.auth.identify(&inquiry).await.unwrap();
    assert_eq!((who.name(), who.means()), (Some("alice"), Means::Session));
    assert_eq!(site.auth.stats().sessions, 1);
    let removed = site.auth.logout(&inquiry);
    let removed = removed.to_str().unwrap();
    let name = alice.split('=').next().unwrap();
    assert!(removed.starts_with(&format!("{name}=; ")), "{removed}");
    assert!(removed.contains("; Max-Age=0"), "{removed}");
    assert_eq!(site.status_with(&alice).await, 401);
    assert_eq!(site.auth.stats().sessions, 0);
    assert_eq!(site.auth.stats().verifications, 1);
}

#[tokio::test]
async fn cookie_of_a_page_of_another_origin_does_not_count_for_the_past() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let alice = log_in(&site, "alice").await;
    for (action, sent_by, counts) in [
        (Action::Replay, "same-origin", true),
        (Action::Replay, "none", true),
        (Action::Replay, "same-site", false),
        (Action::Replay, "cross-site", false),
        (Action::Stream, "same-site", true),
    ] {
        let inquiry = site.inquiry(action, &[("cookie", &alice), ("sec-fetch-site", sent_by)]);
        let who = site.auth.identify(&inquiry).await.unwrap();
        assert_eq!(who.name().is_some(), counts, "{action:?} {sent_by}");
    }
}

#[tokio::test]
async fn each_login_has_an_id_of_its_own_whatever_the_client_sent() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let port = site.addr.port();
    // Somebody has planted this cookie, and waits for a login.
    let planted = format!("mjpeg_session_{port}=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let first = log_in(&site, "alice").await;
    let second = log_in(&site, "alice").await;
    assert_ne!(first, second);
    assert_eq!(first.split('=').nth(1).unwrap().len(), 43);
    assert_eq!(site.status_with(&planted).await, 401);
    for mine in [&first, &second] {
        assert_eq!(site.status_with(mine).await, 200);
        assert_eq!(site.status_with(&format!("{planted}; {mine}")).await, 200);
        assert_eq!(site.status_with(&mine[..mine.len() - 1]).await, 401);
    }
}

#[tokio::test]
async fn cookie_is_of_one_port_and_of_encrypted_connections_or_not() {
    let auth = Auth::new(closed([user("alice")])).unwrap();
    let session = auth.login("alice", "alice-secret", None).await.unwrap();
    assert_eq!(session.user(), "alice");
    let inquiry = |host: &str, change: fn(&mut Inquiry)| {
        let mut inquiry = Inquiry::new(Action::Page);
        inquiry.headers.insert("host", host.parse().unwrap());
        change(&mut inquiry);
        inquiry
    };
    let plain: fn(&mut Inquiry) = |_| {};
    let tls: fn(&mut Inquiry) = |inquiry| inquiry.tls = Some(TlsInfo::default());
    let says_https: fn(&mut Inquiry) = |inquiry| {
        let proto = "x-forwarded-proto";
        inquiry.headers.insert(proto, "https".parse().unwrap());
        inquiry.peer = Some(Peer::from(([192, 0, 2, 1], 1)));
    };
    let proxied: fn(&mut Inquiry) = |inquiry| {
        let proto = "x-forwarded-proto";
        inquiry.headers.insert(proto, "HTTPS".parse().unwrap());
        let peer = Peer::from(([192, 0, 2, 1], 1));
        inquiry.peer = Some(peer.with_trusted_proxy(true));
    };
    // What is left of the last word may be the client's own.
    let forged: fn(&mut Inquiry) = |inquiry| {
        let proto = "x-forwarded-proto";
        inquiry
            .headers
            .insert(proto, "https, http".parse().unwrap());
        let peer = Peer::from(([192, 0, 2, 1], 1));
        inquiry.peer = Some(peer.with_trusted_proxy(true));
    };
    let http2: fn(&mut Inquiry) = |inquiry| {
        inquiry.headers.clear();
        inquiry.uri = "https://cam:8443/".parse().unwrap();
        inquiry.tls = Some(TlsInfo::default());
    };
    let cases = [
        ("cam:8080", plain, "mjpeg_session_8080"),
        ("cam", plain, "mjpeg_session_80"),
        ("[2001:db8::1]:8081", plain, "mjpeg_session_8081"),
        ("no host?", plain, "mjpeg_session_80"),
        ("cam:8443", tls, "__Host-mjpeg_session_8443"),
        ("cam", tls, "__Host-mjpeg_session_443"),
        ("cam", proxied, "__Host-mjpeg_session_443"),
        ("cam:8082", says_https, "mjpeg_session_8082"),
        ("cam:8083", forged, "mjpeg_session_8083"),
        ("", http2, "__Host-mjpeg_session_8443"),
    ];
    for (host, change, name) in cases {
        let mut asked = inquiry(host, change);
        let set = session.set_cookie(&asked);
        let set = set.to_str().unwrap();
        assert!(set.starts_with(&format!("{name}=")), "{set}");
        assert!(set.contains("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
        assert_eq!(
            set.ends_with("; Secure"),
            name.starts_with("__Host-"),
            "{set}"
        );
        assert!(!set.contains("Domain"), "{set}");
        // Only where the name fits, the cookie counts.
        let value = cookie(&session, &asked).parse().unwrap();
        asked.headers.insert("cookie", value);
        assert_eq!(auth.identify(&asked).await.unwrap().name(), Some("alice"));
        let mut elsewhere = inquiry("cam:9999", plain);
        let value = asked.headers.remove("cookie").unwrap();
        elsewhere.headers.insert("cookie", value);
        assert_eq!(auth.identify(&elsewhere).await.unwrap(), Who::STRANGER);
    }
    assert!(
        !format!("{session:?}").contains(
            cookie(&session, &inquiry("cam", plain))
                .split('=')
                .nth(1)
                .unwrap()
        )
    );
}

#[tokio::test]
async fn session_ends_with_the_password_and_with_the_user() {
    let site = Site::serve(&Auth::new(closed([user("alice"), user("bob")])).unwrap());
    let (alice, bob) = (log_in(&site, "alice").await, log_in(&site, "bob").await);
    let users = site.auth.config().users().to_vec();
    let alice_again = User::new("alice").unwrap();
    let hash = hash_password("new");
    let alice_again = alice_again.with_password_hash(&hash).unwrap();
    let alice_again = alice_again.with_rights(Rights::of([Right::View]));
    site.auth
        .replace(closed([alice_again, (*users[1]).clone()]))
        .unwrap();
    assert_eq!(site.status_with(&alice).await, 401);
    assert_eq!(site.status_with(&bob).await, 200);
    // Nor does it come back with the old password.
    site.auth
        .replace(closed(users.iter().map(|user| (**user).clone())))
        .unwrap();
    assert_eq!(site.status_with(&alice).await, 401);
    site.auth.replace(closed([(*users[0]).clone()])).unwrap();
    assert_eq!(site.status_with(&bob).await, 401);
    // Rights are those of now.
    let alice = log_in(&site, "alice").await;
    let fewer = (*users[0]).clone().with_rights(Rights::NONE);
    site.auth.replace(closed([fewer])).unwrap();
    assert_eq!(site.status_with(&alice).await, 404);
}

#[tokio::test]
async fn login_that_overtakes_a_change_of_the_password_begins_no_session() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let login = site.auth.login("alice", "alice-secret", None);
    tokio::pin!(login);
    tokio::select! {
        biased;
        _ = &mut login => panic!("no hash is that fast"),
        () = tokio::task::yield_now() => {}
    }
    let hash = hash_password("new");
    let changed = User::new("alice").unwrap().with_password_hash(&hash);
    let changed = changed.unwrap().with_rights(Rights::of([Right::View]));
    site.auth.replace(closed([changed])).unwrap();
    let session = login.await.unwrap();
    let alice = cookie(&session, &site.inquiry(Action::Page, &[]));
    assert_eq!(site.status_with(&alice).await, 401);
}

#[tokio::test]
async fn oldest_session_goes_beyond_the_limit() {
    let limits = AuthLimits::default().with_max_sessions(2).unwrap();
    let config = closed([user("alice")]).with_limits(limits);
    let site = Site::serve(&Auth::new(config).unwrap());
    let first = log_in(&site, "alice").await;
    let second = log_in(&site, "alice").await;
    assert_eq!(site.status_with(&first).await, 200);
    let third = log_in(&site, "alice").await;
    assert_eq!(site.status_with(&first).await, 401);
    assert_eq!(site.status_with(&second).await, 200);
    assert_eq!(site.status_with(&third).await, 200);
    assert_eq!(site.auth.stats().sessions, 2);
    assert_eq!(site.auth.stats().logins, 3);
}

/// No socket: the clock is stopped.
#[tokio::test(start_paused = true)]
async fn session_lasts_twelve_hours_and_so_does_what_it_admits_to() {
    use mjpeg_http::{Access, Gate};
    let auth = Auth::new(closed([user("alice")])).unwrap();
    let session = auth.login("alice", "alice-secret", None).await.unwrap();
    let mut inquiry = Inquiry::new(Action::Stream);
    inquiry.stream = Some("door".into());
    let value = cookie(&session, &inquiry).parse().unwrap();
    inquiry.headers.insert("cookie", value);
    let begun = tokio::time::Instant::now();
    let hours = |n: u64| Duration::from_secs(n * 60 * 60);
    tokio::time::advance(hours(12) - Duration::from_secs(1)).await;
    let Access::Allow(grant) = auth.decide(&inquiry).await else {
        panic!("the session lasts");
    };
    assert_eq!(grant.until, Some((begun + hours(12)).into_std()));
    // Where strangers are admitted too, nothing ends.
    let open = AuthConfig::default();
    let users = auth.config().users().to_vec();
    auth.replace(open.with_user((*users[0]).clone())).unwrap();
    let Access::Allow(grant) = auth.decide(&inquiry).await else {
        panic!("everybody is admitted");
    };
    assert_eq!(
        (grant.until, grant.identity.as_deref()),
        (None, Some("alice"))
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(auth.identify(&inquiry).await.unwrap(), Who::STRANGER);
}
