//! Whether a file of an image goes on to its end: decoders fill up with grey what is missing.

/// What the file of a PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What the file of a JPEG begins with.
const JPEG: &[u8] = b"\xff\xd8";

/// What the file of a BMP begins with; the length of the file follows.
const BMP: &[u8] = b"BM";
/// What the file of a WebP begins with; the length of the rest follows.
const RIFF: &[u8] = b"RIFF";

/// Whether a JPEG or PNG has its end, and a BMP or WebP the length that it says; of what is none of them, its decoder
/// tells more.
pub(crate) fn has_end(bytes: &[u8]) -> bool {
    if let Some(chunks) = bytes.strip_prefix(PNG) {
        png_end(chunks).is_some()
    } else if let Some(segments) = bytes.strip_prefix(JPEG) {
        jpeg_end(segments).is_some()
    } else if let Some(rest) = bytes.strip_prefix(BMP) {
        has_length(rest, bytes.len())
    } else if let Some(rest) = bytes.strip_prefix(RIFF) {
        has_length(rest, bytes.len().saturating_sub(8))
    } else {
        true
    }
}

/// Whether [`has_end`] finds out that pixels are missing; of other formats only their decoders do.
pub(crate) fn shows_its_end(bytes: &[u8]) -> bool {
    bytes.starts_with(PNG) || bytes.starts_with(JPEG)
}

/// Whether there are at least as many bytes as the next four say.
fn has_length(rest: &[u8], found: usize) -> bool {
    rest.first_chunk().is_some_and(|length| u32::from_le_bytes(*length) as usize <= found)
}

/// Walks the chunks of a PNG to its last, which is whole.
fn png_end(mut chunks: &[u8]) -> Option<()> {
    loop {
        let (length, rest) = chunks.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        // Its data, and four bytes that check them.
        let rest = rest.get(u32::from_be_bytes(*length) as usize..)?.get(4..)?;
        if kind == b"IEND" {
            return Some(());
        }
        chunks = rest;
    }
}

/// Walks the segments of a JPEG to the marker of its end: a thumbnail among them has one of its own.
fn jpeg_end(mut segments: &[u8]) -> Option<()> {
    loop {
        // Between segments lie the pixels, where an `ff` that is no marker is followed by a zero.
        let marker = segments.iter().position(|&byte| byte == 0xff)?;
        let (&marker, rest) = segments.get(marker + 1..)?.split_first()?;
        segments = match marker {
            0xd9 => return Some(()),
            // Any number of `ff` may stand before a marker.
            0xff => segments.get(segments.len() - rest.len() - 1..)?,
            0x00 | 0x01 | 0xd0..=0xd8 => rest,
            _ => rest.get(usize::from(u16::from_be_bytes(*rest.first_chunk()?))..)?,
        };
    }
}
