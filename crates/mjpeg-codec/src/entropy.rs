//! A walk over a frame's Huffman codes that computes no pixels (T.81 F.2.2). What it passes goes to
//! a [`CodeSink`](sink::CodeSink).

mod bits;
mod block;
mod block_lookup;
mod code_table;
pub(crate) mod damage;
pub(crate) mod not_checked;
pub(crate) mod picture;
pub(crate) mod reader;
mod scan;
pub(crate) mod sink;
mod step;
mod tables;
