//! A stream as one argument.

use std::str::FromStr;

use mjpeg_manager::{InvalidSpec, StreamName, StreamSpec};

use crate::{config::value::listen_addr::ListenAddr, secrets::expanded};

/// A stream as one argument: `NAME=URL`, or `NAME=URL@[ADDR:]PORT` with a port of its own.
///
/// Without `ADDR`, the stream listens on all interfaces, IPv6 and IPv4. Without a port, it
/// [does not listen](StreamSpec::without_listen).
///
/// ```
/// use mjpeg_server::StreamArg;
///
/// let listen = |text: &str| Ok::<_, mjpeg_server::InvalidStreamArg>(
///     text.parse::<StreamArg>()?.into_spec().listen());
/// assert!(listen("garage=tcp://192.168.1.100:6001@8081")?.is_some());
/// assert!(listen("garage=tcp://192.168.1.100:6001@[::1]:8081")?.is_some());
/// assert!(listen("garage=tcp://192.168.1.100:6001")?.is_none());
/// # Ok::<(), mjpeg_server::InvalidStreamArg>(())
/// ```
#[derive(Clone, Debug)]
pub struct StreamArg(StreamSpec);

impl StreamArg {
    /// Returns the spec, for the manager to start.
    pub fn into_spec(self) -> StreamSpec {
        self.0
    }
}

impl FromStr for StreamArg {
    type Err = InvalidStreamArg;

    fn from_str(text: &str) -> Result<Self, InvalidStreamArg> {
        let parts = ArgParts::of(text)?;
        parts.spec(parts.url).map(Self)
    }
}

/// A text that is not a [`StreamArg`]. Whoever wrote it is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStreamArg {
    /// There is no `=` after the name.
    #[error("write NAME=URL or NAME=URL@PORT; the '=' is missing")]
    NoName,
    /// Neither is the text after the last `@` a port, or an address with a port, nor is the URL
    /// valid together with it.
    ///
    /// It is not repeated: it may be the end of a password with an `@` in it.
    #[error(
        "{0}; what follows the last '@' is not a port (8081) or an address and port \
         (127.0.0.1:8081, [::1]:8081) either"
    )]
    BadListen(InvalidSpec),
    /// The name or the URL is not valid.
    #[error(transparent)]
    Spec(#[from] InvalidSpec),
}

/// A stream of the command line, before `${…}` in its URL is replaced. No `Debug` of the URL: it
/// may hold a password.
#[derive(Clone)]
pub(crate) struct StreamFlag {
    pub(crate) name: StreamName,
    pub(crate) url: String,
    pub(crate) listen: Option<ListenAddr>,
}

impl std::fmt::Debug for StreamFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StreamFlag").field(&self.name).finish()
    }
}

impl FromStr for StreamFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = ArgParts::of(text).map_err(|error| error.to_string())?;
        let url = expanded(parts.url).map_err(|error| format!("{error:#}"))?;
        let spec = parts.spec(&url).map_err(|error| error.to_string())?;
        Ok(Self {
            name: spec.name().clone(),
            url: parts.url.into(),
            listen: parts.listen,
        })
    }
}

struct ArgParts<'a> {
    name: &'a str,
    url: &'a str,
    listen: Option<ListenAddr>,
}

impl<'a> ArgParts<'a> {
    fn of(text: &'a str) -> Result<Self, InvalidStreamArg> {
        let (name, rest) = text.split_once('=').ok_or(InvalidStreamArg::NoName)?;
        // The last '@', because a URL may contain one.
        let split = rest.rsplit_once('@');
        let split = split.and_then(|(url, listen)| Some((url, listen.parse().ok()?)));
        let (url, listen) = split.map_or((rest, None), |(url, listen)| (url, Some(listen)));
        Ok(Self { name, url, listen })
    }

    fn spec(&self, url: &str) -> Result<StreamSpec, InvalidStreamArg> {
        let spec = StreamSpec::parse(self.name, url).map_err(|error| match error {
            InvalidSpec::Source(_) if self.listen.is_none() && url.contains('@') => {
                InvalidStreamArg::BadListen(error)
            }
            error => error.into(),
        })?;
        Ok(match self.listen {
            Some(listen) => spec.with_listen(listen.0),
            None => spec,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(listen: &str) -> Option<String> {
        let arg: StreamArg = format!("a=tcp://b:1@{listen}").parse().unwrap();
        arg.into_spec().listen().map(|addr| addr.to_string())
    }

    #[test]
    fn port_alone_means_all_interfaces() {
        assert_eq!(listen("8081").as_deref(), Some("[::]:8081"));
        assert_eq!(listen("0").as_deref(), Some("[::]:0"));
    }

    #[test]
    fn address_may_be_of_either_family() {
        assert_eq!(listen("127.0.0.1:8081").as_deref(), Some("127.0.0.1:8081"));
        assert_eq!(listen("[::1]:8081").as_deref(), Some("[::1]:8081"));
    }

    #[test]
    fn port_may_be_left_out() {
        let spec = |text: &str| text.parse::<StreamArg>().unwrap().into_spec();
        assert_eq!(spec("a=tcp://b:1").listen(), None);
        let login = spec("a=http://me:pass@cam/video");
        assert_eq!(login.listen(), None);
        assert_eq!(login.sources()[0].reveal(), "http://me:pass@cam/video");
    }

    #[test]
    fn anything_else_says_what_it_could_be() {
        for bad in [
            "",
            "65536",
            "-1",
            "localhost:8081",
            "127.0.0.1",
            "::1:8081x",
        ] {
            let error = format!("a=tcp://b:1@{bad}")
                .parse::<StreamArg>()
                .unwrap_err();
            assert!(
                error.to_string().contains("is not a port"),
                "{bad:?}: {error}"
            );
        }
    }

    #[test]
    fn errors_can_be_told_apart() {
        let error = |text: &str| text.parse::<StreamArg>().unwrap_err();
        assert!(matches!(error("a"), InvalidStreamArg::NoName));
        assert!(matches!(
            error("a=tcp://b:1@x"),
            InvalidStreamArg::BadListen(_)
        ));
        let spec = error("a=tcp://b@8081");
        assert!(matches!(
            spec,
            InvalidStreamArg::Spec(InvalidSpec::Source(_))
        ));
        assert!(matches!(
            error("=tcp://b:1@1"),
            InvalidStreamArg::Spec(InvalidSpec::Name(_))
        ));
    }

    #[test]
    fn errors_name_the_missing_piece() {
        let error = |text: &str| text.parse::<StreamArg>().unwrap_err().to_string();
        assert!(error("tcp://a:1@8081").contains("'='"));
        assert!(error("a b=tcp://b:1@8081").contains("letters, digits"));
        assert!(error("a=tcp://b@8081").contains("port is missing"));
        assert!(error("a=rtmp://b:1@8081").contains("unknown kind of source"));
    }
}
