//! Somebody guesses passwords.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use mjpeg_auth::{Auth, AuthConfig, AuthLimits, LoginError};
use mjpeg_http::Peer;

use crate::{Site, basic, closed, from, user};

fn limits() -> AuthLimits {
    let limits = AuthLimits::default();
    limits.with_verifications_per_second(100).unwrap()
}

#[tokio::test]
async fn address_that_guesses_is_locked_out_and_the_others_are_not() {
    let config = closed([user("alice"), user("bob")]).with_limits(limits());
    let site = Site::serve(&Auth::new(config).unwrap());
    let ask = async |from: &str, name: &str, password: &str| {
        let headers = format!("{from}{}", basic(name, password));
        site.ask("/door/snapshot", &headers).await
    };
    let (evil, good) = (from("203.0.113.66"), from("203.0.113.7"));
    assert_eq!(ask(&good, "alice", "alice-secret").await.status, 200);
    for n in 0..5 {
        let answer = ask(&evil, "alice", &format!("guess{n}")).await;
        assert_eq!(answer.status, 401, "{n}");
    }
    let hashed = site.auth.stats().verifications;
    let locked = ask(&evil, "alice", "guess5").await;
    assert_eq!(locked.status, 429);
    assert_eq!(locked.header("retry-after"), Some("1"));
    // Neither the right password of somebody else, nor another name: nothing is hashed.
    for (name, password) in [("bob", "bob-secret"), ("nobody", "x"), ("alice", "guess6")] {
        assert_eq!(ask(&evil, name, password).await.status, 429);
    }
    assert_eq!(site.auth.stats().verifications, hashed);
    assert_eq!(site.auth.stats().refused, 4);
    // Whoever else there is gets in, with a new login as well.
    assert_eq!(ask(&good, "alice", "alice-secret").await.status, 200);
    assert_eq!(ask(&good, "bob", "bob-secret").await.status, 200);
    assert_eq!(ask(&from("2001:db8::1"), "bob", "wrong").await.status, 401);
}

#[tokio::test]
async fn ipv6_network_counts_as_one_address() {
    let config = closed([user("alice")]).with_limits(limits());
    let site = Site::serve(&Auth::new(config).unwrap());
    for n in 1..=5 {
        let headers = from(&format!("2001:db8:1:2::{n}")) + &basic("alice", "guess");
        assert_eq!(site.status("/door/snapshot", &headers).await, 401, "{n}");
    }
    let within = from("2001:db8:1:2:ffff:ffff:ffff:ffff") + &basic("alice", "guess");
    assert_eq!(site.status("/door/snapshot", &within).await, 429);
    let beside = from("2001:db8:1:3::1") + &basic("alice", "guess");
    assert_eq!(site.status("/door/snapshot", &beside).await, 401);
}

#[tokio::test]
async fn guesses_from_many_addresses_lock_the_user_out_for_a_while_only_elsewhere() {
    let limits = limits().with_user_failures(4).unwrap();
    let config = closed([user("alice"), user("bob")]).with_limits(limits);
    let site = Site::serve(&Auth::new(config).unwrap());
    let ask = async |n: u8, name: &str, password: &str| {
        let headers = from(&format!("203.0.113.{n}")) + &basic(name, password);
        site.status("/door/snapshot", &headers).await
    };
    assert_eq!(ask(100, "alice", "alice-secret").await, 200);
    for n in 0..4 {
        assert_eq!(ask(n, "alice", "guess").await, 401);
    }
    assert_eq!(ask(5, "alice", "guess").await, 429);
    assert_eq!(ask(6, "bob", "bob-secret").await, 200);
    // From where she has logged in before, she may even mistype.
    assert_eq!(ask(100, "alice", "alice-secre").await, 401);
    assert_eq!(ask(100, "alice", "alice-secret").await, 200);
    // An unknown name is locked out in the same way.
    for n in 10..14 {
        assert_eq!(ask(n, "nobody", "guess").await, 401);
    }
    assert_eq!(ask(15, "nobody", "guess").await, 429);
}

/// At most ten by default; the rule for any number is tested with a stopped clock.
#[tokio::test]
async fn only_so_many_passwords_are_hashed_each_second() {
    let limits = limits().with_verifications_per_second(1).unwrap();
    let site = Site::serve(&Auth::new(closed([user("alice")]).with_limits(limits)).unwrap());
    let ask = async |n: u8, name: &str, password: &str| {
        let headers = from(&format!("203.0.113.{n}")) + &basic(name, password);
        site.ask("/door/snapshot", &headers).await
    };
    assert_eq!(ask(1, "alice", "alice-secret").await.status, 200);
    let busy = ask(2, "bob", "x").await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, Some("1")));
    // Logins that were verified before go on.
    assert_eq!(ask(3, "alice", "alice-secret").await.status, 200);
    assert_eq!(site.auth.stats().verifications, 1);
}

#[tokio::test]
async fn somebody_who_can_log_in_does_not_get_more_guesses_by_that() {
    let config = closed([user("alice"), user("mallory")])
        .with_limits(limits().with_login_cache(Duration::ZERO).unwrap());
    let auth = Auth::new(config).unwrap();
    let peer = Some(Peer::from(([203, 0, 113, 9], 1)));
    let mut guesses = 0;
    let refused = loop {
        match auth.login("alice", "guess", peer).await {
            Err(LoginError::Wrong) => guesses += 1,
            Err(error) => break error,
            Ok(_) => panic!("a wrong password"),
        }
        match auth.login("mallory", "mallory-secret", peer).await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, LoginError::TooMany { .. }));
    assert_eq!(guesses, 5);
}

/// Loopback may stand for anybody: a proxy that was not set as one.
#[tokio::test]
async fn shared_address_is_not_locked_out() {
    let config = closed([user("alice")]).with_limits(limits());
    let auth = Auth::new(config).unwrap();
    let local = Some(Peer::from(([127, 0, 0, 1], 1)));
    for n in 0..8 {
        let guess = auth.login(&format!("user{n}"), "guess", local).await;
        assert_eq!(guess.unwrap_err(), LoginError::Wrong, "{n}");
    }
    assert!(auth.login("alice", "alice-secret", local).await.is_ok());
}

/// A client that goes away before the answer has guessed all the same.
#[tokio::test]
async fn attempt_that_is_given_up_counts() {
    let config = closed([user("alice")]).with_limits(limits());
    let auth = Auth::new(config).unwrap();
    let peer = Some(Peer::from(([203, 0, 113, 9], 1)));
    for _ in 0..5 {
        let login = auth.login("alice", "guess", peer);
        // Polled until it waits for its hash.
        tokio::select! {
            biased;
            _ = login => panic!("no hash is that fast"),
            () = tokio::task::yield_now() => {}
        }
    }
    let refused = auth.login("alice", "guess", peer).await.unwrap_err();
    assert!(matches!(refused, LoginError::TooMany { .. }), "{refused:?}");
}

/// Where the log is written to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// For programs that lock addresses out at the firewall: a line each, and nobody forges one.
#[tokio::test]
async fn wrong_password_is_logged_with_its_address_and_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false);
    let subscriber = subscriber.with_writer(move || writer.clone()).finish();
    // Of all tests in this process: of those in other threads, too, whose lines are left out.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let auth = Auth::new(closed([user("alice")])).unwrap();
    let from = |ip: [u8; 4]| Some(Peer::from((ip, 4711)));
    let evil = "alice\" peer=\"192.0.2.1\"\n2026-11-29 login failed peer=\"192.0.2.2\"";
    for (name, peer) in [
        ("alice", from([198, 51, 100, 66])),
        (evil, from([198, 51, 100, 67])),
        (&*"x".repeat(100), None),
    ] {
        let refused = auth.login(name, "a-guess", peer).await;
        assert_eq!(refused.unwrap_err(), LoginError::Wrong);
    }
    auth.login("alice", "alice-secret", None).await.unwrap();
    let bytes = log.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    let ours = |line: &&str| line.contains("\"198.51.100.6") || line.contains("\"xxxxx");
    let lines = text.lines().filter(ours);
    let lines: Vec<_> = lines
        .map(|line| line.split_once("login failed ").unwrap().1.to_owned())
        .collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[0], r#"peer="198.51.100.66" user="alice""#);
    let start = r#"peer="198.51.100.67" user="alice\" peer=\"192.0.2.1\"\n2026"#;
    assert!(lines[1].starts_with(start), "{}", lines[1]);
    assert_eq!(
        lines[2],
        format!("peer=\"local\" user={:?}", "x".repeat(64))
    );
    assert!(!text.contains("a-guess") && !text.contains("secret"));
}

#[test]
fn limits_have_bounds() {
    let limits = AuthLimits::default;
    let second = Duration::from_secs(1);
    assert!(limits().with_verifications_per_second(0).is_err());
    assert!(limits().with_verifications_per_second(101).is_err());
    assert!(limits().with_address_failures(0).is_err());
    assert!(limits().with_user_failures(1001).is_err());
    assert!(limits().with_address_lockout(Duration::ZERO).is_err());
    assert!(limits().with_user_lockout(86_401 * second).is_err());
    assert!(limits().with_login_cache(3601 * second).is_err());
    assert!(limits().with_max_sessions(0).is_err());
    let error = limits().with_session_time(second).unwrap_err();
    assert_eq!(error.to_string(), "session_time must be 60s to 2592000s");
    assert_eq!(AuthConfig::default().limits(), &limits());
}
