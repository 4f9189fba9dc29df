//! What a hook is asked, and what it can open.

use std::time::Duration;

use mjpeg_auth::{Auth, AuthConfig, HookAnswer, Right, Rights, StreamSet, User, hash_token};
use mjpeg_http::Action;
use mjpeg_testkit::Viewer;
use tokio::time::timeout;

use super::{TestHook, allowed, inquiry, login, status};
use crate::{Site, basic, closed, publish, user};

#[tokio::test]
async fn hook_is_asked_what_neither_strangers_nor_the_user_may() {
    let alice = user("alice").with_streams(StreamSet::of(["yard"]));
    let auth = Auth::new(closed([alice])).unwrap();
    let hook = TestHook::set(&auth, [HookAnswer::Allow]);
    let known = login("alice", "alice-secret");
    assert_eq!(status(&auth, &inquiry("yard", &known)).await, 200);
    assert_eq!(hook.count(), 0, "she may by the settings");
    for (authorization, user, token, identity) in [
        ("", None, None, None),
        (&*known, Some("alice"), None, Some("alice")),
        (
            &login("bob", "of:bob"),
            Some("bob"),
            Some("of:bob"),
            Some("bob"),
        ),
        (&login("", "of-nobody"), Some(""), Some("of-nobody"), None),
        ("Bearer abc.def", None, Some("abc.def"), None),
    ] {
        let asked = inquiry("door", authorization);
        let grant = allowed(&auth, &asked).await.expect("it is allowed");
        assert_eq!(grant.identity.as_deref(), identity, "{authorization}");
        let question = hook.last();
        let of = (question.user.as_deref(), question.token.as_deref());
        assert_eq!(of, (user, token), "{authorization}");
        assert_eq!(question.address, Some([192, 0, 2, 1].into()));
        assert_eq!((&*question.stream, question.right), ("door", Right::View));
        assert_eq!(question.is_verified(), user.is_some() && token.is_none());
        let shown = format!("{question:?}");
        assert!(token.is_none_or(|token| !shown.contains(token)), "{shown}");
    }
    assert_eq!(hook.count(), 5);
    let stats = auth.stats();
    assert_eq!(stats.hook.allowed, 5);
    // What the settings do not know costs no verification.
    assert_eq!((stats.verifications, stats.wrong), (1, 0));
}

#[tokio::test]
async fn wrong_password_of_a_user_is_wrong_and_no_matter_for_the_hook() {
    let auth = Auth::new(closed([user("alice")])).unwrap();
    let hook = TestHook::set(&auth, [HookAnswer::Allow]);
    for wrong in [
        login("alice", "wrong"),
        login(&"n".repeat(65), "x"),
        login("a\u{1b}b", "x"),
        "Digest x".into(),
    ] {
        assert_eq!(
            status(&auth, &inquiry("door", &wrong)).await,
            401,
            "{wrong}"
        );
    }
    assert_eq!(hook.count(), 0);
    assert_eq!(auth.stats().wrong, 1);
}

#[tokio::test]
async fn hook_opens_view_push_and_replay_of_a_stream_and_nothing_else() {
    let token = User::new("alice").unwrap();
    let token = token.with_token_hash(&hash_token("alice")).unwrap();
    let auth = Auth::new(closed([token])).unwrap();
    let hook = TestHook::set(&auth, [HookAnswer::Allow]);
    for authorization in ["", "Bearer alice", "Bearer unknown", &login("bob", "x")] {
        for (action, right) in [
            (Action::Stream, Some(Right::View)),
            (Action::Snapshot, Some(Right::View)),
            (Action::State, Some(Right::View)),
            (Action::Find, Some(Right::View)),
            (Action::Replay, Some(Right::Replay)),
            (Action::Push, Some(Right::Push)),
            (Action::Control, None),
            (Action::Metrics, None),
        ] {
            let mut asked = inquiry("door", authorization);
            asked.action = action;
            let before = hook.count();
            let is_allowed = allowed(&auth, &asked).await.is_some();
            assert_eq!(is_allowed, right.is_some(), "{authorization} {action:?}");
            if hook.count() > before {
                assert_eq!(Some(hook.last().right), right);
            }
            asked.stream = None;
            let before = hook.count();
            assert!(allowed(&auth, &asked).await.is_none(), "{action:?}");
            assert_eq!(hook.count(), before, "{action:?}");
        }
    }
    assert_eq!(hook.count(), 4 * 3, "once for each who, and each right");
    // The page is where one sees what one may.
    let mut page = inquiry("door", "");
    page.action = Action::Page;
    assert!(allowed(&auth, &page).await.is_some());
    auth.replace(AuthConfig::default().with_anonymous(Rights::NONE))
        .unwrap();
    assert!(allowed(&auth, &page).await.is_some());
    auth.set_hook(None);
    assert!(allowed(&auth, &page).await.is_none());
}

#[tokio::test]
async fn hook_takes_nothing_away_and_says_nothing_of_what_is_hidden() {
    let config = AuthConfig::default().with_view("door", [] as [&str; 0]);
    let site = Site::serve(&Auth::new(config).unwrap());
    let hook = TestHook::set(&site.auth, [HookAnswer::Deny]);
    for (headers, hidden, open) in [
        (String::new(), 404, 200),
        (basic("bob", "x"), 401, 200),
        ("Authorization: Bearer x\r\n".into(), 401, 200),
    ] {
        let door = site.ask("/door/snapshot", &headers).await;
        let nothing = site.ask("/nothing/snapshot", &headers).await;
        assert_eq!(door.status, hidden, "{headers}");
        assert_eq!(door, nothing, "{headers}");
        assert_eq!(site.status("/yard/snapshot", &headers).await, open);
    }
    assert_eq!(hook.count(), 3);
    hook.answer(HookAnswer::Failed);
    let door = site.ask("/door/snapshot", &basic("carol", "x")).await;
    let nothing = site.ask("/nothing/snapshot", &basic("carol", "x")).await;
    assert_eq!((door.status, &door), (401, &nothing));
}

#[tokio::test]
async fn viewers_of_the_hook_end_when_it_says_no_and_stay_when_it_fails() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let hook = TestHook::set(&site.auth, [HookAnswer::Allow]);
    let login = basic("bob", "x");
    let login = login["Authorization: ".len()..].trim();
    let mut viewer = site.watch("", &[("Authorization", login)]).await;
    let seen = site.door.viewers();
    assert_eq!(seen[0].identity.as_deref(), Some("bob"));
    // It is forgotten what the hook has said, as after a minute.
    let failing = TestHook::set(&site.auth, [HookAnswer::Failed]);
    let rechecked = site.door.recheck().await;
    assert_eq!((rechecked.ended, rechecked.undecided), (0, 1));
    let new = Viewer::open_with(site.addr, "/door/stream", &[("Authorization", login)]).await;
    assert_eq!(new.unwrap().head().status, 401, "a failure denies");
    publish(&site.producers[0], 2);
    viewer.next_frame().await.unwrap().expect("it stays");
    failing.answer(HookAnswer::Deny);
    let rechecked = site.door.recheck().await;
    assert_eq!((rechecked.ended, rechecked.undecided), (1, 0));
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(10), ending).await.unwrap();
    assert_eq!((hook.count(), failing.count()), (1, 3));
}
