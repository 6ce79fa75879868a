//! Reading and writing the few shapes that records are made of. A short or overlong input is `None`, never a panic.

/// What is left to read.
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

// === impl Input ===

impl<'a> Input<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    /// LEB128, at most ten bytes.
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A count or a length that fits this machine.
    pub(crate) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    /// Bytes with their length before them.
    pub(crate) fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        self.bytes(length)
    }

    pub(crate) fn digest(&mut self) -> Option<[u8; 32]> {
        self.bytes(32)?.try_into().ok()
    }

    pub(crate) fn u64s(&mut self) -> Option<Vec<u64>> {
        let count = self.length()?;
        (0..count).map(|_| self.varint()).collect()
    }

    /// `Some` only if everything was read.
    pub(crate) fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// LEB128.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes with their length before them.
pub(crate) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A list of numbers with its count before it.
pub(crate) fn put_u64s(out: &mut Vec<u8>, values: &[u64]) {
    put_varint(out, values.len() as u64);
    for value in values {
        put_varint(out, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_bytes_come_back(value: u64, bytes: Vec<u8>, list: Vec<u64>) {
            // What was put is read again, and nothing is left over.
            let mut out = Vec::new();
            put_varint(&mut out, value);
            put_sized(&mut out, &bytes);
            put_u64s(&mut out, &list);
            let mut input = Input::new(&out);
            prop_assert_eq!(input.varint(), Some(value));
            prop_assert_eq!(input.sized(), Some(&bytes[..]));
            prop_assert_eq!(input.u64s(), Some(list));
            prop_assert_eq!(input.end(), Some(()));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            // Garbage is refused, never followed out of bounds.
            let mut input = Input::new(&bytes);
            while input.sized().is_some() {}
            let mut input = Input::new(&bytes);
            while !input.is_empty() && input.u64s().is_some() {}
        }
    }
}
