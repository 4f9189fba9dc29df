//! Why a text or a setting does not make a source.

use std::fmt;

use crate::dial_policy::AddressNotAllowed;

/// A text or a setting that does not make a [`Source`](crate::Source). The caller is at fault.
///
/// The parts of the text that some variants hold are for the program. Neither `Display` nor `Debug`
/// shows them: where a URL is wrong, there is no telling in which part of it the password is. An
/// [address](Self::AddressNotAllowed) is shown.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSource {
    /// The text does not begin with `scheme://`.
    #[error("a source is a URL such as tcp://192.168.1.100:6001")]
    NoScheme,
    /// The scheme is unknown.
    #[error(
        "unknown kind of source {shown:?}; known are tcp://host:port, http://host/path, \
         https://host/path, rtsp://host/path, rtsps://host/path, tcp-listen://addr:port, \
         http-listen://addr:port/path, push:, unix:///path, file:///path, exec:program args, v4l2:///dev/video0 and test:{advice}",
        shown = shown_scheme(.0),
        advice = advice(.0)
    )]
    UnknownScheme(String),
    /// This build lacks the feature for sources of this kind.
    #[error(
        "this program was built without sources of the kind {kind}: enable the feature `{feature}`"
    )]
    NotBuilt {
        /// The scheme of the source.
        kind: &'static str,
        /// The feature of this crate that adds it.
        feature: &'static str,
    },
    /// Sources of this kind do not exist on this operating system.
    #[error("sources of the kind {0} do not exist on this operating system")]
    NotOnThisSystem(&'static str),
    /// The port is missing.
    #[error("the port is missing: tcp://host:port")]
    NoPort,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    BadPort(String),
    /// The host is not a name or an address.
    #[error("the host is not a name, an IPv4 address or an IPv6 address in brackets")]
    BadHost(String),
    /// The host is an address, or a name for this machine, that the
    /// [policy](crate::DialPolicy) of the source refuses.
    #[error(transparent)]
    AddressNotAllowed(#[from] AddressNotAllowed),
    /// The address to listen at is not an IP address.
    #[error(
        "the address is not an IP address of this machine; tcp-listen://0.0.0.0:6001 and \
         tcp-listen://:6001 listen at all of them"
    )]
    BadListenAddress(String),
    /// The address to listen at is missing.
    #[error(
        "the address to listen at is missing: http-listen://0.0.0.0:8090/cam1 listens at all IPv4 \
         addresses of this machine, http-listen://[::]:8090/cam1 at all, and \
         http-listen://127.0.0.1:8090/cam1 for programs on this machine only"
    )]
    NoListenAddress,
    /// Everybody could send pictures.
    #[error(
        "everybody who can reach this address could send pictures: add #token=SECRET, which \
         senders give as Authorization: Bearer SECRET or as ?token=SECRET, or #open if that is \
         meant"
    )]
    OpenToAll,
    /// What senders must know does not stand behind the `#`.
    #[error(
        "what senders must know stands behind the path: http-listen://ADDR:PORT/PATH#token=SECRET; \
         a '?' in the path is written as %3F, a '#' as %23"
    )]
    TokenElsewhere,
    /// Something follows `push:`.
    #[error(
        "push: has no address: pictures for it are sent to POST /NAME/push of a gateway; for a \
         port of its own, write http-listen://ADDR:PORT/PATH"
    )]
    PushElsewhere,
    /// The path is not absolute, or not UTF-8.
    #[error(
        "the path is not absolute; with one that is, there are three slashes: \
         file:///home/me/a.mjpeg"
    )]
    BadPath(String),
    /// The path is not that of a device.
    #[error("the path of a camera is below /dev, without `..`: v4l2:///dev/video0")]
    BadDevice(String),
    /// Sources of this kind do not have this option, or not with this value.
    #[error(
        "{shown:?} is not an option, or cannot have this value; a recording has fps=N (0.001 to \
         1000) and once, test: has name, size=640x480 and fps, v4l2: has \
         size=1280x720, fps, input=N and NAME=N for each control of the camera, a camera that speaks HTTP has #fps=N \
         (0.00001 to 60) or #poll_interval=TIME, #answer_timeout=TIME, #login_retry=TIME, \
         #header=NAME:VALUE, #ca=/path/to/file.pem and #insecure, http-listen: has #token=SECRET \
         or #open; all but test: have \
         #connect_timeout=TIME and #stall_limit=TIME; a TIME is written 500ms, 10s, 5m or 1h, 7 days \
         at most; a '#' in a path is written as %23",
        shown = shown_option(.0)
    )]
    BadOption(String),
    /// The user name and password of a URL are not UTF-8, or contain an unencoded delimiter.
    #[error(
        "the user name or password in the URL cannot be read; write '/', '?', '#', '@', ':' and \
         '%' in it as %2F, %3F, %23, %40, %3A and %25"
    )]
    BadLogin,
    /// The path or query of a URL has characters that must be encoded.
    #[error("the path of the URL has characters that must be written as %20 and the like")]
    BadUrl,
    /// The header cannot be sent, or would change where a request ends.
    #[error("this header cannot be added; write #header=NAME:VALUE")]
    BadHeader(String),
    /// No program follows `exec:`.
    #[error("the program is missing: exec:program args")]
    NoProgram,
    /// A quotation mark in a command line is never closed.
    #[error("a quotation mark in the command line is never closed")]
    BadQuotes,
}

impl fmt::Debug for InvalidSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidSource({self})")
    }
}

/// Shows a scheme, unless it is none: then it may be anything.
fn shown_scheme(text: &str) -> &str {
    if is_scheme(text) { text } else { "…" }
}

/// Shows the name of an option, and not its value. Behind a password with a `#` in it, not even the
/// name is one.
fn shown_option(text: &str) -> &str {
    let key = text.split('=').next().unwrap_or_default();
    if OPTIONS.contains(&key) { key } else { "…" }
}

/// Whether this is written as the scheme of a URL (RFC 3986 section 3.1), and short as they are.
pub(super) fn is_scheme(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    text.len() <= 16 && text.bytes().all(is_plain)
}

/// The options that sources have, whose names are no secrets.
const OPTIONS: [&str; 16] = [
    "fps",
    "once",
    "name",
    "size",
    "input",
    "header",
    "ca",
    "ca-pem",
    "insecure",
    "connect_timeout",
    "answer_timeout",
    "stall_limit",
    "poll_interval",
    "login_retry",
    "token",
    "open",
];

/// Says how to read a well-known kind of camera that has no scheme here.
fn advice(scheme: &str) -> &'static str {
    match scheme {
        "rtmp" => {
            ". Such a camera can be read through ffmpeg: \
             exec:ffmpeg -i URL -c:v mjpeg -f mjpeg -"
        }
        _ => "",
    }
}
