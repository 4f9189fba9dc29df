//! The multipart form in which Motion-JPEG travels over HTTP (`multipart/x-mixed-replace`, RFC 2046 section 5.1): reading
//! it from cameras ([`Parser`]), and making it for viewers ([`render`]).
//!
//! # What the parser bears with
//!
//! In a multipart stream, too, the structure of JPEG decides where an image begins and ends; the framing tells what stands
//! between the images, and when each was captured. What real cameras and servers do, and some are known to do wrong:
//!
//! | the stream | what comes of it | shown by the test in `cameras.rs` |
//! |---|---|---|
//! | boundary declared with its dashes, in quotes, as another one, or not at all | nothing: the declaration is not needed | `home_assistant_sends_the_first_picture_twice`, `sony_declares_the_boundary_with_its_dashes`, `esp32_whose_first_boundary_is_another_one`, `boundary_with_a_blank_declared_in_quotes`, `axis_that_declares_no_boundary` |
//! | no boundary before the first part, or before any; repeated ones; a closing one | nothing: headers begin a part, too | `esp32_and_tasmota_without_first_boundary`, `headers_without_any_boundary`, `boundary_repeated`, `mjpeg_proxy_sorts_headers_and_closes` |
//! | no line break before the boundary | nothing | `no_line_break_before_the_boundary` |
//! | no line break after the boundary | the header that follows it is lost | `viseron_without_newline_after_the_boundary` |
//! | lines that end in LF; blank lines too many, or missing | nothing | `lf_alone_ends_lines`, `blank_lines_too_many`, `no_headers_or_no_blank_line_after_them` |
//! | `Content-Length` missing, padded, wrong, or no number | nothing: it is told, not used | `no_lengths`, `motion_pads_its_lengths`, `wrong_lengths` |
//! | headers in any case and order, long, folded, blanks before the colon; lines that are no header | what is no header is skipped | `long_lower_case_headers_and_a_closing_boundary`, `odd_headers` |
//! | headers ahead of the image, at the end of the part before | they belong to the next image | `ustreamer_advance_headers` |
//! | another `Content-Type`, or one with parameters | the image comes out all the same | `images_in_parts_of_other_types`, `type_with_a_parameter` |
//! | empty parts | they are framing | `empty_parts` |
//! | parts that hold text or anything else | [`NotJpeg`](crate::DiscardReason::NotJpeg) | `text_keepalive_of_mjpeg_server`, `error_page_that_looks_like_framing` |
//! | chunk sizes left in | they are lost; so is an image that one of them cuts | `ffmpeg_with_the_chunk_sizes_left_in` |
//! | a frame that breaks off, or is damaged | it is reported as broken, up to the next delimiter; the next part is read | in `parser.rs`: `next_part_is_read_wherever_a_frame_breaks_off`, `next_part_is_read_whichever_byte_is_wrong` |
//! | frames without EOI | they come out exactly, if [`MissingEoi::Accept`](crate::MissingEoi::Accept) is set | in `parser.rs`: `frames_without_eoi_come_out_exactly_where_they_are_accepted` |
//! | more than one image in a part | all come out, with the same headers unless other bytes stand between them | in `parser.rs`: `images_of_one_part_have_the_same_headers` |
//!
//! Boundaries that do not begin with two dashes on the wire, and lines that end in CR alone, are not understood: their images come
//! out, and perhaps their headers.

mod allow_origin;
mod boundary;
mod gap;
mod headers;
mod parser;
mod part;

pub use allow_origin::AllowOrigin;
pub use boundary::{Boundary, InvalidBoundary};
pub use headers::PartHeaders;
pub use parser::{Parser, ParserConfig};
pub use part::{Layout, Part, render};

pub(crate) use gap::Gap;
