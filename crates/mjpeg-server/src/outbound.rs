//! Requests that the program itself sends: to the API of a relay, to webhooks, to the hook that
//! decides about rights, and to an identity provider.

pub(crate) mod connect;
pub(crate) mod get;
pub(crate) mod outage;
pub(crate) mod post;
pub(crate) mod tls;
pub(crate) mod url;
