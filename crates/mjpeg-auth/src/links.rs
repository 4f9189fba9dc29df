//! Signed links: URLs that open one stream for a while, to everybody who has them.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

#[cfg(unix)]
use std::path::Path;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::Method;
use mjpeg_http::{Action, Grant, Inquiry};
use ring::hmac;
use tokio::time::Instant;

use crate::{
    digest::random,
    error::LinkError,
    links::{
        link::{Link, LinkAction, LinkSpec, SignedLink},
        query::LinkQuery,
    },
};

#[cfg(unix)]
mod files;
pub(crate) mod link;
#[cfg(unix)]
mod list;
pub(crate) mod query;

/// Signed links, and which of them have not been revoked. Cheap to clone; all clones are one.
///
/// A link is a query that is added to the URL of a stream or of its snapshot:
/// `link=ID&expires=…&fps=…&sig=…`. It admits `GET` and `HEAD` to that one stream, until it expires
/// or is revoked. All of it is signed, so no parameter can be changed, added or repeated. `sig` is
/// what must stay secret: cut it from logs. Its bearer is also redirected to the stream, from the
/// URL without the slash behind the name.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use mjpeg_auth::{LinkAction, LinkSpec, Links};
///
/// let links = Links::new(Links::new_key());
/// let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
/// let link = links.create(LinkSpec::new("garage", LinkAction::Stream, tomorrow))?;
/// println!("http://camera.example/garage/stream?{}", link.query());
/// assert!(links.revoke(link.id())?);
/// # Ok::<(), mjpeg_auth::LinkError>(())
/// ```
#[derive(Clone)]
pub struct Links(Arc<LinksShared>);

struct LinksShared {
    key: hmac::Key,
    /// Those that are neither revoked nor long expired.
    list: Mutex<Vec<Link>>,
    #[cfg(unix)]
    folder: Option<files::Folder>,
}

impl Links {
    /// Makes links that are signed with this key and forgotten when the process ends. Whoever knows
    /// the key can make up signatures, though no link that was never created.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(LinksShared {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            list: Mutex::default(),
            #[cfg(unix)]
            folder: None,
        }))
    }

    /// Makes a key of random bytes.
    ///
    /// # Panics
    ///
    /// If the system has no random bytes.
    pub fn new_key() -> [u8; 32] {
        random()
    }

    /// Opens the links of a state directory, where they are kept: the key in `link.key`, which is
    /// made if there is none, and the links in `links`. Both are readable by their owner only.
    /// Changes are written to a file beside the old one, which then takes its place.
    ///
    /// Blocks on the disk, as [`create`](Self::create) and [`revoke`](Self::revoke) then do.
    ///
    /// # Errors
    ///
    /// [`LinkError::Untrusted`] if a file is not one that only this user can have written;
    /// [`LinkError::Io`].
    ///
    /// # Panics
    ///
    /// If the system has no random bytes.
    #[cfg(unix)]
    pub fn open(state_dir: &Path) -> Result<Self, LinkError> {
        let folder = files::Folder::open(state_dir)?;
        let key = list::read_or_make_key(&folder)?;
        let list = list::read(&folder)?;
        Ok(Self(Arc::new(LinksShared {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            list: Mutex::new(list),
            folder: Some(folder),
        })))
    }

    /// Creates a link.
    ///
    /// # Errors
    ///
    /// [`LinkError::Expiry`], [`LinkError::MaxFps`]; [`LinkError::TooMany`] beyond 1000 links that
    /// have not expired; [`LinkError::Io`] if it cannot be kept, and then there is no such link.
    ///
    /// # Panics
    ///
    /// If the system has no random bytes.
    pub fn create(&self, spec: LinkSpec) -> Result<SignedLink, LinkError> {
        let now = SystemTime::now();
        let link = Link::new(BASE64_URL_SAFE_NO_PAD.encode(random::<12>()), spec, now)?;
        let mut list = self.list();
        list.retain(|link| link.expires() > now);
        if list.len() >= MOST_LINKS {
            return Err(LinkError::TooMany { most: MOST_LINKS });
        }
        list.push(link.clone());
        if let Err(error) = self.keep(&list) {
            list.pop();
            return Err(error);
        }
        let query = LinkQuery::of(&link);
        let query = query.signed(&self.0.key, link.stream(), link.action());
        Ok(SignedLink::new(&link, query))
    }

    /// Lists the links that are valid now, in the order they were created.
    pub fn list_valid(&self) -> Vec<Link> {
        let now = SystemTime::now();
        let list = self.list();
        let valid = list.iter().filter(|link| link.expires() > now);
        valid.cloned().collect()
    }

    /// Revokes a link. Returns whether it was valid.
    ///
    /// Responses that are running because of it go on until
    /// [`StreamService::recheck`](mjpeg_http::StreamService::recheck).
    ///
    /// # Errors
    ///
    /// [`LinkError::Io`] if that cannot be kept: it is revoked, but may be valid again in the next
    /// process.
    pub fn revoke(&self, id: &str) -> Result<bool, LinkError> {
        let now = SystemTime::now();
        let mut list = self.list();
        let Some(at) = list.iter().position(|link| link.id() == id) else {
            return Ok(false);
        };
        let link = list.remove(at);
        self.keep(&list)?;
        Ok(link.expires() > now)
    }

    /// What a request's link grants, if it has a valid one.
    pub(crate) fn grant(&self, inquiry: &Inquiry, now: SystemTime) -> Option<Grant> {
        let actions = match inquiry.action {
            Action::Stream => &[LinkAction::Stream][..],
            Action::Snapshot => &[LinkAction::Snapshot],
            // The holder of a link knows that the stream exists, so a redirect to it tells nothing.
            Action::Find => &[LinkAction::Stream, LinkAction::Snapshot],
            _ => return None,
        };
        if inquiry.method != Method::GET && inquiry.method != Method::HEAD {
            return None;
        }
        let query = LinkQuery::read(inquiry.uri.query()?)?;
        let stream = inquiry.stream.as_deref()?;
        let is_signed = |&action: &_| query.is_signed(&self.0.key, stream, action);
        if !actions.iter().any(is_signed) {
            return None;
        }
        let list = self.list();
        let link = list.iter().find(|link| link.id() == query.id())?;
        let left = link.expires().duration_since(now).ok()?;
        if left.is_zero() {
            return None;
        }
        let mut grant = Grant::default().with_identity(format!("link:{}", link.id()));
        grant.until = Instant::now().checked_add(left).map(Instant::into_std);
        grant.max_fps = link.max_fps();
        Some(grant)
    }

    fn keep(&self, list: &[Link]) -> Result<(), LinkError> {
        #[cfg(unix)]
        if let Some(folder) = &self.0.folder {
            return list::write(folder, list);
        }
        let _ = list;
        Ok(())
    }

    fn list(&self) -> MutexGuard<'_, Vec<Link>> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("key", &"***")
            .field("list", &*self.list())
            .finish_non_exhaustive()
    }
}

const MOST_LINKS: usize = 1000;
