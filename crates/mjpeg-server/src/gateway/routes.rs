//! Which stream a URL means.

use std::collections::BTreeMap;

use mjpeg_manager::StreamName;

/// The order of streams, and their further names.
///
/// ```
/// use mjpeg_server::Routes;
///
/// let door = "door".parse()?;
/// let routes = Routes::new([door]).with_alias("webcam", "door".parse()?);
/// # Ok::<(), mjpeg_server::mjpeg_manager::InvalidName>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    order: Vec<StreamName>,
    aliases: BTreeMap<String, StreamName>,
}

impl Routes {
    /// Makes routes to streams in this order, in which pages list them and `?action=stream_N`
    /// counts them. Streams that are not in it follow, by name.
    pub fn new(order: impl IntoIterator<Item = StreamName>) -> Self {
        Self {
            order: order.into_iter().collect(),
            aliases: BTreeMap::new(),
        }
    }

    /// Gives a stream a further name. If a stream has that name itself, that stream is found.
    pub fn with_alias(mut self, alias: impl Into<String>, stream: StreamName) -> Self {
        self.aliases.insert(alias.into(), stream);
        self
    }

    /// The order.
    pub(crate) fn order(&self) -> &[StreamName] {
        &self.order
    }

    /// The stream that has this further name.
    pub(crate) fn alias(&self, alias: &str) -> Option<&StreamName> {
        self.aliases.get(alias)
    }

    /// Puts these names, which are sorted, in order.
    pub(crate) fn ordered(&self, mut names: Vec<StreamName>) -> Vec<StreamName> {
        let places: BTreeMap<&StreamName, usize> = self.order.iter().zip(0..).collect();
        names.sort_by_key(|name| places.get(name).copied().unwrap_or(usize::MAX));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_without_a_place_follow_by_name() {
        let names = |text: &str| -> Vec<StreamName> {
            text.split(' ').map(|name| name.parse().unwrap()).collect()
        };
        let routes = Routes::new(names("yard gone door"));
        assert_eq!(
            routes.ordered(names("a b door yard")),
            names("yard door a b")
        );
    }
}
