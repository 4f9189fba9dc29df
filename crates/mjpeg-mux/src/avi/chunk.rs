//! Chunks, the parts of an AVI.

/// Makes the bytes before the content of a chunk.
pub(super) fn chunk_head(id: &[u8; 4], bytes: u32) -> [u8; 8] {
    let mut head = [0; 8];
    head[..4].copy_from_slice(id);
    head[4..].copy_from_slice(&bytes.to_le_bytes());
    head
}

/// Makes a chunk. Its content must have an even length.
pub(super) fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&chunk_head(id, content.len() as u32), content].concat()
}

/// Makes a list of chunks.
pub(super) fn list(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let head = list_head(b"LIST", name, content.len() as u64);
    [&head, content].concat()
}

/// Makes the bytes before the content of a list.
pub(super) fn list_head(id: &[u8; 4], name: &[u8; 4], content_bytes: u64) -> Vec<u8> {
    // Lists are at most a few GiB long.
    let bytes = content_bytes as u32 + 4;
    [&chunk_head(id, bytes), name.as_slice()].concat()
}

/// Encodes numbers of 32 bits.
pub(super) fn longs(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Returns the length of content with its padding: chunks begin at even offsets.
pub(super) fn padded(bytes: u32) -> u64 {
    u64::from(bytes) + u64::from(bytes % 2)
}

/// The id of compressed pictures of the first stream.
pub(super) const FRAME: &[u8; 4] = b"00dc";
pub(super) const CHUNK_HEAD_BYTES: u64 = 8;
pub(super) const LIST_HEAD_BYTES: u64 = 12;
