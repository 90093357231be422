//! Whether a file of an image goes on to its end: decoders fill up with grey what is missing.

/// What the file of a PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What the file of a JPEG begins with.
const JPEG: &[u8] = b"\xff\xd8";

/// Whether a JPEG or PNG has its end; of what is neither, its decoder tells more.
pub(crate) fn has_end(bytes: &[u8]) -> bool {
    match (bytes.strip_prefix(PNG), bytes.strip_prefix(JPEG)) {
        (Some(chunks), _) => png_end(chunks).is_some(),
        (None, Some(segments)) => jpeg_end(segments).is_some(),
        (None, None) => true,
    }
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
