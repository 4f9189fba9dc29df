//! Who may do what, and what those are told who may not.

use mjpeg_auth::{Auth, AuthConfig, AuthLimits, Right, Rights, StreamSet, User, Who, hash_token};
use mjpeg_http::{Access, Action, Gate, Inquiry};

use crate::{Site, basic, closed, user};

fn token_user(name: &str, rights: &[Right]) -> User {
    let user = User::new(name).unwrap();
    let user = user.with_token_hash(&hash_token(name)).unwrap();
    user.with_rights(Rights::of(rights.iter().copied()))
}

fn bearer(name: &str) -> String {
    format!("Authorization: Bearer {name}\r\n")
}

#[tokio::test]
async fn strangers_may_view_and_replay_unless_set_otherwise() {
    let site = Site::serve(&Auth::new(AuthConfig::default()).unwrap());
    assert_eq!(site.status("/door/snapshot", "").await, 200);
    // There is nobody to log in as: what clients send from before is no error.
    assert_eq!(site.status("/door/snapshot", &basic("a", "b")).await, 200);
    for right in Right::ALL {
        let expected = matches!(right, Right::View | Right::Replay);
        assert_eq!(site.auth.may(&Who::STRANGER, right, Some("door")), expected);
    }
}

#[tokio::test]
async fn stream_with_a_list_is_open_to_those_in_it_and_not_found_by_others() {
    let nobody = token_user("bob", &[]);
    let limited = token_user("carol", &[Right::View]).with_streams(StreamSet::of(["yard"]));
    let admin = token_user("admin", &[Right::View]);
    let users = [token_user("alice", &[]), nobody, limited, admin];
    let config = users
        .into_iter()
        .fold(AuthConfig::default(), AuthConfig::with_user)
        .with_view("door", ["alice"]);
    let site = Site::serve(&Auth::new(config).unwrap());
    for (who, door) in [("alice", 200), ("bob", 404), ("carol", 404), ("admin", 200)] {
        assert_eq!(
            site.status("/door/snapshot", &bearer(who)).await,
            door,
            "{who}"
        );
        assert_eq!(
            site.status("/yard/snapshot", &bearer(who)).await,
            200,
            "{who}"
        );
    }
    assert_eq!(site.status("/door/snapshot", "").await, 404);
    assert_eq!(site.status("/yard/snapshot", "").await, 200);
    // Its recordings are closed to strangers as well.
    assert!(!site.auth.may(&Who::STRANGER, Right::Replay, Some("door")));
    assert!(site.auth.may(&Who::STRANGER, Right::Replay, Some("yard")));
}

/// Byte for byte, save the date: with and without credentials, whatever a page asks.
#[tokio::test]
async fn hidden_stream_answers_like_one_that_does_not_exist() {
    let open = AuthConfig::default().with_user(token_user("bob", &[]));
    let open = open.with_view("door", [] as [&str; 0]);
    let closed = closed([token_user("bob", &[])]);
    for (config, stranger) in [(open, 404), (closed, 401)] {
        let limits = AuthLimits::default();
        let limits = limits.with_verifications_per_second(100).unwrap();
        let limits = limits.with_user_failures(1000).unwrap();
        let site = Site::serve(&Auth::new(config.with_limits(limits)).unwrap());
        for (headers, status) in [
            (String::new(), stranger),
            ("Origin: https://page.example\r\n".into(), stranger),
            (bearer("bob"), 404),
            (bearer("wrong"), 401),
            (basic("bob", "wrong"), 401),
        ] {
            let hidden = site.ask("/door/snapshot", &headers).await;
            assert_eq!(hidden.status, status, "{headers}");
            for rest in [
                "/snapshot",
                "/stream",
                "/",
                "",
                "/nothing",
                "/?action=dance",
            ] {
                let hidden = site.ask(&format!("/door{rest}"), &headers).await;
                let unknown = site.ask(&format!("/none{rest}"), &headers).await;
                assert_eq!(hidden, unknown, "{rest} {headers}");
            }
            assert!(hidden.header("access-control-allow-origin").is_none());
        }
    }
}

/// The listener's own answer, where no other service answers.
#[tokio::test]
async fn hidden_stream_answers_as_the_listener_says_of_an_unknown_one() {
    let config = AuthConfig::default().with_view("door", [] as [&str; 0]);
    let auth = Auth::new(config).unwrap();
    let site = Site::serve(&auth);
    let listener = mjpeg_http::Listener::bind(
        "127.0.0.1:0".parse().unwrap(),
        mjpeg_http::ListenerConfig::default(),
    );
    let listener = listener.unwrap();
    let bare = listener.local_addr().unwrap();
    let serving =
        tokio::spawn(listener.serve(crate::Named(Default::default()), std::future::pending()));
    let hidden = site.ask("/door/snapshot", "").await;
    let unknown = mjpeg_testkit::request(
        bare,
        "GET /door/snapshot HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    );
    let unknown = unknown.await.unwrap();
    let mut headers = unknown.head.headers;
    headers.retain(|(name, _)| name != "date");
    assert_eq!((hidden.status, hidden.headers), (404, headers));
    assert_eq!(hidden.body, unknown.body);
    serving.abort();
}

#[tokio::test]
async fn later_streams_are_covered_only_by_all() {
    let named = token_user("named", &[Right::View]).with_streams(StreamSet::of(["door"]));
    let all = token_user("all", &[Right::View]).with_streams(StreamSet::of(["*", "door"]));
    let auth = Auth::new(closed([named, all])).unwrap();
    let who = async |name: &str| {
        let mut inquiry = Inquiry::new(Action::Page);
        let value = format!("Bearer {name}").parse().unwrap();
        inquiry.headers.insert("authorization", value);
        auth.identify(&inquiry).await.unwrap()
    };
    let (named, all) = (who("named").await, who("all").await);
    for (stream, of_named) in [("door", true), ("yard", false), ("tomorrow", false)] {
        let may = |who: &Who| auth.may(who, Right::View, Some(stream));
        assert_eq!((may(&named), may(&all)), (of_named, true), "{stream}");
        assert!(!may(&Who::STRANGER), "{stream}");
    }
    assert!(!auth.may(&named, Right::View, None));
    assert!(auth.may(&all, Right::View, None));
}

#[tokio::test]
async fn each_action_needs_its_right_and_the_answer_says_what_is_missing() {
    let users = [
        token_user("viewer", &[Right::View]),
        token_user("owner", &[Right::View, Right::Control]).with_streams(StreamSet::of(["door"])),
        token_user("admin", &Right::ALL),
    ];
    let auth = Auth::new(closed(users)).unwrap();
    let decide = async |name: &str, action, stream: Option<&str>| {
        let mut inquiry = Inquiry::new(action);
        inquiry.stream = stream.map(Into::into);
        if !name.is_empty() {
            let value = format!("Bearer {name}").parse().unwrap();
            inquiry.headers.insert("authorization", value);
        }
        match auth.decide(&inquiry).await {
            Access::Allow(grant) => {
                assert_eq!(
                    grant.identity.as_deref(),
                    Some(name).filter(|name| !name.is_empty())
                );
                200
            }
            Access::Deny(response) => response.status().as_u16(),
            _ => panic!("neither allowed nor denied"),
        }
    };
    use Action::{Control, Metrics, Page, Push, Replay, Snapshot, State, Stream};
    for (action, stream, [stranger, viewer, owner, admin]) in [
        (Stream, Some("door"), [401, 200, 200, 200]),
        (Snapshot, Some("door"), [401, 200, 200, 200]),
        (State, Some("door"), [401, 200, 200, 200]),
        (Stream, Some("yard"), [401, 200, 404, 200]),
        (Replay, Some("door"), [401, 403, 403, 200]),
        (Push, Some("yard"), [401, 403, 404, 200]),
        (Control, Some("door"), [401, 403, 200, 200]),
        (Control, Some("yard"), [401, 403, 404, 200]),
        (Control, None, [401, 403, 403, 200]),
        (Metrics, None, [401, 403, 403, 200]),
        (Page, None, [200, 200, 200, 200]),
        // A service without a name.
        (Stream, None, [401, 200, 403, 200]),
    ] {
        for (name, expected) in [
            ("", stranger),
            ("viewer", viewer),
            ("owner", owner),
            ("admin", admin),
        ] {
            let status = decide(name, action, stream).await;
            assert_eq!(status, expected, "{name:?} {action:?} {stream:?}");
        }
    }
    // Nobody can see anything: there is no page.
    let none = AuthConfig::default().with_anonymous(Rights::NONE);
    auth.replace(none).unwrap();
    assert_eq!(decide("", Page, None).await, 401);
}

/// A login opens a stream that strangers see for what they may not do with it.
#[tokio::test]
async fn right_that_is_missing_on_an_open_stream_is_asked_for() {
    let config = AuthConfig::default().with_user(user("alice"));
    let auth = Auth::new(config).unwrap();
    let mut inquiry = Inquiry::new(Action::Push);
    inquiry.stream = Some("door".into());
    let Access::Deny(response) = auth.decide(&inquiry).await else {
        panic!("strangers may not push");
    };
    assert_eq!(response.status(), 401);
    assert_eq!(auth.refuse(&Who::STRANGER, &inquiry).status(), 401);
}

#[tokio::test]
async fn only_programs_and_the_address_bar_are_challenged() {
    let site = Site::serve(&Auth::new(closed([user("alice")])).unwrap());
    let port = site.addr.port();
    let old = format!("Cookie: mjpeg_session_{port}=over\r\n");
    for (headers, challenged) in [
        ("", true),
        (
            "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
            true,
        ),
        ("Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n", false),
        (
            "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
            false,
        ),
        ("Sec-Fetch-Dest: empty\r\n", false),
        ("X-Requested-With: fetch\r\n", false),
        (&old, false),
        ("Cookie: theme=dark\r\n", true),
    ] {
        let answer = site.ask("/door/snapshot", headers).await;
        assert_eq!(answer.status, 401);
        let challenges: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate")
            .map(|(_, value)| value.split(' ').next().unwrap())
            .collect();
        let expected: &[&str] = if challenged {
            &["Basic", "Bearer"]
        } else {
            &[]
        };
        assert_eq!(challenges, expected, "{headers}");
    }
}

#[tokio::test]
async fn viewer_who_loses_the_right_is_ended_by_a_recheck_and_no_other() {
    let site = Site::serve(&Auth::new(closed([user("alice"), user("bob")])).unwrap());
    let credentials = |name: &str| basic(name, &format!("{name}-secret"));
    let [alice, bob] = ["alice", "bob"].map(credentials);
    let value = |header: &str| header["Authorization: ".len()..].trim().to_owned();
    let mut alice = site.watch("", &[("Authorization", &value(&alice))]).await;
    let mut bob = site.watch("", &[("Authorization", &value(&bob))]).await;
    let identities = site.door.viewers();
    let identities = identities.iter().map(|viewer| viewer.identity.as_deref());
    assert_eq!(identities.collect::<Vec<_>>(), [Some("alice"), Some("bob")]);
    let config = site.auth.config();
    let users = config.users().iter().map(|user| (**user).clone());
    let kept = users.filter(|user| user.name() == "bob");
    site.auth.replace(closed(kept)).unwrap();
    assert_eq!(site.door.recheck().await.ended, 1);
    while alice.next_frame().await.is_ok_and(|frame| frame.is_some()) {}
    crate::publish(&site.producers[0], 2);
    bob.next_frame().await.unwrap().expect("bob stays");
    // Neither was verified again: what admitted bob still holds, and alice has no password.
    assert_eq!(site.auth.stats().verifications, 2);
}
