//! What is remembered of a hook's answers, and how much it is asked at once.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use mjpeg_auth::{Auth, HOOK_RECHECK_INTERVAL, HookAnswer};
use mjpeg_http::{Access, Gate, Inquiry};
use tokio::time::{advance, timeout};

use super::{TestHook, allowed, inquiry, login, peer, status};
use crate::{closed, user};

fn auth() -> Auth {
    Auth::new(closed([])).unwrap()
}

/// The same about somebody who was admitted.
async fn admitted(auth: &Auth, mut inquiry: Inquiry) -> Inquiry {
    let grant = allowed(auth, &inquiry).await.expect("it is allowed");
    inquiry.proof = grant.proof;
    inquiry
}

async fn yields() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn allowances_are_remembered_for_a_minute_and_denials_for_five_seconds() {
    let auth = auth();
    let hook = TestHook::set(&auth, [HookAnswer::Allow]);
    let bob = inquiry("door", &login("bob", "x"));
    for (after, count) in [(0, 1), (59, 1), (1, 2)] {
        advance(Duration::from_secs(after)).await;
        assert_eq!(status(&auth, &bob).await, 200);
        assert_eq!(hook.count(), count, "{after} s later");
    }
    hook.answer(HookAnswer::Deny);
    // Each of these is another question.
    let mut elsewhere = bob.clone();
    elsewhere.peer = Some(peer("192.0.2.2:1000"));
    let mut push = bob.clone();
    push.action = mjpeg_http::Action::Push;
    let others = [
        elsewhere,
        push,
        inquiry("yard", &login("bob", "x")),
        inquiry("door", &login("bob", "y")),
        inquiry("door", &login("bo", "bx")),
        inquiry("door", "Bearer x"),
        inquiry("door", ""),
    ];
    for (at, other) in others.iter().enumerate() {
        assert_eq!(status(&auth, other).await, 401, "{at}");
        assert_eq!(hook.count(), 3 + at);
    }
    assert_eq!(status(&auth, &bob).await, 200);
    advance(Duration::from_millis(4999)).await;
    assert_eq!(status(&auth, &others[0]).await, 401);
    assert_eq!(hook.count(), 9);
    advance(Duration::from_millis(1)).await;
    hook.answer(HookAnswer::Allow);
    assert_eq!(status(&auth, &others[0]).await, 200);
    // A failure is not remembered.
    hook.answer(HookAnswer::Failed);
    let carol = inquiry("door", &login("carol", "x"));
    for count in [11, 12] {
        assert_eq!(status(&auth, &carol).await, 401);
        assert_eq!(hook.count(), count);
    }
    let stats = auth.stats().hook;
    assert_eq!((stats.allowed, stats.denied, stats.failed), (3, 7, 2));
}

#[tokio::test(start_paused = true)]
async fn same_question_is_asked_once_however_many_wait() {
    let auth = auth();
    let hook = TestHook::set_held(&auth, [HookAnswer::Allow]);
    let bob = inquiry("door", &login("bob", "x"));
    let asking = || {
        let (auth, bob) = (auth.clone(), bob.clone());
        tokio::spawn(async move { status(&auth, &bob).await })
    };
    let first = asking();
    yields().await;
    let others: Vec<_> = (0..50).map(|_| asking()).collect();
    yields().await;
    assert_eq!(hook.count(), 1);
    // The one who has asked goes away: another one asks.
    first.abort();
    yields().await;
    assert_eq!(hook.count(), 2);
    hook.release.add_permits(1);
    for other in others {
        assert_eq!(other.await.unwrap(), 200);
    }
    assert_eq!(hook.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn more_questions_than_allowed_are_denied_and_counted() {
    let auth = auth();
    let hook = TestHook::set_held(&auth, [HookAnswer::Allow]);
    let ask = |number: usize, address: String| {
        let mut asked = inquiry("door", &format!("Bearer {number}"));
        asked.peer = Some(peer(&address));
        let auth = auth.clone();
        tokio::spawn(async move { status(&auth, &asked).await })
    };
    // Of one address, an IPv6 network being one.
    let of_one: Vec<_> = (0..9)
        .map(|n| ask(n, format!("[2001:db8::{n}]:1")))
        .collect();
    yields().await;
    assert_eq!((hook.count(), auth.stats().hook.refused), (8, 1));
    // Of all.
    let of_all: Vec<_> = (0..25)
        .map(|n| ask(100 + n, format!("192.0.2.{n}:1")))
        .collect();
    yields().await;
    assert_eq!((hook.count(), auth.stats().hook.refused), (32, 2));
    // Whoever is watching has places of its own.
    hook.release.add_permits(1000);
    let statuses = join_all(of_one.into_iter().chain(of_all)).await;
    let refused = statuses.iter().filter(|it| *it.as_ref().unwrap() == 401);
    assert_eq!(refused.count(), 2);
    assert_eq!(status(&auth, &inquiry("door", "Bearer 8")).await, 200);
}

#[tokio::test(start_paused = true)]
async fn viewers_wait_for_their_turn_and_none_is_denied_for_want_of_it() {
    let auth = auth();
    let hook = TestHook::set(&auth, [HookAnswer::Allow]);
    let mut viewers = Vec::new();
    for number in 0..100 {
        let asked = inquiry("door", &format!("Bearer {number}"));
        viewers.push(admitted(&auth, asked).await);
    }
    drop(hook);
    advance(Duration::from_secs(55)).await;
    let hook = TestHook::set_held(&auth, [HookAnswer::Allow]);
    let rechecking: Vec<_> = viewers
        .iter()
        .map(|viewer| {
            let (auth, viewer) = (auth.clone(), viewer.clone());
            tokio::spawn(async move { status(&auth, &viewer).await })
        })
        .collect();
    yields().await;
    assert_eq!(hook.count(), 8);
    hook.release.add_permits(1000);
    for one in rechecking {
        assert_eq!(one.await.unwrap(), 200);
    }
    assert_eq!((hook.count(), auth.stats().hook.refused), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn viewer_is_asked_about_again_within_a_minute() {
    let auth = auth();
    let hook = TestHook::set(&auth, [HookAnswer::Allow]);
    let viewer = admitted(&auth, inquiry("door", "Bearer x")).await;
    hook.answer(HookAnswer::Deny);
    let mut waited = Duration::ZERO;
    while status(&auth, &viewer).await == 200 {
        advance(HOOK_RECHECK_INTERVAL).await;
        waited += HOOK_RECHECK_INTERVAL;
        assert!(waited <= Duration::from_secs(60));
    }
    assert_eq!((waited.as_secs(), hook.count()), (50, 2));
}

#[tokio::test(start_paused = true)]
async fn failing_hook_keeps_only_those_whom_it_has_allowed_the_same() {
    let auth = Auth::new(closed([user("alice")])).unwrap();
    TestHook::set(&auth, [HookAnswer::Allow]);
    let viewer = admitted(&auth, inquiry("door", &login("bob", "x"))).await;
    // Her password was verified, and the settings allow it.
    let alice = admitted(&auth, inquiry("door", &login("alice", "alice-secret"))).await;
    let hook = TestHook::set(&auth, [HookAnswer::Failed]);
    assert!(matches!(auth.decide(&viewer).await, Access::Undecided));
    for change in [
        |inquiry: &mut Inquiry| inquiry.stream = Some("yard".into()),
        |inquiry: &mut Inquiry| drop(inquiry.headers.remove("authorization")),
        |inquiry: &mut Inquiry| inquiry.proof = None,
        |inquiry: &mut Inquiry| inquiry.proof = Some(vec![0; 64].into()),
        |inquiry: &mut Inquiry| inquiry.proof = Some(vec![0; 31].into()),
    ] {
        let mut other = viewer.clone();
        change(&mut other);
        assert_eq!(status(&auth, &other).await, 401);
    }
    assert_eq!(status(&auth, &alice).await, 200);
    let verified = auth.stats().verifications;
    let changed = user("alice").with_rights(mjpeg_auth::Rights::NONE);
    auth.replace(closed([changed])).unwrap();
    assert_eq!(status(&auth, &alice).await, 404, "she has lost the right");
    hook.answer(HookAnswer::Allow);
    assert_eq!(status(&auth, &alice).await, 200, "the hook gives it");
    assert!(auth.stats().verifications <= verified + 1);
}

#[tokio::test(start_paused = true)]
async fn silent_hook_is_asked_less_and_another_hook_at_once() {
    let auth = auth();
    let hook = TestHook::set(&auth, [HookAnswer::Unreachable]);
    for number in 0..100 {
        let asked = inquiry("door", &format!("Bearer {number}"));
        assert_eq!(status(&auth, &asked).await, 401);
    }
    assert_eq!((hook.count(), auth.stats().hook.refused), (5, 95));
    advance(Duration::from_secs(1)).await;
    for _ in 0..2 {
        assert_eq!(status(&auth, &inquiry("door", "")).await, 401);
    }
    assert_eq!(hook.count(), 6);
    let new = TestHook::set(&auth, [HookAnswer::Allow]);
    assert_eq!(status(&auth, &inquiry("door", "")).await, 200);
    assert_eq!((hook.count(), new.count()), (6, 1));
    // Nothing of what it said holds when it is gone.
    auth.set_hook(None);
    assert_eq!(status(&auth, &inquiry("door", "")).await, 401);
}

#[tokio::test(start_paused = true)]
async fn answer_of_a_hook_that_was_replaced_meanwhile_is_not_remembered() {
    let auth = auth();
    let old = TestHook::set_held(&auth, [HookAnswer::Allow]);
    let asking = {
        let auth = auth.clone();
        tokio::spawn(async move { status(&auth, &inquiry("door", "")).await })
    };
    yields().await;
    let new = TestHook::set(&auth, [HookAnswer::Deny]);
    old.release.add_permits(1);
    timeout(Duration::from_secs(1), asking)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status(&auth, &inquiry("door", "")).await, 401);
    assert_eq!((old.count(), new.count()), (1, 1));
    assert_eq!(Arc::strong_count(&old), 1, "nothing of it is left");
}
