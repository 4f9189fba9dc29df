//! fail2ban, as Debian has it, finds who fails to log in by the filters of `docs/security.md`.
//! Without it, these tests are skipped.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Output},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use mjpeg_testkit::request;

use crate::{folder::Folder, process::Server, sources::free_addr};

/// Whether the program is there. Says so if it is not.
fn is_installed() -> bool {
    let version = Command::new("fail2ban-regex").arg("-V").output();
    if version.is_err() {
        println!("SKIPPED: no fail2ban; `cargo xtask ci --install` installs it");
    }
    version.is_ok()
}

/// The filters of the page, which say where they belong, as files: of text and of JSON.
fn filters(folder: &Folder) -> [String; 2] {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
    let page = fs::read_to_string(page).unwrap();
    ["mjpeg-server", "mjpeg-server-json"].map(|name| {
        let head = format!("```ini\n# /etc/fail2ban/filter.d/{name}.conf\n");
        let (_, filter) = page.split_once(&head).expect("the filter");
        let (filter, _) = filter.split_once("```").expect("its end");
        folder.write(&format!("filter.d/{name}.conf"), filter)
    })
}

/// The addresses that a filter finds, one for each line.
fn found(more: &[&str], log: &str, filter: &str) -> Vec<String> {
    let args = ["--usedns", "no", "--out", "ip", log, filter];
    let mut regex = Command::new("fail2ban-regex");
    let Output { stdout, stderr, .. } = regex.args(more).args(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(stderr, "");
    let found = String::from_utf8(stdout).unwrap();
    found.lines().map(Into::into).collect()
}

async fn fail(addr: SocketAddr, user: &str, headers: &str) {
    let login = BASE64_STANDARD.encode(format!("{user}:guess"));
    let asked = format!(
        "GET /door/snapshot?key=a%0aWARN%20mjpeg_auth::passwords:%20login%20failed%20peer=1.2.3.4 \
         HTTP/1.1\r\nHost: localhost\r\nUser-Agent: login failed peer=1.2.3.4 user=\"\r\n\
         Authorization: Basic {login}\r\n{headers}Connection: close\r\n\r\n"
    );
    let refused = request(addr, asked).await.expect("an answer");
    assert_eq!(refused.head.status, 401, "{user}: {:?}", refused.body);
}

#[tokio::test]
async fn fail2ban_finds_the_addresses_of_failed_logins_and_no_others() {
    if !is_installed() {
        return;
    }
    for format in ["text", "json"] {
        let folder = Folder::new();
        let [text, json] = filters(&folder);
        let filter = if format == "text" { text } else { json };
        let log = log(&folder, format).await;
        let file = folder.write("relay.log", log.join("\n") + "\n");
        assert_eq!(found(&[], &file, &filter), FAILED, "{log:#?}");
        // As systemd's journal hands it on: the time is beside the line.
        let line = |line: &String| format!("host mjpeg-server[42]: {line}\n");
        let file = folder.write("journal.log", log.iter().map(line).collect::<String>());
        let none = ["--datepattern", "{NONE}"];
        assert_eq!(found(&none, &file, &filter), FAILED, "{log:#?}");
    }
}

/// Sends a picture with a token that is wrong, or with none.
async fn push(addr: SocketAddr, path: &str, headers: &str) {
    let asked = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\
         User-Agent: wrong token peer=1.2.3.4 path=\"\r\n{headers}Connection: close\r\n\r\n"
    );
    let refused = request(addr, asked).await.expect("an answer");
    assert_eq!(refused.head.status, 401, "{path}: {:?}", refused.body);
}

/// What a relay logs in this format where logins fail.
async fn log(folder: &Folder, format: &str) -> Vec<String> {
    let hash = mjpeg_auth::hash_password("right");
    let pushed = free_addr();
    let text = format!(
        "log = \"debug\"\nlog_format = \"{format}\"\n\
         [[users]]\nname = \"alice\"\npassword_hash = \"{hash}\"\n\
         [auth]\nanonymous = []\n\
         [[listen]]\naddress = \"127.0.0.1:0\"\n\
         [[listen]]\naddress = \"[::1]:0\"\n\
         [[listen]]\naddress = \"127.0.0.1:0\"\ntrusted_proxies = [\"127.0.0.1\"]\n\
         [[streams]]\nname = \"door\"\nsource = \"test:\"\n\
         [[streams]]\nname = \"phone\"\n\
         source = \"http-listen://{pushed}/a%20peer%3D1.2.3.4%20path%3D%22#token=right\"\n"
    );
    let file = folder.write("mjpeg.toml", text);
    let mut server = Server::start(&["run", "-c", &file], 4);
    let [four, six, behind] = [0, 1, 2].map(|at| server.addr(at));
    fail(four, "alice", "X-Forwarded-For: 1.2.3.4\r\n").await;
    fail(six, "bob", "X-Forwarded-For: 1.2.3.4\r\n").await;
    // What the proxy has added stands at the right.
    fail(behind, "carol", "X-Forwarded-For: 1.2.3.4, 192.0.2.1\r\n").await;
    fail(behind, "dave", "X-Forwarded-For: 2001:db8::2\r\n").await;
    for (at, name) in HOSTILE.iter().enumerate() {
        let from = format!("X-Forwarded-For: 192.0.2.{}\r\n", 3 + at);
        fail(behind, name, &from).await;
    }
    let path = "/a%20peer%3D1.2.3.4%20path%3D%22";
    let token = format!("{path}?token=wrong%0aWARN%20mjpeg_ingest::push:%20peer=1.2.3.4");
    let bearer = "Authorization: Bearer wrong token peer=1.2.3.4 path=\"\r\n";
    push(pushed, path, bearer).await;
    push(pushed, &token, "X-Forwarded-For: 1.2.3.4\r\n").await;
    // Many clients ask without a token first.
    push(pushed, path, "").await;
    server.end_by("TERM");
    let log = server.stderr();
    assert!(log.contains("1.2.3.4"), "{log}");
    log.lines().map(Into::into).collect()
}

/// Names that look like a line of the log, or an end of one.
const HOSTILE: [&str; 5] = [
    "x\" peer=1.2.3.4 user=\"y",
    "x\n2026-11-29T08:00:00.000000Z  WARN mjpeg_auth::passwords: login failed peer=1.2.3.4 user=\"",
    "\u{1b}[2K\r WARN mjpeg_auth::passwords: login failed peer=1.2.3.4 user=\"x\"",
    "x\",\"peer\":\"1.2.3.4\",\"user\":\"",
    "x\"}\n{\"time\":\"2026-11-29T08:00:00.000000Z\",\"level\":\"WARN\",\
     \"target\":\"mjpeg_auth::passwords\",\"message\":\"login failed\",\"peer\":\"1.2.3.4\",\
     \"user\":\"",
];

/// Where the logins come from.
const FAILED: [&str; 11] = [
    "127.0.0.1",
    "::1",
    "192.0.2.1",
    "2001:db8::2",
    "192.0.2.3",
    "192.0.2.4",
    "192.0.2.5",
    "192.0.2.6",
    "192.0.2.7",
    // Of the wrong tokens.
    "127.0.0.1",
    "127.0.0.1",
];
