//! Errors as people see them.

use std::{collections::BTreeSet, error::Error as StdError, io, sync::Arc, time::Duration};

use mjpeg_ingest::{ConnectError, Connection, Error, ErrorChain, FailureReason, Source};

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

#[test]
fn display_does_not_repeat_the_source_and_the_chain_shows_it_once() {
    let addr = "192.168.1.100:6001".parse().unwrap();
    let text = || "x".to_owned();
    for (error, alone) in [
        (Error::Read(refused()), "the connection to the camera broke"),
        (
            ConnectError::Resolve {
                host: text(),
                source: refused(),
            }
            .into(),
            "cannot resolve x",
        ),
        (
            ConnectError::Failed {
                addr,
                source: refused(),
            }
            .into(),
            "cannot connect to 192.168.1.100:6001",
        ),
        (
            ConnectError::Open {
                path: text(),
                source: refused(),
            }
            .into(),
            "cannot open x",
        ),
        (
            ConnectError::Start {
                program: text(),
                source: refused(),
            }
            .into(),
            "cannot start x",
        ),
        (
            ConnectError::Listen {
                addr,
                source: refused(),
            }
            .into(),
            "cannot listen at 192.168.1.100:6001",
        ),
    ] {
        assert_eq!(error.to_string(), alone);
        let source = error.source().expect("a source").to_string();
        assert_eq!(source, "connection refused");
        assert_eq!(error.chain().to_string(), format!("{alone}: {source}"));
    }
}

#[test]
fn chain_of_an_error_without_a_source_is_the_error() {
    assert_eq!(
        Error::Closed.chain().to_string(),
        "the camera closed the connection"
    );
    let io: ConnectError = refused().into();
    assert_eq!(ErrorChain::new(&io).to_string(), "connection refused");
}

#[test]
fn chain_leaves_out_a_source_that_the_error_repeats() {
    #[derive(Debug, thiserror::Error)]
    #[error("it failed: {0}")]
    struct Repeats(#[source] Arc<io::Error>);
    let error = Repeats(Arc::new(refused()));
    assert_eq!(
        ErrorChain::new(&error).to_string(),
        "it failed: connection refused"
    );
}

#[test]
fn kind_tells_strangers_enough_and_nothing_more() {
    let path = || "/home/me/secret".to_owned();
    let addr = "192.168.1.100:6001".parse().unwrap();
    let source = refused;
    let io = |error: ConnectError| Error::Source(Box::new(error));
    for (error, word) in [
        (Error::Closed, "closed"),
        (Error::Read(refused()), "closed"),
        (
            Error::Stalled {
                after: Duration::ZERO,
            },
            "silent",
        ),
        (
            Error::NoFrame {
                after: Duration::ZERO,
            },
            "silent",
        ),
        (
            ConnectError::TimedOut {
                after: Duration::ZERO,
            }
            .into(),
            "unreachable",
        ),
        (
            ConnectError::Failed {
                addr,
                source: source(),
            }
            .into(),
            "unreachable",
        ),
        (
            ConnectError::Open {
                path: path(),
                source: source(),
            }
            .into(),
            "file",
        ),
        (
            io(ConnectError::Open {
                path: path(),
                source: source(),
            }),
            "file",
        ),
        (
            ConnectError::Start {
                program: path(),
                source: source(),
            }
            .into(),
            "program",
        ),
        (
            ConnectError::Listen {
                addr,
                source: source(),
            }
            .into(),
            "listen",
        ),
        (ConnectError::from(source()).into(), "other"),
        (Error::Source("secret".into()), "other"),
    ] {
        let kind = error.kind();
        assert_eq!(kind.as_str(), word, "{error}");
        assert!(!kind.to_string().contains("secret"));
    }
}

#[test]
fn chain_steers_no_terminal() {
    let nasty = io::Error::other("\u{1b}]0;x\u{7}\u{202e}\n\0");
    let shown = Error::Read(nasty).chain().to_string();
    assert!(
        shown.ends_with("broke: \\u{1b}]0;x\\u{7}\\u{202e}\\n\\u{0}"),
        "{shown}"
    );
    let source = Source::custom("a\u{1b}[2J", crate::pipe::Noise);
    assert_eq!(source.to_string(), "a\\u{1b}[2J");
    let peer = Connection::bytes(tokio::io::empty(), "cam\r\n\u{9b}")
        .peer()
        .to_owned();
    assert_eq!(peer, "cam\\r\\n\\u{9b}");
}

#[test]
fn reasons_have_stable_words_of_their_own() {
    let words: BTreeSet<_> = FailureReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(words.len(), FailureReason::ALL.len());
    for reason in FailureReason::ALL {
        let debug = format!("{reason:?}");
        assert_eq!(reason.as_str().replace('_', ""), debug.to_lowercase());
    }
}
