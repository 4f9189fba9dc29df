//! What a page is made with.

use std::path::{Path, PathBuf};

/// Where a page's files are, who may embed a stream's view, and how much is read.
///
/// ```
/// use mjpeg_control::PageConfig;
///
/// let config = PageConfig::default()
///     .with_folder(Some("/etc/mjpeg-server/page".into()))
///     .with_frame_ancestors(["'self'", "https://home.example"])?;
/// assert!(PageConfig::default().with_frame_ancestors(["a; script-src *"]).is_err());
/// # Ok::<(), mjpeg_control::InvalidPageConfig>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageConfig {
    folder: Option<PathBuf>,
    frame_ancestors: Vec<String>,
    max_file_bytes: usize,
    max_held_bytes: usize,
}

/// This cannot be the source of a page that may embed another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected \"*\", \"'self'\" or \"scheme://host:port\", not {source_name:?}")]
#[non_exhaustive]
pub struct InvalidPageConfig {
    /// What was given.
    pub source_name: String,
}

impl PageConfig {
    /// Sets a folder of files that replace the built-in ones. Default: none.
    ///
    /// `/` is its `index.html`, `/login` its `login.html`, `/NAME/view` its `view.html`, and
    /// `/assets/PATH` is `PATH` in it. Where it has no such file, the built-in one is used. Names
    /// are of letters, digits, `.`, `_` and `-`, and do not begin with a dot. Symbolic links are
    /// followed only within the folder. The files are read for each request, on a thread that may
    /// block; requests at the same time share what is read of the same version of a file.
    pub fn with_folder(mut self, folder: Option<PathBuf>) -> Self {
        self.folder = folder;
        self
    }

    /// Sets which pages may embed a stream's view, as the `frame-ancestors` of a Content Security
    /// Policy has them: `*` for all, `'self'`, or `scheme://host:port`. Default: `*`. None: no
    /// page.
    ///
    /// # Errors
    ///
    /// [`InvalidPageConfig`] for one that is none of these; the caller is at fault.
    pub fn with_frame_ancestors<S: Into<String>>(
        mut self,
        sources: impl IntoIterator<Item = S>,
    ) -> Result<Self, InvalidPageConfig> {
        let sources: Vec<String> = sources.into_iter().map(Into::into).collect();
        if let Some(source_name) = sources.iter().find(|source| !is_source(source)) {
            let source_name = source_name.clone();
            return Err(InvalidPageConfig { source_name });
        }
        self.frame_ancestors = sources;
        Ok(self)
    }

    /// Sets how large a file of the folder may be, in bytes. Default: 4 MiB. A larger one is
    /// answered with an error.
    pub fn with_max_file_bytes(mut self, bytes: usize) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Sets how many bytes of the folder's files all requests together may hold until they are
    /// sent. Default: 64 MiB. A file that several requests are answered with counts once; the page
    /// with the list of streams counts for each. Further requests wait for two seconds, then they
    /// are answered with 503.
    pub fn with_max_held_bytes(mut self, bytes: usize) -> Self {
        self.max_held_bytes = bytes;
        self
    }

    /// Returns the folder of files that replace the built-in ones.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Returns which pages may embed a stream's view.
    pub fn frame_ancestors(&self) -> &[String] {
        &self.frame_ancestors
    }

    /// Returns how large a file of the folder may be.
    pub fn max_file_bytes(&self) -> usize {
        self.max_file_bytes
    }

    /// Returns how many bytes of the folder's files all requests together may hold.
    pub fn max_held_bytes(&self) -> usize {
        self.max_held_bytes
    }
}

impl Default for PageConfig {
    fn default() -> Self {
        Self {
            folder: None,
            frame_ancestors: vec!["*".into()],
            max_file_bytes: 4 << 20,
            max_held_bytes: 64 << 20,
        }
    }
}

/// Nothing that could end the directive and begin another.
fn is_source(source: &str) -> bool {
    if matches!(source, "*" | "'self'") {
        return true;
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:*[]".contains(&b);
    source.split_once("://").is_some_and(|(scheme, host)| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric();
        !scheme.is_empty()
            && scheme.bytes().all(is_letter)
            && !host.is_empty()
            && host.bytes().all(is_plain)
    })
}
