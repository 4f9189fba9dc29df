//! Serves a Motion-JPEG stream over HTTP to any number of viewers.
