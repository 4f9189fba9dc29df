//! The multipart format in which Motion-JPEG travels over HTTP (`multipart/x-mixed-replace`, RFC
//! 2046 section 5.1): reading it from cameras ([`Parser`]) and rendering it for viewers
//! ([`render`]).
//!
//! # What the parser tolerates
//!
//! In a multipart stream, too, the structure of JPEG decides where an image begins and ends. The
//! framing classifies the bytes between the images and carries the time of capture. The parser
//! needs none of the following, so these mistakes of cameras and servers have no consequence:
//!
//! * a boundary declared with its dashes, in quotes, as another one, or not at all;
//! * no boundary before the first part or anywhere (headers begin a part, too), repeated ones, a
//!   closing one;
//! * no line break before the boundary, lines that end in LF, superfluous or missing blank lines;
//! * a `Content-Length` that is missing, padded, wrong, or not a number: it is reported, not used;
//! * headers in any case and order, long, folded, with blanks before the colon, and lines among
//!   them that are not headers;
//! * another `Content-Type`, or one with parameters;
//! * empty parts.
//!
//! These streams are read as far as their bytes allow:
//!
//! * Headers ahead of the image, at the end of the previous part, belong to the next image.
//! * Without a line break after the boundary, the first header is lost.
//! * A part that holds text or anything else but an image is
//!   [`NotJpeg`](crate::DiscardReason::NotJpeg).
//! * If chunk sizes were left in, they are lost, and so is an image that one of them cuts.
//! * A frame that breaks off or is damaged is reported as broken, up to the next delimiter. The
//!   next part is read.
//! * Frames without EOI come out exactly if [`MissingEoi::Accept`](crate::MissingEoi::Accept) is
//!   set.
//! * All images of a part come out, with the same headers unless other bytes stand between them.
//!
//! Boundaries that do not begin with two dashes on the wire, and lines that end in CR alone, are
//! not understood. Their images come out, but their headers may be missing.

// The tests that show each of these, in `tests/it/cameras.rs` and `tests/it/parser.rs`:
//
// * boundary declared wrongly: `home_assistant_sends_the_first_picture_twice`,
//   `sony_declares_the_boundary_with_its_dashes`, `esp32_whose_first_boundary_is_another_one`,
//   `boundary_with_a_blank_declared_in_quotes`, `axis_that_declares_no_boundary`
// * boundaries missing, repeated, closing: `esp32_and_tasmota_without_first_boundary`,
//   `headers_without_any_boundary`, `boundary_repeated`, `mjpeg_proxy_sorts_headers_and_closes`
// * line breaks: `no_line_break_before_the_boundary`, `lf_alone_ends_lines`,
//   `blank_lines_too_many`, `no_headers_or_no_blank_line_after_them`
// * lengths: `no_lengths`, `motion_pads_its_lengths`, `wrong_lengths`
// * headers: `long_lower_case_headers_and_a_closing_boundary`, `odd_headers`
// * types: `images_in_parts_of_other_types`, `type_with_a_parameter`
// * empty parts: `empty_parts`
// * headers ahead of the image: `ustreamer_advance_headers`
// * no line break after the boundary: `viseron_without_newline_after_the_boundary`
// * parts without an image: `text_keepalive_of_mjpeg_server`, `error_page_that_looks_like_framing`
// * chunk sizes left in: `ffmpeg_with_the_chunk_sizes_left_in`
// * broken frames: `next_part_is_read_wherever_a_frame_breaks_off`,
//   `next_part_is_read_whichever_byte_is_wrong`
// * no EOI: `frames_without_eoi_come_out_exactly_where_they_are_accepted`
// * several images in a part: `images_of_one_part_have_the_same_headers`

mod boundary;
mod layout;
mod parser;
mod part;
mod relay;

pub use crate::framing::{allow_origin::AllowOrigin, headers::PartHeaders};
pub use boundary::{Boundary, InvalidBoundary};
pub use layout::Layout;
pub use parser::{Parser, ParserConfig};
pub use part::{Part, render};
pub use relay::{InvalidVia, RelayHeaders, RelayId, VIA, Via};
