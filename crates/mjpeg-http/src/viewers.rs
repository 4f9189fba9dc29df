//! Who is watching: which viewers are admitted, what each was sent, and which frames they hold.

pub(crate) mod admission;
pub(crate) mod answer;
pub(crate) mod answer_permit;
pub(crate) mod cut;
pub(crate) mod in_flight;
pub(crate) mod kicked;
pub(crate) mod permit;
pub(crate) mod rate;
pub(crate) mod table;
pub(crate) mod viewer;
