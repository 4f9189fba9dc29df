//! The pages in `docs/` speak of metrics that there are.
