//! The page: what a gateway shows to people.

mod assets;
mod config;
mod folder;
mod list;

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};
use http_body_util::Full;

use self::{
    assets::{built_in, kind},
    folder::{PageFolder, Unread},
};
pub use self::{
    config::{InvalidPageConfig, PageConfig},
    list::ListedStream,
};

/// The page of a gateway: static files, which are part of this crate, or an operator's own.
///
/// It decides nothing about who may read it: the files are the same for everybody. What differs,
/// the page's script reads from the API. The service of the gateway passes the requests on:
///
/// | request | answer |
/// |---|---|
/// | `/` | [`index`](Self::index) |
/// | `/login` | [`login`](Self::login) |
/// | `/NAME/view` | [`view`](Self::view) |
/// | `/assets/PATH` | [`asset`](Self::asset) |
///
/// Addresses in the page are relative, so that a proxy may put all of it below a path of its own.
///
/// ```
/// # tokio_test(async {
/// use mjpeg_control::{ListedStream, Page, PageConfig};
///
/// let page = Page::new(PageConfig::default());
/// let garage = ListedStream::new("garage", "online");
/// let index = page.index(&[garage], true).await;
/// assert_eq!(index.status(), 200);
/// assert!(page.asset("page.js").await.is_some());
/// assert!(page.asset("../page.js").await.is_none());
/// # });
/// # fn tokio_test(test: impl Future<Output = ()>) {
/// #     tokio::runtime::Builder::new_current_thread().build().expect("one").block_on(test)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Page {
    folder: Option<Arc<PageFolder>>,
    /// The policy of what may be embedded elsewhere.
    view_policy: HeaderValue,
}

impl Page {
    /// Makes the page.
    pub fn new(config: PageConfig) -> Self {
        let ancestors = config.frame_ancestors().join(" ");
        let ancestors = if ancestors.is_empty() {
            "'none'"
        } else {
            &*ancestors
        };
        let policy = format!("{POLICY}{ancestors}");
        Self {
            // Checked when it was set.
            view_policy: HeaderValue::try_from(policy)
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
            folder: config.folder().map(|_| Arc::new(PageFolder::new(&config))),
        }
    }

    /// Returns the page with all streams. Those given are in its text, for browsers without
    /// scripts; with links to them, if the gateway serves them.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as all of this type are.
    pub async fn index(&self, streams: &[ListedStream], has_links: bool) -> Response<Full<Bytes>> {
        match self.index_text(&list::html(streams, has_links)).await {
            Ok(text) => html(text, FOR_ITSELF),
            Err(failed) => failed,
        }
    }

    async fn index_text(&self, list: &str) -> Result<Bytes, Response<Full<Bytes>>> {
        let own = self.own(INDEX).await?;
        let folder = self.folder.as_ref().filter(|_| own.is_some());
        let page = own.or_else(|| built_in(INDEX)).unwrap_or_default();
        let Some(place) = list::place(&page) else {
            return Ok(page);
        };
        let Some(folder) = folder else {
            return Ok(list::insert(&page, place, list).into());
        };
        // This copy is held besides the file.
        let room = folder.room(page.len() + list.len()).await.map_err(unread)?;
        Ok(room.hold(list::insert(&page, place, list)))
    }

    /// Returns the page where somebody logs in.
    pub async fn login(&self) -> Response<Full<Bytes>> {
        match self.text("login.html").await {
            Ok(text) => html(text, FOR_ITSELF),
            Err(failed) => failed,
        }
    }

    /// Returns the page of one stream without anything around it, which other pages may embed. It
    /// does not depend on which: it shows the one in whose path it is.
    pub async fn view(&self) -> Response<Full<Bytes>> {
        match self.text("view.html").await {
            Ok(text) => html(text, self.view_policy.clone()),
            Err(failed) => failed,
        }
    }

    /// Returns what the page loads, by its path below `/assets/`; `None` if there is no such file.
    pub async fn asset(&self, path: &str) -> Option<Response<Full<Bytes>>> {
        let kind = kind(path)?;
        if kind.starts_with("text/html") {
            return None;
        }
        let mut response = match self.read(path).await {
            Ok(bytes) => answer(StatusCode::OK, kind, bytes?),
            Err(failed) => return Some(failed),
        };
        response.headers_mut().insert(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        );
        Some(response)
    }

    /// The text of a page that there is always.
    async fn text(&self, name: &str) -> Result<Bytes, Response<Full<Bytes>>> {
        Ok(self.read(name).await?.unwrap_or_default())
    }

    /// A file of the operator's, else the built-in one.
    async fn read(&self, path: &str) -> Result<Option<Bytes>, Response<Full<Bytes>>> {
        Ok(self.own(path).await?.or_else(|| built_in(path)))
    }

    /// A file of the operator's, if there is one.
    async fn own(&self, path: &str) -> Result<Option<Bytes>, Response<Full<Bytes>>> {
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        match folder.read(path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Unread::Missing) => Ok(None),
            Err(reason) => Err(unread(reason)),
        }
    }
}

/// Tells why a file cannot be sent.
fn unread(reason: Unread) -> Response<Full<Bytes>> {
    let (status, text) = match reason {
        Unread::Missing => (StatusCode::NOT_FOUND, "There is no such file.\n"),
        Unread::TooMuch => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many files of the page are on their way. Try again.\n",
        ),
        Unread::Failed => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "This file of the page cannot be read.\n",
        ),
    };
    answer(status, "text/plain; charset=utf-8", text)
}

/// A page that loads nothing from elsewhere, and whose text can hold no script.
fn html(text: impl Into<Bytes>, policy: HeaderValue) -> Response<Full<Bytes>> {
    let mut response = answer(StatusCode::OK, "text/html; charset=utf-8", text);
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("content-security-policy"), policy);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Pages and what they load are small, and a page of another version would not understand the
/// other's parts: they are not kept.
fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

const INDEX: &str = "index.html";

macro_rules! policy {
    () => {
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
         connect-src 'self'; frame-ancestors "
    };
}
const POLICY: &str = policy!();
const FOR_ITSELF: HeaderValue = HeaderValue::from_static(concat!(policy!(), "'none'"));

#[cfg(test)]
mod tests {
    use std::{env, fs, path::PathBuf, process, time::Duration};

    use tokio::{join, task::JoinSet, time::sleep};

    use super::*;

    /// A page of these files, which vanish with it.
    struct OwnPage {
        page: Page,
        folder: PathBuf,
    }

    impl OwnPage {
        fn new(name: &str, max_held_bytes: usize, files: &[(&str, &[u8])]) -> Self {
            let folder = env::temp_dir().join(format!("mjpeg-{name}-{}", process::id()));
            fs::create_dir(&folder).expect("a folder");
            for (name, bytes) in files {
                fs::write(folder.join(name), bytes).expect("a file");
            }
            let config = PageConfig::default()
                .with_folder(Some(folder.clone()))
                .with_max_held_bytes(max_held_bytes);
            let page = Page::new(config);
            Self { page, folder }
        }

        async fn asset(&self, path: &str) -> Response<Full<Bytes>> {
            self.page.asset(path).await.expect("there is one")
        }
    }

    impl Drop for OwnPage {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    #[tokio::test]
    async fn file_is_sent_to_many_at_once() {
        let own = OwnPage::new("many", 64 << 20, &[("large.js", &[b'x'; 4 << 20])]);
        let mut requests = JoinSet::new();
        for _ in 0..40 {
            let page = own.page.clone();
            requests.spawn(async move { page.asset("large.js").await.expect("there is one") });
        }
        let sent = requests.join_all().await;
        for response in &sent {
            assert_eq!(response.status(), 200);
        }
        // While they are on their way, a new version is another file.
        fs::write(own.folder.join("large.js"), "new").expect("a file");
        let new = own.asset("large.js").await;
        assert_eq!(http_body::Body::size_hint(new.body()).exact(), Some(3));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_wait_for_room_and_need_none_for_what_is_built_in() {
        let files: [(&str, &[u8]); 2] = [("page.css", &[b' '; 10]), ("more.css", b" ")];
        let own = OwnPage::new("room", 10, &files);
        let held = own.asset("page.css").await;
        assert_eq!(held.status(), 200);
        assert_eq!(own.asset("wall.js").await.status(), 200);
        assert_eq!(own.page.index(&[], true).await.status(), 200);
        assert_eq!(own.asset("more.css").await.status(), 503);
        let sent = async {
            sleep(Duration::from_secs(1)).await;
            drop(held);
        };
        let (waited, ()) = join!(own.asset("more.css"), sent);
        assert_eq!(waited.status(), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn pages_with_the_list_count_until_they_are_sent() {
        let index = b"<p><!-- streams -->";
        // Room for the file, and for one copy with the list.
        let own = OwnPage::new("list", 60, &[("index.html", index)]);
        let first = own.page.index(&[], true).await;
        assert_eq!(first.status(), 200);
        assert_eq!(own.page.index(&[], true).await.status(), 503);
        drop(first);
        assert_eq!(own.page.index(&[], true).await.status(), 200);
    }
}
