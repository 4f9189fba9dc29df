//! Reads a Motion-JPEG camera over TCP and reconnects for ever, with capped and jittered backoff.
