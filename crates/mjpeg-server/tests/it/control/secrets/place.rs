//! Where secrets stand.

use std::net::SocketAddr;

use crate::sources::free_addr;

/// What must be found nowhere.
pub(super) struct Secret;

impl Secret {
    /// With characters that are written differently in each place.
    pub(super) const ENVIRONMENT: &str = "hunter2/env \"é";

    /// All that were given. What begins like them was, too.
    pub(super) fn all() -> Vec<String> {
        [Self::ENVIRONMENT, "hunter2"].map(Into::into).into()
    }
}

/// The streams of the file, with a secret in each place that there is.
pub(super) fn streams(camera: String, hostile: SocketAddr, dead: SocketAddr) -> String {
    let program = r#"sh -c 'echo \"password=hunter2-stderr and $0\" >&2; exit 3' ${env:HUNTER} --token hunter2-argument"#;
    let quoted = "/quoted/${file:FOLDER/secret}?token=hunter2-query";
    let sources = [
        ("door", camera),
        (
            "locked",
            format!(
                "http://me:hunter2-login@{hostile}/login?token=hunter2-query&p=hunter2-query#header=X-Key:hunter2-header"
            ),
        ),
        ("moved", format!("http://me:hunter2-login@{hostile}/moved")),
        ("quoted", format!("http://{hostile}{quoted}")),
        ("env", format!("http://me:${{env:HUNTER}}@{hostile}/login")),
        ("file", format!("http://{dead}/${{file:FOLDER/secret}}")),
        (
            "credential",
            format!("http://{hostile}/x/${{credential:camera}}"),
        ),
        ("program", format!("exec:{program}")),
        (
            "pushed",
            format!("http-listen://{}/x#token=hunter2-push", free_addr()),
        ),
    ];
    let mut text = String::new();
    for (name, source) in sources {
        // Strangers ask the hook about this one.
        let view = if name == "file" { "view = []\n" } else { "" };
        let stream = format!("\n[[streams]]\nname = \"{name}\"\nsource = \"{source}\"\n{view}");
        text += &stream;
    }
    text + &format!("fallback = [\"http://me:hunter2-fallback@{dead}/\"]\n")
}

/// Webhooks and a hook, whose other end answers in its own unhelpful way.
pub(super) fn outbound(hostile: SocketAddr) -> String {
    let path = "moved?token=hunter2-query&key=${file:FOLDER/secret}";
    format!(
        "[auth]\nhook = \"http://me:hunter2-hook@{hostile}/{path}\"\n\
         [[webhooks]]\nurl = \"http://me:${{env:HUNTER}}@{hostile}/{path}\"\n\
         secret = \"hunter2-webhook\"\n\
         [[webhooks]]\nurl = \"http://{hostile}/quoted/hunter2-path\"\n\
         secret = \"${{file:FOLDER/secret}}\"\n"
    )
}

/// What makes a file wrong, each with a secret in the wrong place.
pub(super) const BAD_FILE: [&str; 14] = [
    "[[streams]]\nname = \"x\"\nsource = \"http://me:hunter2-bad@cam/\n",
    "[[streams]]\nname = \"x\"\nsorce = \"http://me:hunter2-bad@cam/\"\n",
    "[[streams]]\nname = \"x\"\nsource = http://me:hunter2-bad@cam/\n",
    "[[streams]]\nname = \"x\"\nsource = \"http://me:hunter2-bad@cam:x/\"\n",
    "[[streams]]\nname = \"x\"\nsource = [\"http://me:hunter2-bad@cam/\"]\n",
    "[[streams]]\nname = \"x\"\nsource = \"http://me:hunter2-bad@cam/#header=hunter2-bad\"\n",
    "[[streams]]\nname = \"x\"\nsource = \"http://cam/${file:/no/such/file}?token=hunter2-bad\"\n",
    "[[streams]]\nname = \"x\"\nsource = \"http-listen://0.0.0.0:1/?token=hunter2-bad\"\n",
    "[[users]]\nname = \"x\"\npassword_hash = \"hunter2-bad\"\n",
    "[[users]]\nname = \"x\"\ntoken_hash = \"hunter2-bad\"\n",
    "[[users]]\nname = \"x\"\npassword = \"hunter2-bad\"\n",
    "[[webhooks]]\nurl = \"http://me:hunter2-bad@h:x/\"\nsecret = \"hunter2-bad\"\n",
    "[[webhooks]]\nurl = [\"http://me:hunter2-bad@h/\"]\nsecret = hunter2-bad\n",
    "[[webhooks]]\nurl = \"hunter2-bad\"\nsecret = { x = \"hunter2-bad\" }\n",
];
