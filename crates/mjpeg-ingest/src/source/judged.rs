//! Where a source may lead, for sources that others may set.

use super::{
    invalid::{InvalidSource, is_scheme},
    literal,
    source::Source,
};
use crate::dial_policy::DialPolicy;

impl Source {
    /// Sets which addresses the source may connect to. Default: all.
    ///
    /// For `tcp`, `http`, `https`, `rtsp` and `rtsps`. Each attempt looks the host up and leaves
    /// out the addresses that the policy refuses, as if they could not be reached; so does each
    /// redirect. If none is left, the attempt fails with [`AddressNotAllowed`], and the next one
    /// follows after the backoff. The addresses that were judged are the ones that are dialled.
    ///
    /// A [custom](Self::custom) source finds the policy in [`IngestConfig::dial_policy`]. The other
    /// kinds do not dial, and have no use for it: `exec`, `file`, `unix` and `v4l2` reach what this
    /// process may reach. Judge them by their [kind](Self::kind).
    ///
    /// [`AddressNotAllowed`]: crate::ConnectError::AddressNotAllowed
    /// [`IngestConfig::dial_policy`]: crate::IngestConfig::dial_policy
    ///
    /// No text shows the policy.
    pub fn with_dial_policy(mut self, policy: DialPolicy) -> Self {
        self.dial_policy = policy;
        self
    }

    /// Which addresses the source may connect to.
    pub fn dial_policy(&self) -> &DialPolicy {
        &self.dial_policy
    }

    /// Judges the host by the [policy](Self::with_dial_policy) without a look-up, if it is an
    /// address or a name of this machine (`localhost`, `*.localhost`). Other hosts are judged only
    /// when they are dialled, as these are again.
    ///
    /// An address counts however it is written: `127.0.0.1`, `127.1`, `0x7f.1`, `0177.0.0.1`,
    /// `2130706433`, `[::ffff:127.0.0.1]`, with a zone, with a dot at its end, percent-encoded.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::AddressNotAllowed`] if the policy refuses it.
    ///
    /// ```
    /// use mjpeg_ingest::{DialPolicy, Source};
    ///
    /// let policy = DialPolicy::restricted();
    /// let camera: Source = "tcp://192.168.1.100:6001".parse()?;
    /// assert!(camera.with_dial_policy(policy.clone()).check_literal().is_ok());
    /// let loopback: Source = "tcp://127.1:6001".parse()?;
    /// assert!(loopback.with_dial_policy(policy).check_literal().is_err());
    /// # Ok::<(), mjpeg_ingest::InvalidSource>(())
    /// ```
    pub fn check_literal(&self) -> Result<(), InvalidSource> {
        match &self.host {
            Some(host) => Ok(literal::check_literal(host, &self.dial_policy)?),
            None => Ok(()),
        }
    }

    /// The kind of the source, as its URL begins: `tcp`, `http`, `https`, `rtsp`, `rtsps`,
    /// `tcp-listen`, `http-listen`, `push`, `unix`, `file`, `exec`, `v4l2` or `test`. A
    /// [custom](Self::custom) source has the scheme of its [text](Self::with_text), or else
    /// `custom`.
    ///
    /// ```
    /// use mjpeg_ingest::Source;
    ///
    /// assert_eq!(Source::tcp("camera.local", 6001).kind(), "tcp");
    /// ```
    pub fn kind(&self) -> &str {
        let text = self
            .text
            .as_ref()
            .and_then(|text| text.whole.split_once(':'));
        let scheme = text.map(|(scheme, _)| scheme);
        let scheme = scheme.filter(|scheme| !scheme.is_empty() && is_scheme(scheme));
        scheme.unwrap_or("custom")
    }
}
