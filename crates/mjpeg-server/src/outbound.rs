//! Requests that the program itself sends: to the API of a relay, to webhooks, and to the hook that
//! decides about rights.

pub(crate) mod connect;
pub(crate) mod outage;
pub(crate) mod post;
pub(crate) mod tls;
pub(crate) mod url;
