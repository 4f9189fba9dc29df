//! Webhooks that cannot be used, and how that is said.

use super::checked;

#[test]
fn what_is_wrong_with_a_webhook_is_said_without_its_secrets() {
    for (lines, said) in [
        ("url = \"http://h/\"", "this webhook has no `secret`"),
        ("secret = \"hunter2\"", "this webhook has no `url`"),
        (
            "url = \"ftp://me:hunter2@h/\"\nsecret = \"x\"",
            "must begin with http:// or https://",
        ),
        (
            "url = \"http://me:hunter2@h:x/\"\nsecret = \"x\"",
            "no port that can be connected to",
        ),
        (
            "url = \"http://h/hunter2\\r\\nX: y\"\nsecret = \"x\"",
            "a space or a control character",
        ),
        (
            "url = \"http://h/#hunter2\"\nsecret = \"x\"",
            "must not have a part behind `#`",
        ),
        ("url = [\"hunter2\"]\nsecret = \"x\"", "invalid type"),
        ("url = \"http://h/\"\nsecret = \"\"", "the secret is empty"),
        (
            "url = \"http://h/\"\nsecret = \"${file:/no/such/file}\"",
            "/no/such/file",
        ),
        (
            "url = \"http://h/${env:MJPEG_NONE}\"\nsecret = \"x\"",
            "MJPEG_NONE is not set",
        ),
        (
            "url = \"http://h/\"\nsecret = \"x\"\nevents = [\"ofline\"]",
            "unknown word `ofline`",
        ),
        (
            "url = \"http://h/\"\nsecret = \"x\"\nevents = []",
            "out of bounds",
        ),
        (
            "url = \"http://h/\"\nsecret = \"x\"\nstreams = [\"a b\"]",
            "`a b`",
        ),
        (
            "url = \"http://h/\"\nsecret = \"x\"\nsecrets = \"hunter2\"",
            "did you mean `secret`?",
        ),
        (
            "url = \"http://h/\"\nsecret = \"x\"\nname = \"a\"\n[[webhooks]]\n\
             url = \"http://h/\"\nsecret = \"x\"\nname = \"a\"",
            "two webhooks have the same name",
        ),
    ] {
        let (code, text) = checked(&format!("[[webhooks]]\n{lines}\n"));
        assert_eq!(code, Some(1), "{lines}: {text}");
        assert!(text.contains(said), "{lines}: {text}");
        assert!(!text.contains("hunter2"), "{lines}: {text}");
    }
}

#[test]
fn what_is_odd_about_a_webhook_is_a_warning() {
    let good = "secret = \"0123456789abcdef\"";
    for (lines, said) in [
        (good.replace("abcdef", ""), Some("so short a secret")),
        (
            format!("{good}\nstreams = [\"nobody\"]"),
            Some("no stream is named nobody"),
        ),
        (good.into(), None),
    ] {
        let (code, text) = checked(&format!("[[webhooks]]\nurl = \"https://h/\"\n{lines}\n"));
        assert_eq!(code, Some(0), "{lines}: {text}");
        assert_eq!(text.contains("warning:"), said.is_some(), "{text}");
        assert!(text.contains(said.unwrap_or_default()), "{text}");
    }
    let many = "[[webhooks]]\nurl = \"https://h/\"\nsecret = \"0123456789abcdef\"\n";
    assert_eq!(checked(&many.repeat(32)).0, Some(0));
    let (code, text) = checked(&many.repeat(33));
    assert!(
        code == Some(1) && text.contains("at most 32 webhooks"),
        "{text}"
    );
}

#[test]
fn hook_is_checked_as_a_webhook_is() {
    for (url, code, said) in [
        ("https://h/x", 0, ""),
        ("http://127.0.0.1:8000/", 0, ""),
        ("http://auth.example/", 0, "without encryption"),
        ("auth.example", 1, "must begin with http://"),
        ("http://me:hunter2@/", 1, "no"),
    ] {
        let (got, text) = checked(&format!("[auth]\nhook = \"{url}\"\n"));
        assert_eq!(got, Some(code), "{url}: {text}");
        assert!(text.contains(said), "{url}: {text}");
        assert_eq!(text.contains("warning:"), said == "without encryption");
        assert!(!text.contains("hunter2"), "{url}: {text}");
    }
    for time in ["50ms", "5s"] {
        let (code, text) = checked(&format!("[auth]\nhook_timeout = \"{time}\"\n"));
        assert!(code == Some(1) && text.contains("100ms to 4s"), "{text}");
    }
}
