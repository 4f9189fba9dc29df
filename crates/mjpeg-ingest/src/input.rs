//! What a connection carries.

use std::{io, pin::Pin};

use futures_util::Stream;
use tokio::io::AsyncRead;

use crate::{contained::Contained, parsed::ParsedFeed, relayed::Delivered};

/// The content of a connection.
pub(crate) enum Input {
    Bytes(BoxedReader),
    Frames(BoxedFrames),
    /// It finds its frames itself.
    #[cfg_attr(
        not(any(feature = "http", all(feature = "v4l2", target_os = "linux"))),
        expect(dead_code)
    )]
    Feed(Box<dyn ParsedFeed>),
}

pub(crate) type BoxedReader = Contained<Box<dyn AsyncRead + Send + Unpin>>;

pub(crate) type BoxedFrames = Contained<Pin<Box<dyn Stream<Item = io::Result<Delivered>> + Send>>>;
