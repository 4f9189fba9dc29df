//! The query of a signed link.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac;

use crate::links::link::{Link, LinkAction};

/// The parameters of a link, as text: what is signed is what was received.
pub(crate) struct LinkQuery<'a> {
    id: Cow<'a, str>,
    expires: Cow<'a, str>,
    fps: Option<Cow<'a, str>>,
    sig: Cow<'a, str>,
}

impl<'a> LinkQuery<'a> {
    /// Reads a query. `None` if it has no link, or has one of its parameters twice: whoever reads
    /// the other one would read something else.
    pub(crate) fn read(query: &'a str) -> Option<Self> {
        let [mut id, mut expires, mut fps, mut sig] = [const { None }; 4];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "link" => &mut id,
                "expires" => &mut expires,
                "fps" => &mut fps,
                "sig" => &mut sig,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(Self {
            id: id?,
            expires: expires?,
            fps,
            sig: sig?,
        })
    }

    /// The parameters of a link, without its signature.
    pub(crate) fn of(link: &'a Link) -> Self {
        Self {
            id: link.id().into(),
            expires: link.expires_unix().to_string().into(),
            fps: link.max_fps().map(|fps| fps.to_string().into()),
            sig: "".into(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The query with its signature.
    pub(crate) fn signed(&self, key: &hmac::Key, stream: &str, action: LinkAction) -> String {
        let sig = hmac::sign(key, &self.message(stream, action));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("link", &self.id);
        query.append_pair("expires", &self.expires);
        if let Some(fps) = &self.fps {
            query.append_pair("fps", fps);
        }
        query.append_pair("sig", &BASE64_URL_SAFE_NO_PAD.encode(sig));
        query.finish()
    }

    /// Whether it was signed for this stream and action.
    pub(crate) fn is_signed(&self, key: &hmac::Key, stream: &str, action: LinkAction) -> bool {
        BASE64_URL_SAFE_NO_PAD
            .decode(&*self.sig)
            .is_ok_and(|sig| hmac::verify(key, &self.message(stream, action), &sig).is_ok())
    }

    /// What is signed: each field behind its length, so that no two links have the same.
    fn message(&self, stream: &str, action: LinkAction) -> Vec<u8> {
        let fps = self.fps.as_deref();
        let mut message = b"mjpeg link 1".to_vec();
        message.push(u8::from(fps.is_some()));
        for field in [
            &self.id,
            stream,
            action.name(),
            &self.expires,
            fps.unwrap_or_default(),
        ] {
            message.extend((field.len() as u64).to_be_bytes());
            message.extend(field.as_bytes());
        }
        message
    }
}
