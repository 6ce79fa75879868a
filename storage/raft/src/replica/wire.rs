//! A look at the raw bytes of a peer message, before protobuf 2.28 parses them: it follows unknown groups without a
//! depth limit (RUSTSEC-2024-0437), and a deep enough nest overflows the stack. Our messages have no groups at all.

/// Sub-messages of a raft message by field: entries, snapshot (metadata (membership)).
const MESSAGE: &[(u64, &Shape)] = &[(7, &Shape(&[])), (9, &Shape(SNAPSHOT))];
const SNAPSHOT: &[(u64, &Shape)] = &[(2, &Shape(METADATA))];
const METADATA: &[(u64, &Shape)] = &[(1, &Shape(&[]))];

/// Which fields of a message hold messages themselves. The tree is four deep, so walking it is bounded.
struct Shape(&'static [(u64, &'static Shape)]);

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;

/// True if the bytes are a well-formed sequence of fields without groups, down to every known sub-message.
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    walk(bytes, &Shape(MESSAGE)).is_some()
}

fn walk(mut bytes: &[u8], shape: &Shape) -> Option<()> {
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        match tag & 7 {
            VARINT => {
                varint(&mut bytes)?;
            }
            FIXED_64 => bytes = bytes.get(8..)?,
            FIXED_32 => bytes = bytes.get(4..)?,
            LENGTH_DELIMITED => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let inner = bytes.get(..length)?;
                bytes = bytes.get(length..)?;
                if let Some((_, shape)) = shape.0.iter().find(|(field, _)| *field == tag >> 3) {
                    walk(inner, shape)?;
                }
            }
            _ => return None,
        }
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use protobuf::Message as _;
    use raft::eraftpb::Message;

    #[test]
    fn own_messages_are_plain() {
        // Promise: no message of ours is ever taken for a hostile one.
        let mut message = Message {
            index: u64::MAX,
            ..Message::default()
        };
        message.mut_entries().push(raft::eraftpb::Entry {
            index: 7,
            data: vec![0xff; 300].into(),
            ..Default::default()
        });
        message
            .mut_snapshot()
            .mut_metadata()
            .mut_conf_state()
            .set_voters(vec![1, 2, 3]);
        assert!(is_plain(&message.write_to_bytes().unwrap()));
    }

    #[test]
    fn nested_groups_are_refused() {
        // Promise: a message that would overflow the parser's stack never reaches it, wherever it hides the groups.
        let bomb = vec![0x9b; 1000];
        assert!(!is_plain(&bomb), "at the top");
        let mut in_entry = vec![0x3a, 100];
        in_entry.extend(vec![0x9b; 100]);
        assert!(!is_plain(&in_entry), "inside an entry");
    }

    #[test]
    fn cut_messages_are_refused() {
        // Promise: a truncated message is refused, not read past its end.
        let message = Message {
            index: 300,
            context: vec![1; 50].into(),
            ..Message::default()
        };
        let bytes = message.write_to_bytes().unwrap();
        assert!((1..bytes.len()).any(|end| !is_plain(&bytes[..end])));
        assert!(!is_plain(&bytes[..bytes.len() - 1]));
    }
}
