//! Words for what went wrong, and the status that goes with each.

use std::fmt;

use http::StatusCode;

/// Declares the codes: variant, word, status, and what each means.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:ident;)+) => {
        /// A stable word for machines that says what went wrong: `code` in a problem.
        ///
        /// Those of [`mjpeg_manager::Error::code`] are among them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)+
        }

        impl ErrorCode {
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the word, such as `already_exists`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Returns the status of answers with this code.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    /// A stream, or a further name of one, has this name already.
    AlreadyExists = "already_exists", CONFLICT;
    /// Something else listens at this address.
    PortInUse = "port_in_use", CONFLICT;
    /// The stream stands in a file that only people change.
    DefinedInFile = "defined_in_file", CONFLICT;
    /// There is no folder in which the change could be kept.
    NotPersistent = "not_persistent", CONFLICT;
    /// The stream has no source that takes pictures from callers.
    NotAPushStream = "not_a_push_stream", CONFLICT;
    /// Somebody else sends pictures to the stream.
    OtherSender = "other_sender", CONFLICT;
    /// The nodes of the cluster, or what there is, do not allow it.
    NotPossible = "not_possible", CONFLICT;
    /// The engine by which the nodes of the cluster agree does not answer.
    EngineUnreachable = "engine_unreachable", SERVICE_UNAVAILABLE;
    /// There is no such stream, viewer or link, or the caller may not know of it.
    NotFound = "not_found", NOT_FOUND;
    /// What is to be set is not valid, or may not be set by this API.
    InvalidSpec = "invalid_spec", UNPROCESSABLE_ENTITY;
    /// The camera did not take the connection in time.
    TcpConnectionTimeout = "tcp_connection_timeout", GATEWAY_TIMEOUT;
    /// The stream did not start in time.
    StartTimeout = "start_timeout", GATEWAY_TIMEOUT;
    /// The call did not finish in time.
    CallTimeout = "call_timeout", GATEWAY_TIMEOUT;
    /// The gate did not decide in time.
    GateTimeout = "gate_timeout", GATEWAY_TIMEOUT;
    /// The camera refused the connection, or could not be reached.
    TcpConnectionFailed = "tcp_connection_failed", BAD_GATEWAY;
    /// The source failed for a reason of its own kind, or had nothing to give.
    SourceFailed = "source_failed", BAD_GATEWAY;
    /// There are as many streams as allowed.
    TooManyStreams = "too_many_streams", SERVICE_UNAVAILABLE;
    /// As many clients as allowed receive events.
    TooManySubscribers = "too_many_subscribers", SERVICE_UNAVAILABLE;
    /// As many viewers as allowed watch the stream, or all streams.
    TooManyViewers = "too_many_viewers", SERVICE_UNAVAILABLE;
    /// There is no room on the disk, or the quota is used up.
    StorageFull = "storage_full", INSUFFICIENT_STORAGE;
    /// As many changes as allowed are under way.
    Busy = "busy", SERVICE_UNAVAILABLE;
    /// The stream takes no pictures at present.
    NotReading = "not_reading", SERVICE_UNAVAILABLE;
    /// The pictures have come through this relay before.
    RelayLoop = "relay_loop", LOOP_DETECTED;
    /// The relay is ending.
    ShutDown = "shut_down", SERVICE_UNAVAILABLE;
    /// The system could not listen.
    ListenFailed = "listen_failed", INTERNAL_SERVER_ERROR;
    /// An output of the stream failed.
    OutletFailed = "outlet_failed", INTERNAL_SERVER_ERROR;
    /// A defect of the relay.
    Internal = "internal_error", INTERNAL_SERVER_ERROR;
    /// The stream is not the version that `If-Match` names.
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED;
    /// The request is not understood.
    BadRequest = "bad_request", BAD_REQUEST;
    /// The request must be one for a WebSocket.
    UpgradeRequired = "upgrade_required", UPGRADE_REQUIRED;
    /// The caller must log in.
    Unauthorized = "unauthorized", UNAUTHORIZED;
    /// The caller may not do this.
    Forbidden = "forbidden", FORBIDDEN;
    /// The path does not take this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// The body did not come in time.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT;
    /// The body is too large.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE;
    /// The body is not said to be JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE;
    /// The request names a host that is not known here.
    MisdirectedRequest = "misdirected_request", MISDIRECTED_REQUEST;
    /// The caller has asked too often.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS;
}

impl ErrorCode {
    /// Finds a code by its word.
    ///
    /// ```
    /// use mjpeg_control::ErrorCode;
    ///
    /// assert_eq!(ErrorCode::from_word("not_found"), Some(ErrorCode::NotFound));
    /// assert_eq!(ErrorCode::from_word("lost"), None);
    /// ```
    pub fn from_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|code| code.as_str() == word)
    }

    /// The code of a gate's refusal that has this status.
    pub(crate) fn of_refusal(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::Busy,
            status if status.is_server_error() => Self::Internal,
            _ => Self::Forbidden,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_statuses_are_those_that_were_promised() {
        for (words, status) in [
            (
                "already_exists port_in_use defined_in_file not_persistent",
                409,
            ),
            ("not_found", 404),
            ("invalid_spec", 422),
            (
                "tcp_connection_timeout start_timeout call_timeout gate_timeout",
                504,
            ),
            ("tcp_connection_failed source_failed", 502),
            ("too_many_streams shut_down too_many_subscribers", 503),
            ("rate_limited", 429),
            ("precondition_failed", 412),
            ("payload_too_large", 413),
            ("request_timeout", 408),
            ("misdirected_request", 421),
            ("listen_failed outlet_failed", 500),
        ] {
            for word in words.split(' ') {
                let code = ErrorCode::from_word(word).expect(word);
                assert_eq!(code.status(), status, "{word}");
                assert_eq!(code.to_string(), word);
            }
        }
    }
}
