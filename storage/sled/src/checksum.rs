//! The frame around every value: a checksum over key, kind and payload.
//!
//! sled has checksums of its own; these also catch a value that came back under the wrong key, of the wrong kind or
//! of another time (the links in the log and in the history do the last).

/// Checksum and kind.
const FRAME_BYTES: usize = 5;

/// Wraps a payload. CRC-32C (Castagnoli), little-endian, then the kind, then the payload.
pub(crate) fn frame(kind: u8, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(FRAME_BYTES + payload.len());
    value.extend_from_slice(&checksum(kind, key, payload).to_le_bytes());
    value.push(kind);
    value.extend_from_slice(payload);
    value
}

/// The payload, if everything fits; otherwise what does not.
pub(crate) fn unframe<'a>(kind: u8, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], String> {
    let Some((head, payload)) = value.split_at_checked(FRAME_BYTES) else {
        return Err(format!("record {} is too short", name(key)));
    };
    let stored = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    if head[4] != kind || stored != checksum(kind, key, payload) {
        return Err(format!("record {} does not match its checksum", name(key)));
    }
    Ok(payload)
}

fn checksum(kind: u8, key: &[u8], payload: &[u8]) -> u32 {
    let of_key = crc32c::crc32c(key);
    crc32c::crc32c_append(crc32c::crc32c_append(of_key, &[kind]), payload)
}

fn name(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32c() {
        // Its check value is 0xe3069283 (RFC 3720, B.4's polynomial over the digits); that of CRC-32 (IEEE) is another one.
        let value = frame(b'3', b"12", b"456789");
        assert_eq!(value[..4], 0xe306_9283_u32.to_le_bytes());
    }

    #[test]
    fn a_frame_opens_only_as_what_was_closed() {
        // A value that moved to another key, changed its kind or one bit is never taken for the right one.
        let value = frame(b'l', b"key", b"payload");
        assert_eq!(unframe(b'l', b"key", &value), Ok(&b"payload"[..]));
        assert!(unframe(b'l', b"kez", &value).is_err());
        assert!(unframe(b's', b"key", &value).is_err());
        assert!(unframe(b'l', b"key", &value[..4]).is_err());
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(unframe(b'l', b"key", &flipped).is_err(), "bit {bit}");
        }
    }
}
