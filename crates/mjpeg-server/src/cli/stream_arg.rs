//! A stream as one argument.

use std::{
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use mjpeg_manager::{InvalidSpec, StreamSpec};

/// A stream as one argument: `NAME=URL` or `NAME=URL@[ADDR:]PORT`.
///
/// With `PORT`, the stream has that port of its own; without `ADDR`, it listens on all interfaces,
/// IPv6 and IPv4. Where the URL has an `@` itself, what follows the last one is `[ADDR:]PORT` if it
/// can be.
///
/// ```
/// use mjpeg_server::StreamArg;
///
/// assert!("garage=tcp://192.168.1.100:6001@8081".parse::<StreamArg>().is_ok());
/// assert!("garage=tcp://192.168.1.100:6001@[::1]:8081".parse::<StreamArg>().is_ok());
/// assert!("garage=tcp://192.168.1.100:6001".parse::<StreamArg>().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct StreamArg(StreamSpec);

impl StreamArg {
    /// Returns the spec, for the manager to start.
    pub fn into_spec(self) -> StreamSpec {
        self.0
    }

    /// Reads an argument whose URL is passed through `expand`, which may take secrets from
    /// elsewhere. They can be no part of the port.
    pub(crate) fn read<E: From<InvalidStreamArg>>(
        text: &str,
        expand: impl Fn(&str) -> Result<String, E>,
    ) -> Result<Self, E> {
        let (name, rest) = text.split_once('=').ok_or(InvalidStreamArg::NoName)?;
        let spec = |url: &str| -> Result<Result<StreamSpec, InvalidStreamArg>, E> {
            Ok(StreamSpec::parse(name, &expand(url)?).map_err(Into::into))
        };
        // The last '@', because a URL may contain one.
        let Some((url, listen)) = rest.rsplit_once('@') else {
            return Ok(Self(spec(rest)??));
        };
        let is_port = !listen.is_empty() && listen.bytes().all(|b| b.is_ascii_digit());
        if let Some(listen) = parse_listen(listen) {
            return match spec(url)? {
                Ok(with_port) => Ok(Self(with_port.with_listen(listen))),
                Err(error) if is_port => Err(error.into()),
                // `http://me:secret@192.168.1.5:8080`: the address is the camera's.
                Err(error) => spec(rest)?.map(Self).map_err(|_| error.into()),
            };
        }
        match spec(rest)? {
            Ok(without_port) if !is_port => Ok(Self(without_port)),
            // What has a slash is the end of a URL.
            Err(error) if listen.contains('/') => Err(error.into()),
            _ => Err(InvalidStreamArg::BadListen.into()),
        }
    }
}

impl FromStr for StreamArg {
    type Err = InvalidStreamArg;

    fn from_str(text: &str) -> Result<Self, InvalidStreamArg> {
        Self::read(text, |url| Ok(url.to_owned()))
    }
}

/// A text that is not a [`StreamArg`]. Whoever wrote it is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStreamArg {
    /// There is no `=` after the name.
    #[error("write NAME=URL or NAME=URL@PORT; the '=' is missing")]
    NoName,
    /// The text after the last `@` is neither a port nor an address with a port, nor the end of a
    /// URL.
    ///
    /// It is not repeated: it may be the end of a password with an `@` in it.
    #[error(
        "what follows the last '@' is not a port (8081) or an address and port (127.0.0.1:8081, \
         [::1]:8081)"
    )]
    BadListen,
    /// The name or the URL is not valid.
    #[error(transparent)]
    Spec(#[from] InvalidSpec),
}

fn parse_listen(text: &str) -> Option<SocketAddr> {
    if let Ok(port) = text.parse::<u16>() {
        return Some((Ipv6Addr::UNSPECIFIED, port).into());
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> String {
        parse_listen(text).unwrap().to_string()
    }

    /// The source and the port of an argument.
    fn read(text: &str) -> (String, Option<String>) {
        let spec = text.parse::<StreamArg>().unwrap().into_spec();
        let listen = spec.listen().map(|listen| listen.to_string());
        (spec.sources()[0].to_string(), listen)
    }

    #[test]
    fn port_may_be_left_out_though_the_url_has_an_at_sign() {
        for (text, source, listen) in [
            ("a=tcp://b:1", "tcp://b:1", None),
            ("a=tcp://b:1@8081", "tcp://b:1", Some("[::]:8081")),
            ("a=http://b/?x@8081", "http://b/?x", Some("[::]:8081")),
            ("a=http://me:pw@b/video", "http://***@b/video", None),
            ("a=http://me:pw@b", "http://***@b", None),
            ("a=http://me:pw@10.0.0.5:80", "http://***@10.0.0.5:80", None),
            (
                "a=http://me:pw@b/video@127.0.0.1:8081",
                "http://***@b/video",
                Some("127.0.0.1:8081"),
            ),
        ] {
            let listen = listen.map(str::to_owned);
            assert_eq!(read(text), (source.into(), listen), "{text}");
        }
    }

    #[test]
    fn wrong_url_with_a_port_is_not_taken_for_another_without() {
        let error = "a=http://me:pw@8081".parse::<StreamArg>().unwrap_err();
        assert!(matches!(error, InvalidStreamArg::Spec(_)), "{error}");
    }

    #[test]
    fn what_is_taken_from_elsewhere_is_no_port() {
        let expand = |url: &str| Ok::<_, InvalidStreamArg>(url.replace("${x}", "b@8081"));
        let spec = StreamArg::read("a=http://${x}", expand)
            .unwrap()
            .into_spec();
        assert_eq!(spec.listen(), None);
    }

    #[test]
    fn port_alone_means_all_interfaces() {
        assert_eq!(listen("8081"), "[::]:8081");
        assert_eq!(listen("0"), "[::]:0");
    }

    #[test]
    fn address_may_be_of_either_family() {
        assert_eq!(listen("127.0.0.1:8081"), "127.0.0.1:8081");
        assert_eq!(listen("[::1]:8081"), "[::1]:8081");
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
            let error = format!("a=tcp://b:1@{bad}").parse::<StreamArg>();
            let error = error.unwrap_err().to_string();
            assert!(error.contains("is not a port"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn errors_can_be_told_apart() {
        let error = |text: &str| text.parse::<StreamArg>().unwrap_err();
        assert!(matches!(error("a"), InvalidStreamArg::NoName));
        assert!(matches!(
            error("a=tcp://b:1@x"),
            InvalidStreamArg::BadListen
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
        assert!(error("a=rtsp://b:1@8081").contains("unknown kind of source"));
    }
}
