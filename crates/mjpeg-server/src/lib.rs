//! A Motion-JPEG relay: connects to each camera once and serves any number of viewers over HTTP.
