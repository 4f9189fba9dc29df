//! Which URLs no other site may learn from a browser.

use http::{HeaderValue, Response, Uri, header::REFERRER_POLICY};

/// Whether a URL is a secret: it has a parameter `sig`, as those have that open a stream to
/// everybody who knows them.
pub(crate) fn is_secret(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "sig")
}

/// Tells browsers to name the URL of this response to nobody.
pub(crate) fn hide<B>(response: &mut Response<B>) {
    let policy = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(REFERRER_POLICY, policy);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_makes_a_url_a_secret() {
        for (url, expected) in [
            ("/door/?link=a&expires=1&sig=x", true),
            ("/door/?sig", true),
            ("/door/?%73ig=x", true),
            ("/door/?signal=x&a=sig", false),
            ("/sig=x", false),
            ("/", false),
        ] {
            assert_eq!(is_secret(&Uri::from_static(url)), expected, "{url}");
        }
    }
}
