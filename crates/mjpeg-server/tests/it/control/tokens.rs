//! JSON Web Tokens of an identity provider, signed by `openssl`.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mjpeg_testkit::{FakeHttpCamera, IssuerKey, Step, Viewer, request};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::{Controlled, GATEWAY, INCLUDE};
use crate::{
    cert::{Directory, make},
    folder::Folder,
    process::{Server, command, run},
};

const ISSUER: &str = "https://login.example.com/";
const OTHER_ISSUER: &str = "https://other.example/";

/// A provider whose answer can be changed.
struct Provider {
    camera: FakeHttpCamera,
    answer: Arc<Mutex<String>>,
}

impl Provider {
    fn start(keys: &[&IssuerKey]) -> Self {
        let answer = Arc::new(Mutex::new(String::new()));
        let said = Arc::clone(&answer);
        let camera = FakeHttpCamera::start(move |_| {
            let answer = said.lock().unwrap().clone();
            vec![Step::Send(answer.into()), Step::Close]
        });
        let provider = Self { camera, answer };
        provider.publish(keys);
        provider
    }

    fn publish(&self, keys: &[&IssuerKey]) {
        self.answer("200 OK", &IssuerKey::set(keys.iter().copied()));
    }

    fn answer(&self, status: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nLocation: /other\r\n\r\n{body}"
        );
    }

    fn url(&self) -> String {
        self.camera.url("/jwks?a=b")
    }
}

/// Two streams that nobody sees without a token, whose keys are there.
fn closed(place: &str) -> String {
    format!(
        "[auth]\nanonymous = []\n[auth.jwt]\nissuer = \"{ISSUER}\"\naudience = \"cameras\"\n\
         {place}\nleeway = \"0s\"\n\
         [[streams]]\nname = \"door\"\nsource = \"test:?size=16x16\"\n\
         [[streams]]\nname = \"yard\"\nsource = \"test:?size=16x16\"\n"
    )
}

fn in_seconds(seconds: f64) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs_f64() + seconds
}

/// A token that is valid for so many seconds, with these claims about rights.
fn token(key: &IssuerKey, seconds: f64, may: &[&str], streams: &[&str]) -> String {
    token_of(ISSUER, key, seconds, may, streams)
}

fn token_of(issuer: &str, key: &IssuerKey, seconds: f64, may: &[&str], streams: &[&str]) -> String {
    let claims = json!({
        "iss": issuer, "aud": ["others", "cameras"], "sub": "ann@example.com",
        "exp": in_seconds(seconds), "may": may, "streams": streams,
    });
    key.sign(&claims.to_string())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

async fn picture(addr: SocketAddr, stream: &str, token: &str) -> u16 {
    let asked = format!(
        "GET /{stream}/snapshot HTTP/1.1\r\nHost: localhost\r\n{}Connection: close\r\n\r\n",
        bearer(token)
    );
    request(addr, asked).await.expect("an answer").head.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_opens_what_it_says_until_it_expires() {
    let key = IssuerKey::new("ES256", "one");
    let provider = Provider::start(&[&key]);
    let place = format!("jwks = \"{}\"", provider.url());
    let mut relay = Controlled::start(&closed(&place));
    relay.server.stderr_until("keys were read");
    let addr = relay.addr();
    let view = token(&key, 600.0, &["view"], &["door"]);
    assert_eq!(picture(addr, "door", &view).await, 200);
    assert_eq!(picture(addr, "yard", &view).await, 404);
    assert_eq!(picture(addr, "attic", &view).await, 404);
    assert_eq!(picture(addr, "door", &format!("{view}x")).await, 401);
    // Where tokens may give control, being on this machine is not enough.
    let add = json!({ "name": "new", "source": "test:", "start": "retry" }).to_string();
    let control = token(&key, 600.0, &["view", "control"], &["*"]);
    let of_one = token(&key, 600.0, &["view", "control"], &["door"]);
    for (login, status) in [
        (String::new(), 401),
        (bearer(&view), 403),
        (bearer(&of_one), 403),
        (bearer(&control), 201),
    ] {
        let added = relay.ask_with("POST", "/streams", &login, &add).await;
        assert_eq!(added.status, status, "{added:?}");
    }
    // The change and the viewer are those of the bearer.
    let said = relay.server.stderr_until("outcome=ok");
    let line = said.last().unwrap();
    assert!(line.contains("user=jwt:ann@example.com"), "{line}");

    let short = token(&key, 3.0, &["view"], &["door"]);
    let header = format!("Bearer {short}");
    let login = [("Authorization", &*header)];
    let mut viewer = Viewer::open_with(addr, "/door/", &login).await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");
    let login = bearer(&control);
    let listed = relay.ask_with("GET", "/streams/door/viewers", &login, "");
    let listed = listed.await.json.to_string();
    assert!(listed.contains("jwt:ann@example.com"), "{listed}");
    let began = Instant::now();
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(10), ending)
        .await
        .expect("the response ends with the token");
    assert!(began.elapsed() > Duration::from_secs(1), "not at once");
    assert_eq!(picture(addr, "door", &short).await, 401);
    let asked = provider.camera.requests();
    assert_eq!(asked.len(), 1, "once: {asked:?}");
    assert_eq!(asked[0].path(), "/jwks?a=b");
}

/// Waits as long as the relay does before it asks again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_keys_are_found_by_their_tokens_and_old_ones_outlast_an_outage() {
    let [old, new] = ["old", "new"].map(|id| IssuerKey::new("EdDSA", id));
    let provider = Provider::start(&[&old]);
    let place = format!("jwks = \"{}\"", provider.url());
    let mut relay = Controlled::start(&closed(&place));
    relay.server.stderr_until("keys were read");
    let since = Instant::now();
    let addr = relay.addr();
    let [by_old, by_new] = [&old, &new].map(|key| token(key, 600.0, &["view"], &["*"]));
    let header = format!("Bearer {by_old}");
    let login = [("Authorization", &*header)];
    let mut viewer = Viewer::open_with(addr, "/door/", &login).await.unwrap();
    viewer.next_frame().await.unwrap().expect("a frame");
    // Whoever names keys that do not exist makes the relay ask no more often.
    provider.answer("500 Broken", "");
    for _ in 0..50 {
        assert_eq!(picture(addr, "door", &by_new).await, 401);
    }
    relay.server.stderr_until("keys cannot be read");
    assert!(
        since.elapsed() > Duration::from_secs(28),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(
        picture(addr, "door", &by_old).await,
        200,
        "the outage takes no keys"
    );
    viewer.next_frame().await.unwrap().expect("a frame");
    assert_eq!(provider.camera.requests().len(), 2);

    provider.publish(&[&new]);
    let said = relay.server.stderr_until("keys were read");
    assert!(
        said.iter().any(|line| line.contains("keys are read again")),
        "{said:?}"
    );
    assert!(
        since.elapsed() > Duration::from_secs(56),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(picture(addr, "door", &by_new).await, 200);
    assert_eq!(picture(addr, "door", &by_old).await, 401);
    // So does whoever watches by a key that is gone.
    let ending = async { while let Ok(Some(_)) = viewer.next_frame().await {} };
    timeout(Duration::from_secs(5), ending)
        .await
        .expect("the response ends");
    assert_eq!(provider.camera.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_no_keys_are_told_and_open_nothing() {
    let key = IssuerKey::new("ES256", "one");
    let token = token(&key, 600.0, &["view"], &["*"]);
    let long = format!("{{\"keys\":[{}]}}{}", key.jwk(), " ".repeat(64 << 10));
    for (status, body, why) in [
        ("302 Found", IssuerKey::set([&key]), "302 Found"),
        ("200 OK", long, "more than 65536 bytes"),
        ("200 OK", "<html>".into(), "no JSON Web Key Set"),
        (
            "200 OK",
            r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.into(),
            "none of its keys",
        ),
    ] {
        let provider = Provider::start(&[]);
        provider.answer(status, &body);
        let place = format!("jwks = \"{}\"", provider.url());
        let mut relay = Controlled::start(&closed(&place));
        let said = relay.server.stderr_until("keys cannot be read");
        let line = said.last().unwrap();
        assert!(line.contains(why) && !line.contains("a=b"), "{line}");
        assert_eq!(picture(relay.addr(), "door", &token).await, 401, "{why}");
        assert_eq!(
            provider.camera.requests().len(),
            1,
            "no redirect is followed"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_read_from_a_file_and_those_of_another_provider_are_forgotten() {
    let [key, other] = ["one", "two"].map(|id| IssuerKey::new("RS256", id));
    let folder = Folder::new();
    let place = |name: &str, key: &IssuerKey| {
        let file = folder.write(name, IssuerKey::set([key]));
        format!("jwks_file = {file:?}")
    };
    let text = |place: &str| [INCLUDE, GATEWAY, &closed(place)].concat();
    let first = place("one.json", &key);
    let mut relay = Controlled::of(&text(&first));
    relay.server.stderr_until("keys were read");
    let token = token(&key, 600.0, &["view"], &["*"]);
    assert_eq!(picture(relay.addr(), "door", &token).await, 200);
    // Another place of the same provider: no moment without keys.
    let moved = place("moved.json", &key);
    relay.reload(&text(&moved));
    assert_eq!(picture(relay.addr(), "door", &token).await, 200);
    // Who signs for one provider does not for another, although that one's keys are not there yet.
    let of_other = |place: &str| text(place).replace(ISSUER, OTHER_ISSUER);
    relay.reload(&of_other("jwks_file = \"/nowhere/jwks.json\""));
    let [forged, right] =
        [&key, &other].map(|key| token_of(OTHER_ISSUER, key, 600.0, &["view"], &["*"]));
    for token in [&token, &forged, &right] {
        assert_eq!(picture(relay.addr(), "door", token).await, 401);
    }
    relay.reload(&of_other(&place("two.json", &other)));
    // The log was read up to the end of the reload; the keys come then.
    let reading = async |relay: &Controlled, token: &str| {
        while picture(relay.addr(), "door", token).await != 200 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let limit = Duration::from_secs(10);
    timeout(limit, reading(&relay, &right))
        .await
        .expect("the keys are read");
    assert_eq!(picture(relay.addr(), "door", &forged).await, 401);
    let none = text(&first);
    let none = none.replace(
        &none[none.find("[auth.jwt]").unwrap()..none.find("[[streams]]").unwrap()],
        "",
    );
    relay.reload(&none);
    assert_eq!(picture(relay.addr(), "door", &token).await, 401);
    relay.reload(&text(&first));
    timeout(limit, reading(&relay, &token))
        .await
        .expect("the keys are read");
}

/// `openssl s_server`, which serves the files of its folder. Ended when dropped.
struct TlsProvider {
    child: Child,
    port: u16,
}

impl TlsProvider {
    fn start(certificates: &Directory, files: &Folder) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-WWW", "-accept", "127.0.0.1:0", "-cert"])
            .arg(certificates.join("cert.pem"))
            .arg("-key")
            .arg(certificates.join("key.pem"))
            .current_dir(files.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl runs (cargo xtask ci --install installs it)");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = stdout.lines().map_while(Result::ok);
        let accepts = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned));
        let (_, port) = accepts
            .as_deref()
            .and_then(|at| at.rsplit_once(':'))
            .expect("a port");
        let port = port.parse().expect("a number");
        // It ends if nobody reads what it prints.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }
}

impl Drop for TlsProvider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_come_over_https_from_whom_this_machine_trusts() {
    let key = IssuerKey::new("ES256", "one");
    let files = Folder::new();
    files.write("jwks.json", IssuerKey::set([&key]));
    let certificates = Directory::new("jwks");
    make(&certificates, &["--name", "localhost"]);
    let provider = TlsProvider::start(&certificates, &files);
    let place = format!("jwks = \"https://localhost:{}/jwks.json\"", provider.port);
    let token = token(&key, 600.0, &["view"], &["*"]);
    for is_trusted in [true, false] {
        let folder = Folder::new();
        let file = folder.write("mjpeg.toml", [GATEWAY, &closed(&place)].concat());
        let mut command = command(&["run", "-c", &file]);
        command.env("STATE_DIRECTORY", folder.path().join("state"));
        if is_trusted {
            command.env("SSL_CERT_FILE", certificates.join("cert.pem"));
        }
        let mut server = Server::of(command, 1);
        let (said, status) = match is_trusted {
            true => ("keys were read", 200),
            false => ("keys cannot be read", 401),
        };
        server.stderr_until(said);
        assert_eq!(picture(server.addr(0), "door", &token).await, status);
    }
}

#[test]
fn settings_of_tokens_that_would_let_others_in_are_refused() {
    let folder = Folder::new();
    let checked = |jwt: &str| {
        let text = format!(
            "[[listen]]\naddress = \"0.0.0.0:0\"\nserve = [\"control\"]\n[auth.jwt]\n{jwt}"
        );
        let file = folder.write("mjpeg.toml", text);
        let (code, out, err) = run(&["check", &file]);
        (code, out + &err)
    };
    let both = "issuer = \"i\"\naudience = \"a\"\n";
    for (jwt, says) in [
        (format!("{both}jwks = \"https://i/\"\n"), None),
        (format!("{both}jwks = \"http://127.0.0.1:1/\"\n"), None),
        (format!("{both}jwks_file = \"/jwks.json\"\n"), None),
        (both.into(), Some("exactly one of `jwks` and `jwks_file`")),
        (
            format!("{both}jwks = \"https://i/\"\njwks_file = \"/x\"\n"),
            Some("exactly one of `jwks` and `jwks_file`"),
        ),
        (
            format!("{both}jwks = \"http://i/\"\n"),
            Some("whoever is on the way"),
        ),
        (
            format!("{both}jwks = \"ftp://i/\"\n"),
            Some("must begin with http"),
        ),
        (
            format!("{both}jwks = \"https://me:hunter2@i/\"\n"),
            Some("has a login"),
        ),
        (
            "issuer = \"i\"\njwks = \"https://i/\"\n".into(),
            Some("audience"),
        ),
        (
            "audience = \"a\"\njwks = \"https://i/\"\n".into(),
            Some("issuer"),
        ),
        (
            "issuer = \"\"\naudience = \"a\"\njwks = \"https://i/\"\n".into(),
            Some("issuer must have"),
        ),
        (
            format!("{both}jwks = \"https://i/\"\nleeway = \"6m\"\n"),
            Some("leeway must be"),
        ),
        (
            format!("{both}jwks = \"https://i/\"\nright_claim = \"x\"\n"),
            Some("did you mean `rights_claim`?"),
        ),
    ] {
        let (code, said) = checked(&jwt);
        assert_eq!(code, Some(i32::from(says.is_some())), "{jwt}: {said}");
        assert!(said.contains(says.unwrap_or_default()), "{jwt}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
