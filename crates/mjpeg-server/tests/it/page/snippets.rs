//! The settings for other programs that the page shows: each of them works, and the docs show the
//! same.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fantoccini::{Locator, key::Key};
use mjpeg_testkit::Viewer;
use serde::Deserialize;
use serde_json::Value;

use super::{
    GATEWAY, Relay,
    browsing::{browser, click, no_violations, until, value},
    dialogs::open_here,
};
use crate::{
    browser::{Driver, serve_page},
    folder::Folder,
};

/// An entry of the one file from which the page and the docs are made.
#[derive(Deserialize)]
struct Snippet {
    title: String,
    r#where: String,
    kind: String,
    lines: Vec<String>,
}

impl Snippet {
    fn all() -> Vec<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../mjpeg-control/src/page/assets/snippets.json");
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    }

    /// Its text for the stream garage of a relay.
    fn text(&self, relay: &str) -> String {
        let text = self.lines.join("\n");
        text.replace("{stream_url}", &format!("{relay}garage/stream"))
            .replace("{snapshot_url}", &format!("{relay}garage/snapshot"))
            .replace("{name}", "garage")
    }
}

fn relay() -> Relay {
    let garage = "[[streams]]\nname = \"garage\"\nsource = \"test:?fps=30\"\n";
    Relay::start(&[GATEWAY, garage].concat(), 1)
}

/// What a program of Python prints, which reads this.
fn python(program: &str, input: &Path) -> Value {
    let output = Command::new("python3")
        .args(["-c", program])
        .arg(input)
        .output();
    let output = output.expect("python3 runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

const YAML: &str = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
const INI: &str = "import configparser, json, sys; it = configparser.ConfigParser(); \
                   it.read(sys.argv[1]); print(json.dumps({s: dict(it[s]) for s in it.sections()}))";

/// Whether a value of a setting leads to pictures; `None` if it is no address.
async fn shows_pictures(relay: &Relay, value: &str) -> Option<bool> {
    let path = value.strip_prefix(relay.url())?;
    if path.ends_with("snapshot") {
        let picture = relay.ask("GET", &format!("/{path}"), "", "").await;
        return Some(picture.head.header("content-type") == Some("image/jpeg"));
    }
    let mut viewer = Viewer::open(relay.addr(), &format!("/{path}")).await.ok()?;
    for _ in 0..3 {
        viewer.next_frame().await.ok()??;
    }
    Some(true)
}

/// All texts within a value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

#[tokio::test]
async fn settings_are_understood_by_their_parsers_and_lead_to_pictures() {
    let relay = relay();
    let folder = Folder::new();
    for snippet in Snippet::all() {
        let text = snippet.text(relay.url());
        let file = PathBuf::from(folder.write("settings", &text));
        let settings = match &*snippet.kind {
            "yaml" => python(YAML, &file),
            "ini" => python(INI, &file),
            "fields" => {
                let fields = text
                    .lines()
                    .map(|line| line.split_once(": ").expect("a label"));
                fields
                    .map(|(label, value)| (label.to_owned(), Value::from(value)))
                    .collect()
            }
            _ => continue,
        };
        let mut values = Vec::new();
        texts(&settings, &mut values);
        let mut addresses = 0;
        for value in &values {
            if let Some(shows) = shows_pictures(&relay, value).await {
                assert!(shows, "{}: {value}", snippet.title);
                addresses += 1;
            }
        }
        let expected = if snippet.title == "Frigate" { 1 } else { 2 };
        assert_eq!(addresses, expected, "{}: {settings}", snippet.title);
        match &*snippet.title {
            "OctoPrint" => assert!(settings["plugins"]["classicwebcam"]["stream"].is_string()),
            "Frigate" => assert!(settings["cameras"]["garage"]["ffmpeg"]["inputs"][0].is_object()),
            "Moonraker" => assert_eq!(settings["webcam garage"]["service"], "mjpegstreamer"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn commands_do_what_is_said_of_them() {
    let relay = relay();
    let mut run = Vec::new();
    for snippet in Snippet::all() {
        let text = snippet.text(relay.url());
        let ran = match (&*snippet.title, &*snippet.kind) {
            ("ffmpeg", "sh") => records(&text),
            ("VLC", "sh") => plays(&text),
            ("OpenCV", "python") => reads(&text),
            ("One picture", "sh") => takes_a_picture(&text),
            (_, "html") => shows_in_a_page(&text).await,
            (_, "sh" | "python") => panic!("nothing runs {}", snippet.title),
            _ => continue,
        };
        match ran {
            true => run.push(snippet.title),
            false => eprintln!("not installed here: {}", snippet.title),
        }
    }
    for always in ["ffmpeg", "One picture", "A web page"] {
        assert!(run.iter().any(|title| title == always), "{run:?}");
    }
}

/// Runs a command line in a folder.
fn shell(line: &str, folder: &Folder) {
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .status();
    assert!(status.expect("sh runs").success(), "{line}");
}

fn records(line: &str) -> bool {
    let folder = Folder::new();
    assert!(line.contains("-t 60 "), "{line}");
    let line = line
        .replace("-t 60 ", "-t 2 ")
        .replace("ffmpeg ", "ffmpeg -v error ");
    shell(&line, &folder);
    let counted = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-show_entries"])
        .args(["stream=codec_name,nb_read_packets", "-of", "csv=p=0"])
        .arg(folder.path().join("garage.mkv"))
        .output();
    let counted = String::from_utf8(counted.expect("ffprobe runs").stdout).unwrap();
    let (codec, frames) = counted.trim().split_once(',').expect("two values");
    let frames: u32 = frames.parse().unwrap();
    assert!(codec == "mjpeg" && frames > 4, "{counted}");
    true
}

/// Nobody sees what VLC shows here, so it saves what it reads.
fn plays(line: &str) -> bool {
    if !has("vlc") {
        return false;
    }
    let folder = Folder::new();
    make_writable(folder.path());
    let unseen = "vlc --intf=dummy --sout='#std{access=file,mux=mpjpeg,dst=saved}' ";
    // It refuses to run as root.
    let as_nobody = match Command::new("id").arg("-u").output() {
        Ok(output) if output.stdout == b"0\n" => {
            "setpriv --reuid=nobody --regid=nogroup --clear-groups "
        }
        _ => "",
    };
    // A stream has no end.
    let line = line.replace("vlc ", unseen);
    let line = format!("HOME=. timeout 10 {as_nobody}{line} 2>/dev/null || [ $? = 124 ]");
    shell(&line, &folder);
    let saved = fs::read(folder.path().join("saved")).unwrap();
    let pictures = saved
        .windows(3)
        .filter(|bytes| *bytes == [0xff, 0xd8, 0xff]);
    assert!(pictures.count() > 10, "{} bytes", saved.len());
    true
}

fn make_writable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
}

fn reads(program: &str) -> bool {
    // Where the compatibility kit puts it.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/compat/venv/bin/python");
    let python = if own.exists() { own } else { "python3".into() };
    let is_there = Command::new(&python).args(["-c", "import cv2"]).output();
    if !is_there.is_ok_and(|output| output.status.success()) {
        return false;
    }
    let output = Command::new(python)
        .args(["-c", program])
        .output()
        .expect("python3 runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed.lines().count(), 100, "{printed}");
    assert!(
        printed.lines().all(|line| line == "(480, 640, 3)"),
        "{printed}"
    );
    true
}

fn takes_a_picture(line: &str) -> bool {
    let folder = Folder::new();
    shell(&line.replace("curl ", "curl -sS "), &folder);
    let picture = fs::read(folder.path().join("garage.jpg")).unwrap();
    assert!(picture.starts_with(&[0xff, 0xd8]) && picture.ends_with(&[0xff, 0xd9]));
    true
}

async fn shows_in_a_page(html: &str) -> bool {
    let page = serve_page(format!("<!doctype html>{html}")).await;
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&page).await.unwrap();
    until(
        &browser,
        "document.querySelector('img[alt=garage]').naturalWidth === 640",
    )
    .await;
    browser.close().await.unwrap();
    true
}

fn has(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output();
    found.is_ok_and(|output| output.status.success())
}

/// `docs/clients.md`, as it follows from the snippets.
fn page() -> String {
    let mut page = String::from(
        "# Settings for other programs\n\n\
         The page shows these for each camera, with its own addresses. Here the camera is `garage` \
         of a relay\nat `http://relay.local:8080/`. A camera with a port of its own has them there, \
         too, without `garage/`.\n\n\
         Where a login is needed, enter it in the program, or use a signed link instead of the \
         address:\n`mjpeg-server ctl links create garage --valid 365d` prints one, as does \
         \u{201c}Share\u{201d} on the page.\n\n\
         <!-- Made from crates/mjpeg-control/src/page/assets/snippets.json by the tests of \
         mjpeg-server,\nwhich try each of them: BLESS_CLIENTS=1 cargo nextest run -p mjpeg-server \
         snippets -->\n",
    );
    for snippet in Snippet::all() {
        let text = snippet.text("http://relay.local:8080/");
        let language = match &*snippet.kind {
            "fields" => "text",
            kind => kind,
        };
        page += &format!("\n## {}\n", snippet.title);
        if !snippet.r#where.is_empty() {
            page += &format!("\n{}\n", snippet.r#where);
        }
        page += &format!("\n```{language}\n{text}\n```\n");
    }
    page
}

#[test]
fn docs_show_the_snippets_of_the_page() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients.md");
    if std::env::var("BLESS_CLIENTS").is_ok_and(|value| value == "1") {
        fs::write(&file, page()).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == page(),
        "docs/clients.md is not what snippets.json says; accept it with BLESS_CLIENTS=1"
    );
}

/// Over plain HTTP and by a bare address, a page has no clipboard of its own.
#[tokio::test]
async fn snippet_is_copied_from_a_page_without_a_clipboard() {
    let relay = relay();
    let driver = Driver::start();
    let browser = browser(&driver).await;
    // Leads to this machine, but browsers do not take it for a safe way.
    let base = format!("http://0.0.0.0:{}/", relay.addr().port());
    browser.goto(&base).await.unwrap();
    assert_eq!(
        value(&browser, "isSecureContext || Boolean(navigator.clipboard)").await,
        false
    );
    open_here(&browser, "snippets", "openSnippets('garage')").await;
    let all = Snippet::all();
    let titles = "[...document.querySelectorAll('dialog h3')].map((it) => it.textContent)";
    let shown = value(&browser, titles).await;
    assert_eq!(
        shown,
        serde_json::json!(all.iter().map(|it| &it.title).collect::<Vec<_>>())
    );
    let moonraker = all.iter().find(|it| it.title == "Moonraker").unwrap();
    let fluidd = format!("{base}garage/snapshot");
    for (label, expected) in [
        ("Copy for Moonraker", moonraker.text(&base)),
        ("Copy Camera URL Snapshot for Fluidd", fluidd),
    ] {
        let button = format!("dialog button[aria-label=\"{label}\"]");
        click(&browser, &button).await;
        until(
            &browser,
            &format!("document.querySelector('{button} + span').textContent === 'Copied'"),
        )
        .await;
        // It stays at the button.
        assert_eq!(
            value(&browser, "document.activeElement.ariaLabel").await,
            label
        );
        let paste = "const field = document.createElement('textarea'); field.id = 'pasted';
             document.querySelector('dialog').prepend(field); field.focus();";
        browser.execute(paste, vec![]).await.unwrap();
        let field = browser.find(Locator::Id("pasted")).await.unwrap();
        field
            .send_keys(&format!("{}v", char::from(Key::Control)))
            .await
            .unwrap();
        assert_eq!(value(&browser, "pasted.value").await, expected.as_str());
        browser.execute("pasted.remove()", vec![]).await.unwrap();
    }
    no_violations(&browser).await;
    browser.close().await.unwrap();
}
