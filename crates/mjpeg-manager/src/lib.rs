//! Runs many Motion-JPEG camera streams by name: start, stop, list, status.
