//! Names, passwords and tokens.

use std::time::Duration;

use mjpeg_auth::{
    Auth, AuthLimits, LoginError, Means, Right, Rights, User, hash_password, hash_token, new_token,
};
use mjpeg_http::{Access, Action, Gate, Inquiry};

use crate::{Site, basic, closed, user};

#[tokio::test]
async fn verified_login_costs_no_second_hash() {
    let site = Site::serve(&Auth::new(closed([user("alice"), user("bob")])).unwrap());
    let alice = basic("alice", "alice-secret");
    for _ in 0..20 {
        assert_eq!(site.status("/door/snapshot", &alice).await, 200);
    }
    assert_eq!(site.auth.stats().verifications, 1);
    // What is remembered is of this name and this password.
    assert_eq!(
        site.status("/door/snapshot", &basic("bob", "alice-secret"))
            .await,
        401
    );
    assert_eq!(
        site.status("/door/snapshot", &basic("alice", "alice-secre"))
            .await,
        401
    );
    assert_eq!(site.auth.stats().verifications, 3);
    assert_eq!(site.status("/door/snapshot", &alice).await, 200);
    assert_eq!(site.auth.stats().verifications, 3);
    assert_eq!(site.auth.stats().wrong, 2);
}

/// A wall of many pictures.
#[tokio::test]
async fn logins_of_one_user_at_the_same_time_cost_one_hash() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let alice = basic("alice", "alice-secret");
    let asking = (0..24).map(|_| site.status("/door/snapshot", &alice));
    let mut asking: futures_util::stream::FuturesUnordered<_> = asking.collect();
    while let Some(status) = futures_util::StreamExt::next(&mut asking).await {
        assert_eq!(status, 200);
    }
    assert_eq!(site.auth.stats().verifications, 1);
}

#[tokio::test]
async fn unknown_user_gets_the_same_answer_for_the_same_work() {
    let token_only = User::new("robot").unwrap();
    let token_only = token_only.with_token_hash(&hash_token("t")).unwrap();
    let site = Site::serve(&Auth::new(closed([user("alice"), token_only])).unwrap());
    let wrong = site.ask("/door/snapshot", &basic("alice", "wrong")).await;
    assert_eq!(wrong.status, 401);
    for (name, hashed) in [("nobody", 2), ("robot", 3), ("", 4)] {
        let answer = site.ask("/door/snapshot", &basic(name, "wrong")).await;
        assert_eq!(answer, wrong, "{name}");
        assert_eq!(site.auth.stats().verifications, hashed, "{name}");
    }
    assert_eq!(site.auth.stats().wrong, 4);
}

#[tokio::test]
async fn changed_password_is_forgotten_at_once() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let old = basic("alice", "alice-secret");
    assert_eq!(site.status("/door/snapshot", &old).await, 200);
    let changed = User::new("alice").unwrap();
    let changed = changed.with_password_hash(&hash_password("new")).unwrap();
    let changed = changed.with_rights(Rights::of([Right::View]));
    site.auth.replace(closed([changed])).unwrap();
    assert_eq!(site.status("/door/snapshot", &old).await, 401);
    assert_eq!(
        site.status("/door/snapshot", &basic("alice", "new")).await,
        200
    );
    // The same password with another salt is another hash.
    site.auth.replace(closed([user("alice")])).unwrap();
    assert_eq!(
        site.status("/door/snapshot", &basic("alice", "new")).await,
        401
    );
    assert_eq!(site.status("/door/snapshot", &old).await, 200);
    assert_eq!(site.auth.stats().verifications, 5);
}

/// Long after the login is forgotten, and whatever else has changed.
#[tokio::test]
async fn recheck_needs_no_hash_unless_the_password_has_changed() {
    let limits = AuthLimits::default();
    let limits = limits.with_login_cache(Duration::ZERO).unwrap();
    let config = || closed([user("bob")]).with_limits(limits.clone());
    let alice = user("alice");
    let auth = Auth::new(config().with_user(alice.clone())).unwrap();
    let site = Site::serve(&auth);
    let header = basic("alice", "alice-secret");
    let value = header["Authorization: ".len()..].trim();
    let mut viewer = site.watch("", &[("Authorization", value)]).await;
    let rights = Rights::of([Right::View, Right::Control]);
    let more = alice.clone().with_rights(rights);
    site.auth.replace(config().with_user(more)).unwrap();
    assert_eq!(site.door.recheck().await.ended, 0);
    assert_eq!(site.auth.stats().verifications, 1);
    // The same password with another salt has to be verified.
    site.auth
        .replace(config().with_user(user("alice")))
        .unwrap();
    assert_eq!(site.door.recheck().await.ended, 0);
    assert_eq!(site.auth.stats().verifications, 2);
    let hash = hash_password("new");
    let changed = User::new("alice").unwrap().with_password_hash(&hash);
    site.auth
        .replace(config().with_user(changed.unwrap()))
        .unwrap();
    assert_eq!(site.door.recheck().await.ended, 1);
    while viewer.next_frame().await.is_ok_and(|frame| frame.is_some()) {}
}

#[tokio::test]
async fn tokens_are_looked_up_and_cost_no_hash() {
    let (token, other) = (new_token(), new_token());
    assert_ne!(token, other);
    let robot = User::new("robot").unwrap();
    let robot = robot.with_token_hash(&hash_token(&token)).unwrap();
    let robot = robot.with_rights(Rights::of([Right::View]));
    let site = Site::serve(&Auth::new(closed([robot])).unwrap());
    let bearer = |token: &str| format!("authorization: bearer {token}\r\n");
    assert_eq!(site.status("/door/snapshot", &bearer(&token)).await, 200);
    for wrong in [&other, &token[..20], &hash_token(&token)] {
        assert_eq!(site.status("/door/snapshot", &bearer(wrong)).await, 401);
    }
    assert_eq!(site.auth.stats().verifications, 0);
    let value = format!("Bearer {token}");
    let inquiry = site.inquiry(Action::Page, &[("authorization", &value)]);
    let who = site.auth.identify(&inquiry).await.unwrap();
    assert_eq!((who.name(), who.means()), (Some("robot"), Means::Token));
}

#[tokio::test]
async fn odd_headers_are_refused_and_never_admitted() {
    let odd = hash_password("a:b:");
    let colon = User::new("colon")
        .unwrap()
        .with_password_hash(&odd)
        .unwrap();
    let colon = colon.with_rights(Rights::of([Right::View]));
    let site = Site::serve(&Auth::new(closed([user("alice"), colon])).unwrap());
    let good = basic("alice", "alice-secret");
    assert_eq!(
        site.status("/door/snapshot", &basic("colon", "a:b:")).await,
        200
    );
    let lower = good.replace("Authorization: Basic", "authorization:   bASIC");
    assert_eq!(site.status("/door/snapshot", &lower).await, 200);
    let before = site.auth.stats();
    for headers in [
        format!("{good}{good}"),
        format!("{good}Authorization: Bearer x\r\n"),
        "Authorization: Basic !!!\r\n".into(),
        "Authorization: Basic YWxpY2U\r\n".into(),
        "Authorization: Basic /w==\r\n".into(),
        "Authorization: Basic\r\n".into(),
        "Authorization:\r\n".into(),
        "Authorization: Digest username=\"alice\"\r\n".into(),
        "Authorization: Bearer\r\n".into(),
        basic("alice", &"x".repeat(8 << 10)),
        basic(&"x".repeat(4 << 10), &"x".repeat(1025)),
    ] {
        let answer = site.ask("/door/snapshot", &headers).await;
        assert_eq!(answer.status, 401, "{:.60}", headers);
        assert!(answer.header("www-authenticate").is_some());
    }
    let raw = b"GET /door/snapshot HTTP/1.1\r\nHost: t\r\nAuthorization: Basic \xff\xfe\r\n\
                Connection: close\r\n\r\n";
    assert_eq!(site.send_bytes(raw).await.status, 401);
    // Nothing of this was worth a hash.
    assert_eq!(site.auth.stats(), before);
}

/// Longer than any password: at the limit it is hashed.
#[tokio::test]
async fn long_password_is_hashed_up_to_its_limit() {
    let long = "x".repeat(1024);
    let hash = hash_password(&long);
    let alice = User::new("alice")
        .unwrap()
        .with_password_hash(&hash)
        .unwrap();
    let auth = Auth::new(closed([alice])).unwrap();
    assert!(auth.login("alice", &long, None).await.is_ok());
    let longer = format!("{long}x");
    let refused = auth.login("alice", &longer, None).await;
    assert_eq!(refused.unwrap_err(), LoginError::Wrong);
    assert_eq!(auth.stats().verifications, 1);
}

/// Settings that change while a password is verified: it was right by the old ones only.
#[tokio::test]
async fn login_that_overtakes_a_change_of_the_password_is_found_by_the_recheck() {
    let auth = Auth::new(closed([user("alice")])).unwrap();
    let mut inquiry = Inquiry::new(Action::Stream);
    inquiry.stream = Some("door".into());
    let header = basic("alice", "alice-secret");
    let value = header["Authorization: ".len()..].trim().parse().unwrap();
    inquiry.headers.insert("authorization", value);
    let deciding = auth.decide(&inquiry);
    tokio::pin!(deciding);
    tokio::select! {
        biased;
        _ = &mut deciding => panic!("no hash is that fast"),
        () = tokio::task::yield_now() => {}
    }
    let hash = hash_password("new");
    let changed = User::new("alice")
        .unwrap()
        .with_password_hash(&hash)
        .unwrap();
    let changed = changed.with_rights(Rights::of([Right::View]));
    auth.replace(closed([changed])).unwrap();
    let Access::Allow(grant) = deciding.await else {
        panic!("it was right when it was sent");
    };
    assert!(grant.proof.is_some());
    let mut again = inquiry.clone();
    again.proof = grant.proof;
    assert!(matches!(auth.decide(&again).await, Access::Deny(_)));
}
