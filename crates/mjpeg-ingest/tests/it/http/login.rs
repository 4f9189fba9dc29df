//! User names and passwords: required, sent, refused, and never shown.

use std::sync::atomic::{AtomicUsize, Ordering};

use mjpeg_ingest::{HttpCamera, Source};
use mjpeg_testkit::{FakeHttpCamera, ReceivedRequest, Step};

use super::{answer, ingest, next_number, open, part, picture, send, stream_head, until_offline};

const REALM: &str = r#"realm="cam 1""#;

fn refusal(challenge: &str) -> Vec<Step> {
    vec![answer(
        "401 Unauthorized",
        &format!("WWW-Authenticate: {challenge}\r\n"),
        b"<html>no</html>",
    )]
}

fn stream() -> Vec<Step> {
    vec![stream_head(), send(part(1)), Step::Stall]
}

/// A URL with a login in front of its host.
fn with_login(camera: &FakeHttpCamera, login: &str) -> String {
    camera
        .url("/video")
        .replacen("//", &format!("//{login}@"), 1)
}

#[tokio::test]
async fn basic_login_is_sent_only_when_asked_for_and_on_the_same_connection() {
    let camera = FakeHttpCamera::start(|asked| match asked.header("authorization") {
        // `me@home:p/w` in base64.
        Some("Basic bWVAaG9tZTpwL3c=") => stream(),
        _ => refusal(&format!("Basic {REALM}")),
    });
    let mut ingest = open(&with_login(&camera, "me%40home:p%2Fw"));
    assert_eq!(next_number(&mut ingest).await, 1);
    let asked = camera.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test]
async fn camera_that_hangs_up_after_its_challenge_is_dialled_again() {
    let camera = FakeHttpCamera::start(|asked| match asked.header("authorization") {
        Some(_) => stream(),
        None => [refusal(&format!("Basic {REALM}")), vec![Step::Close]].concat(),
    });
    let mut ingest = open(&with_login(&camera, "a:b"));
    assert_eq!(next_number(&mut ingest).await, 1);
    assert_eq!(
        (camera.camera().connections(), camera.camera().most_open()),
        (2, 1)
    );
}

/// The value of this name in a `Digest` header.
fn digest<'a>(asked: &'a ReceivedRequest, name: &str) -> Option<&'a str> {
    let header = asked.header("authorization")?.strip_prefix("Digest ")?;
    let found = header
        .split(", ")
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    found.map(|value| value.trim_matches('"'))
}

#[tokio::test]
async fn digest_is_chosen_over_basic_and_its_count_goes_up() {
    let camera = FakeHttpCamera::start(|asked| {
        let nc = digest(asked, "nc").map(|nc| u32::from_str_radix(nc, 16).unwrap());
        match nc {
            // The nonce expires after three images.
            Some(nc) if nc <= 3 && digest(asked, "nonce") != Some("") => vec![picture(nc)],
            _ => vec![answer(
                "401 Unauthorized",
                &format!(
                    "WWW-Authenticate: Basic {REALM}\r\nWWW-Authenticate: Digest {REALM}, nonce=\"{}\", qop=\"auth,auth-int\", algorithm=SHA-256, stale=true\r\n",
                    asked.head.len()
                ),
                b"",
            )],
        }
    });
    let mut ingest = open(&format!("{}#fps=60", with_login(&camera, "a:b")));
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(next_number(&mut ingest).await);
    }
    assert_eq!(numbers, [1, 2, 3, 1, 2]);
    let asked = camera.requests();
    let second = &asked[1];
    assert_eq!(digest(second, "username"), Some("a"));
    assert_eq!(digest(second, "uri"), Some("/video"));
    assert_eq!(digest(second, "algorithm"), Some("SHA-256"));
    assert_eq!(digest(second, "qop"), Some("auth"));
    assert_eq!(camera.camera().connections(), 1);
}

#[tokio::test]
async fn refused_missing_and_unknown_logins_are_told_apart() {
    let basic = FakeHttpCamera::start(|_| refusal(&format!("Basic {REALM}")));
    let (_, error) = until_offline(&mut open(&with_login(&basic, "me:secret"))).await;
    assert!(
        error.starts_with("the camera refuses the user name or the password; next try in 5m"),
        "{error}"
    );
    assert_eq!(basic.requests().len(), 2);
    let (_, error) = until_offline(&mut open(&basic.url("/"))).await;
    assert!(error.contains("http://USER:PASSWORD@HOST/PATH"), "{error}");
    for challenge in ["Negotiate", "Digest nonce", "x=y, Digest realm=\"a\""] {
        let other = FakeHttpCamera::start(move |_| refusal(challenge));
        let (_, error) = until_offline(&mut open(&with_login(&other, "me:secret"))).await;
        assert!(
            error.contains("login in a way that is not understood"),
            "{error}"
        );
        assert_eq!(other.requests().len(), 1);
    }
}

#[tokio::test]
async fn headers_of_the_users_choice_are_sent_in_place_of_ours() {
    let camera = FakeHttpCamera::start(|_| stream());
    let url = camera.url("/#header=X-Key:%20a+b&header=User-Agent:%20me&header=X-Key:c");
    let mut ingest = open(&url);
    next_number(&mut ingest).await;
    let head = camera.requests().remove(0).head.to_ascii_lowercase();
    assert!(
        head.contains("x-key: a+b\r\n") && head.contains("x-key: c\r\n"),
        "{head}"
    );
    assert_eq!(head.matches("user-agent:").count(), 1);
    assert!(head.contains("user-agent: me\r\n"), "{head}");
    assert!(head.starts_with("get / http/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn secrets_are_in_no_label_no_debug_output_and_no_error() {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let camera = FakeHttpCamera::start(|_| match COUNT.fetch_add(1, Ordering::SeqCst) {
        0 => vec![picture(1)],
        // Even if a camera repeats a secret, it is not shown.
        n if n % 2 == 0 => refusal("Digest hunter2, hunter2=\"hunter2"),
        _ => vec![answer(
            "302 Found",
            "Location: ftp://me:hunter2@x/\r\n",
            b"",
        )],
    });
    let url = format!(
        "{}?pwd=hunter2&p=hunter2&fps=1#fps=50&header=X-Key:hunter2",
        with_login(&camera, "me:hunter2")
    );
    let http = HttpCamera::new(&url).unwrap();
    let source = Source::http(http.clone());
    let label = source.to_string();
    let shown = camera.url("/video?pwd=***&p=***&fps=1#fps=50&header=x-key:***");
    assert_eq!(label, shown.replacen("//", "//***@", 1));
    let mut ingest = ingest(source.clone());
    let mut told = format!("{http:?} {source:?} {label} {ingest:?}");
    for _ in 0..4 {
        told += &until_offline(&mut ingest).await.1;
    }
    assert!(!told.contains("hunter2") && !told.contains("me:"), "{told}");
    for bad in [
        "http://me:hunter2/x@cam/",
        "http://me:hunter2@cam:x/",
        "http://me:hunter2@/",
        "http://me:p@ss#hunter2@cam/",
        "http://me:hunter2@cam/#x=hunter2",
        "http://me:hunter2@cam/#header=hunter2",
        "http://me:hunter2@cam/#header=X:hunter2%0a",
        "http://me:%ffhunter2@cam/",
        "http://me:hunter2@cam/ x",
        "http://me:hunter2#x@cam/",
        "http://me:hunter2?x@cam/",
    ] {
        let error = bad.parse::<Source>().expect_err(bad).to_string();
        assert!(!error.contains("hunter2"), "{bad}: {error}");
    }
}

/// A camera that asks so for a login, and is content with anything that has this in its answer.
fn asking(challenges: &'static [&'static str], content: &'static str) -> FakeHttpCamera {
    FakeHttpCamera::start(move |asked| match asked.header("authorization") {
        Some(login) if login.contains(content) => stream(),
        Some(login) => panic!("{login}"),
        None => {
            let lines = challenges.iter();
            let lines: String = lines
                .map(|challenge| format!("WWW-Authenticate: {challenge}\r\n"))
                .collect();
            vec![answer("401 Unauthorized", &lines, b"")]
        }
    })
}

#[tokio::test]
async fn challenges_are_understood_as_cameras_write_them() {
    for (challenges, content) in [
        (
            &["Digest realm=\"r\", nonce=\"n\", algorithm=md5"][..],
            "algorithm=md5",
        ),
        (
            &["digest realm=\"r\",nonce=\"n\",algorithm=\"MD5\""],
            "nonce=\"n\"",
        ),
        (
            &["Digest realm=IP Camera, nonce=\"n\""],
            "realm=\"IP Camera\"",
        ),
        (
            &["Digest realm=\"K\u{fc}che\", nonce=\"n\""],
            "realm=\"K\u{fc}che\"",
        ),
        (&["Digest realm='r', nonce='n'"], "realm=\"r\""),
        (
            &["Digest realm=\"a\", realm=\"b\", nonce=\"n\""],
            "realm=\"b\"",
        ),
        (&["Digest realm=\"a\" nonce=\"n\" qop=\"auth\""], "qop=auth"),
        (&["Digest realm=\"r\", nonce=\"n\", qop=\"\""], "response="),
        (&["Digest nonce=\"n\""], "realm=\"\""),
        (&["Basic realm=\"a\"", "Basic realm=\"b\""], "Basic "),
        (
            &["Basic realm=\"a\", Digest realm=\"b\", nonce=\"n\""],
            "realm=\"b\"",
        ),
        (
            &[
                "Digest realm=\"a\", nonce=\"n\", algorithm=SHA-999",
                "Digest realm=\"b\", nonce=\"n\"",
            ],
            "realm=\"b\"",
        ),
        (&["Basic"], "Basic "),
        (&["Basic realm=no marks"], "Basic "),
        (&[""], "Basic "),
        (&[], "Basic "),
    ] {
        let camera = asking(challenges, content);
        let number = next_number(&mut open(&with_login(&camera, "me:secret"))).await;
        assert_eq!(number, 1, "{challenges:?}");
    }
}

#[tokio::test]
async fn password_is_not_given_away_after_a_digest_login() {
    // In one session, on a kept connection and on a new one, and in the next session.
    for closes in [false, true] {
        let camera = FakeHttpCamera::start(move |asked| {
            let is_first = asked.connection == 0;
            let mut steps = match asked.header("authorization") {
                Some(login) if login.starts_with("Basic") => panic!("{login}"),
                Some(login) if login.contains("nc=00000001") && is_first => vec![picture(1)],
                None if is_first => refusal("Digest realm=\"r\", nonce=\"n\", qop=\"auth\""),
                _ => refusal("Basic realm=\"r\""),
            };
            if closes && asked.header("authorization").is_some() {
                steps.push(Step::Close);
            }
            steps
        });
        let url = format!(
            "{}#fps=50&login_retry=10ms",
            with_login(&camera, "me:secret")
        );
        let mut ingest = open(&url);
        for n in 0..3 {
            let (frames, error) = until_offline(&mut ingest).await;
            assert_eq!(frames.len(), usize::from(n == 0));
            assert!(error.contains("asked for a Digest login before"), "{error}");
        }
    }
}

#[tokio::test]
async fn nonce_that_is_too_old_is_no_refusal() {
    let camera = FakeHttpCamera::start(|asked| match digest(asked, "nonce") {
        Some("c") => stream(),
        nonce => {
            let next = match nonce {
                None => "a",
                Some("a") => "c\", stale=\"true",
                other => panic!("{other:?}"),
            };
            refusal(&format!("Digest realm=\"r\", nonce=\"{next}\""))
        }
    });
    assert_eq!(
        next_number(&mut open(&with_login(&camera, "me:secret"))).await,
        1
    );
}
