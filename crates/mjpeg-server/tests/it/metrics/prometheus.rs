//! Prometheus, as Debian has it, reads the figures.
