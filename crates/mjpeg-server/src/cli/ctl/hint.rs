//! Which arguments complete to what.

use clap::ValueHint;

/// Marks the arguments that name a stream, for completions. No other argument has this kind, which
/// means nothing else here.
pub(crate) const STREAM: ValueHint = ValueHint::Username;
