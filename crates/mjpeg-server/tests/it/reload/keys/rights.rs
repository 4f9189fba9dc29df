//! A change of each key of `[auth]`, `[[users]]` and `[control]`, with a viewer who keeps the
//! right.

use std::{collections::BTreeSet, sync::OnceLock, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine};
use mjpeg_testkit::{IssuerKey, Viewer, request};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    folder::Folder,
    process::run,
    receiver::{Reaction, Receiver},
    reload::{Reloadable, Watcher, camera, has, soon, stream},
};

/// A change of a key, and what somebody is answered before and after it.
struct RightsRow {
    section: &'static str,
    key: &'static str,
    /// What the reference says.
    reload: &'static str,
    /// A line of the file, and what it becomes.
    change: [&'static str; 2],
    asked: Asked,
    statuses: [u16; 2],
}

#[derive(Clone, Copy)]
enum Asked {
    /// A picture of the stream `other`, with these headers.
    Picture(&'static str),
    /// That the API adds a stream for this run, with these keys.
    Add(&'static str),
}

const fn row(
    [section, key]: [&'static str; 2],
    reload: &'static str,
    change: [&'static str; 2],
    asked: Asked,
    statuses: [u16; 2],
) -> RightsRow {
    RightsRow {
        section,
        key,
        reload,
        change,
        asked,
        statuses,
    }
}

const RIGHTS: &str = "within 1 s, viewers without the right end";
const KEEP: &str = "viewers keep their response";
const PASSWORD: Asked = Asked::Picture("Authorization: Basic {alice:right}\r\n");
const TOKEN: Asked = Asked::Picture("Authorization: Bearer of-bob\r\n");

const ROWS: &[RightsRow] = &[
    row(
        ["auth", "anonymous"],
        RIGHTS,
        ["anonymous = [\"metrics\"]", "anonymous = [\"view\"]"],
        Asked::Picture(""),
        [401, 200],
    ),
    row(
        ["auth", "remote_user"],
        RIGHTS,
        ["remote_user = false", "remote_user = true"],
        Asked::Picture("Remote-User: alice\r\n"),
        [401, 200],
    ),
    row(
        ["auth", "hook"],
        RIGHTS,
        ["hook = \"{hook}/denies\"", "hook = \"{hook}/allows\""],
        Asked::Picture(""),
        [401, 200],
    ),
    row(
        ["auth", "hook_timeout"],
        RIGHTS,
        ["hook_timeout = \"4s\"", "hook_timeout = \"100ms\""],
        Asked::Picture("Authorization: Bearer late\r\n"),
        [200, 401],
    ),
    row(
        ["auth", "jwt"],
        RIGHTS,
        ["audience = \"others\"", "audience = \"cameras\""],
        Asked::Picture("Authorization: Bearer {jwt}\r\n"),
        [401, 200],
    ),
    row(
        ["users", "name"],
        RIGHTS,
        ["name = \"alice\"", "name = \"carol\""],
        PASSWORD,
        [200, 401],
    ),
    row(
        ["users", "password_hash"],
        RIGHTS,
        ["password_hash = \"{right}\"", "password_hash = \"{other}\""],
        PASSWORD,
        [200, 401],
    ),
    row(
        ["users", "token_hash"],
        RIGHTS,
        ["token_hash = \"{of-bob}\"", "token_hash = \"{of-nobody}\""],
        TOKEN,
        [200, 401],
    ),
    // What it opens: `control::certificates`. Here, that it takes nothing away.
    row(
        ["users", "certificate"],
        RIGHTS,
        [
            "certificate = \"{no-certificate}\"",
            "certificate = \"{certificate}\"",
        ],
        TOKEN,
        [200, 200],
    ),
    row(
        ["users", "may"],
        RIGHTS,
        ["may = [\"view\"]", "may = [\"metrics\"]"],
        TOKEN,
        [200, 404],
    ),
    row(
        ["users", "streams"],
        RIGHTS,
        ["streams = [\"*\"]", "streams = [\"watched\"]"],
        TOKEN,
        [200, 404],
    ),
    row(
        ["control", "sources"],
        KEEP,
        ["sources = [\"tcp\"]", "sources = [\"test\"]"],
        Asked::Add(r#""source": "test:?size=16x16""#),
        [422, 201],
    ),
    row(
        ["control", "allow"],
        KEEP,
        ["allow = []", "allow = [\"127.0.0.0/8\"]"],
        Asked::Add(r#""source": "tcp://127.0.0.1:9""#),
        [422, 201],
    ),
    row(
        ["control", "max_streams"],
        KEEP,
        ["max_streams = 100", "max_streams = 0"],
        Asked::Add(r#""source": "tcp://192.0.2.1:9""#),
        [201, 503],
    ),
    row(
        ["control", "listen"],
        KEEP,
        ["listen = false", "listen = true"],
        Asked::Add(r#""source": "tcp://192.0.2.1:9", "listen": "127.0.0.1:0""#),
        [422, 201],
    ),
];

#[test]
fn each_key_of_rights_has_a_row() {
    let (_, schema, _) = run(&["config", "--schema"]);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let properties = &schema["properties"];
    let mut declared = BTreeSet::new();
    for (section, of) in [
        ("auth", &properties["auth"]["properties"]),
        ("users", &properties["users"]["items"]["properties"]),
        ("control", &properties["control"]["properties"]),
    ] {
        for (key, schema) in of.as_object().unwrap() {
            let reload = schema["x-reload"].as_str().unwrap_or_default();
            declared.insert((section, key.clone(), reload.to_owned()));
        }
    }
    let rows = ROWS.iter();
    let rows: BTreeSet<_> = rows
        .map(|row| (row.section, row.key.to_owned(), row.reload.to_owned()))
        .collect();
    assert_eq!(rows, declared);
    assert_eq!(rows.len(), ROWS.len(), "once each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_of_rights_takes_effect_and_the_others_go_on_watching() {
    let camera = camera(0, Duration::from_millis(20)).await;
    let hook = Receiver::start(|_, request| match request.json()["token"].as_str() {
        Some("late") => Reaction::Late(Duration::from_secs(1), 200),
        _ if request.head.contains("/allows") => Reaction::Status(200),
        _ => Reaction::Status(403),
    })
    .await;
    HOOK.set(format!("http://{}", hook.addr)).unwrap();
    let base = [
        FILE,
        &stream("watched", &camera.url(), ""),
        &stream("other", "test:?size=16x16", ""),
    ]
    .concat();
    let base = filled(&base);
    let mut relay = Reloadable::start(&base, 2);
    let login = [("Authorization", "Bearer of-root")];
    let viewer = Viewer::open_with(relay.addr(0), "/watched/?dual_final_frames=0", &login);
    let mut watcher = Watcher::of(soon(viewer).await.unwrap());
    watcher.follow(3).await;
    for row in ROWS {
        let [before, after] = row.change.map(filled);
        assert_eq!(base.matches(&before).count(), 1, "{before}");
        for (at, text) in [base.clone(), base.replace(&before, &after)]
            .iter()
            .enumerate()
        {
            if at == 1 {
                let log = relay.reload(text);
                let is_told = has(&log, row.key) || has(&log, "user");
                assert!(is_told && has(&log, "configuration reloaded: "), "{log:#?}");
            }
            let status = status(&relay, row, at).await;
            assert_eq!(status, row.statuses[at], "{} {}", row.section, row.key);
        }
        watcher.follow(3).await;
        let log = relay.reload(&base);
        assert!(has(&log, "configuration reloaded: "), "{log:#?}");
    }
    watcher.follow(3).await;
}

async fn status(relay: &Reloadable, row: &RightsRow, at: usize) -> u16 {
    let (line, headers, body) = match row.asked {
        Asked::Picture(login) => ("GET /other/snapshot", filled(login), String::new()),
        Asked::Add(keys) => {
            let login = "Authorization: Bearer of-root\r\n".to_owned();
            let name = format!("{}-{at}", row.key);
            let body = format!(r#"{{"name": "{name}", "start": "retry", {keys}}}"#);
            ("POST /api/v1/streams?persist=false", login, body)
        }
    };
    let asked = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{headers}Connection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = soon(request(relay.addr(0), asked)).await;
    answer.expect("an answer").head.status
}

/// Where the hook is.
static HOOK: OnceLock<String> = OnceLock::new();

/// Fills in hashes and logins. A password has one hash for the whole test.
fn filled(text: &str) -> String {
    use std::sync::LazyLock;

    static HASHES: LazyLock<[String; 2]> =
        LazyLock::new(|| ["right", "other"].map(mjpeg_auth::hash_password));
    let token = |token: &str| {
        let digest = Sha256::digest(token.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digest}")
    };
    static TOKENS: LazyLock<Tokens> = LazyLock::new(Tokens::make);
    let hook = HOOK.get().expect("it is known");
    let mut text = text
        .replace("{hook}", hook)
        .replace("{jwks}", &TOKENS.file)
        .replace("{jwt}", &TOKENS.token)
        .replace("{no-certificate}", &"0".repeat(64))
        .replace("{certificate}", &"1".repeat(64))
        .replace("{right}", &HASHES[0])
        .replace("{other}", &HASHES[1])
        .replace("{alice:right}", &BASE64_STANDARD.encode("alice:right"));
    for name in ["of-bob", "of-nobody", "of-root"] {
        text = text.replace(&format!("{{{name}}}"), &token(name));
    }
    text
}

/// A token for the audience `cameras`, and the file with the key that signed it.
struct Tokens {
    file: String,
    token: String,
    _folder: Folder,
}

impl Tokens {
    fn make() -> Self {
        let key = IssuerKey::new("EdDSA", "one");
        let folder = Folder::new();
        Self {
            file: folder.write("jwks.json", IssuerKey::set([&key])),
            token: key.sign(
                r#"{"iss":"https://login.example.com/","aud":"cameras","sub":"ann",
                    "exp":9999999999,"may":["view"]}"#,
            ),
            _folder: folder,
        }
    }
}

const FILE: &str = r#"
[[listen]]
address = "127.0.0.1:0"
serve = ["streams", "page", "control"]
trusted_proxies = ["127.0.0.1"]
[auth]
anonymous = ["metrics"]
remote_user = false
hook = "{hook}/denies"
hook_timeout = "4s"
[auth.jwt]
issuer = "https://login.example.com/"
audience = "others"
jwks_file = "{jwks}"
[control]
sources = ["tcp"]
allow = []
max_streams = 100
listen = false
[[users]]
name = "alice"
password_hash = "{right}"
[[users]]
name = "bob"
token_hash = "{of-bob}"
certificate = "{no-certificate}"
may = ["view"]
streams = ["*"]
[[users]]
name = "root"
token_hash = "{of-root}"
may = ["view", "control"]
"#;
