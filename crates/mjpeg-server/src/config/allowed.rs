//! What somebody who is not the operator of this machine may set of a stream.

use super::keys::control::ControlKeys;

/// Checks the kinds of sources, before any of them is dialled.
///
/// # Errors
///
/// Says which kinds there may be, or which option there may not.
pub(crate) fn sources<'u>(
    urls: impl IntoIterator<Item = &'u str>,
    may: &ControlKeys,
) -> Result<(), String> {
    for url in urls {
        let kind = url.split(':').next().unwrap_or_default();
        if !may.sources.iter().any(|known| known == kind) {
            return Err(format!(
                "the API may not set sources of this kind; those it may are {}: [control] sources",
                may.sources.join(", ")
            ));
        }
        let options = url.split_once('#').map_or("", |(_, options)| options);
        let mut options = options.split('&').map(|option| option.split('=').next());
        if options.any(|option| matches!(option, Some("ca" | "ca-pem" | "insecure"))) {
            return Err(
                "the API may not say which certificates are trusted (ca, ca-pem, insecure)".into(),
            );
        }
    }
    Ok(())
}

/// Checks that a text holds no `${…}` but these, which would read files and the environment of this
/// machine.
///
/// # Errors
///
/// Names a reference that may not be used, if it looks like one.
pub(crate) fn references(text: &str, allowed: &[String]) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        rest = &rest[at..];
        let end = rest.find('}').map_or(rest.len(), |end| end + 1);
        let (reference, after) = rest.split_at(end);
        if !allowed.iter().any(|known| known == reference) {
            return Err("a ${…} that `references` of [cluster] does not list".into());
        }
        rest = after;
    }
    Ok(())
}
