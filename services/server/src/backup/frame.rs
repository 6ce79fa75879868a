//! Frames: kind, length, checksum, payload (berth/log/v1/backup.proto).

use super::Error;
use std::io::{self, Read};

/// What a backup begins with.
pub const MAGIC: &[u8; 8] = b"BERTHBK1";

/// A length beyond this is damage: makers stay far below.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Kind, length, checksum.
const HEAD_BYTES: usize = 9;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `BackupHeader`.
    Header,
    /// `SnapshotChunk`.
    Ledger,
    /// `BackupHistory`.
    History,
    /// `BackupEnd`.
    End,
}

/// Reads frames and counts and hashes what it has read.
#[derive(Debug)]
pub struct Reading<R> {
    input: R,
    hasher: blake3::Hasher,
    bytes: u64,
    frames: u64,
}

/// One frame, and what had come before it.
#[derive(Debug)]
pub struct Frame {
    /// What it holds.
    pub kind: Kind,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Where in the file it begins.
    pub at: u64,
    /// Frames before it.
    pub frames_before: u64,
    /// BLAKE3 of everything before it.
    pub digest_before: [u8; 32],
}

// === impl Kind ===

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Header => 1,
            Self::Ledger => 2,
            Self::History => 3,
            Self::End => 4,
        }
    }

    fn of(number: u8) -> Option<Self> {
        [Self::Header, Self::Ledger, Self::History, Self::End]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

/// A frame's bytes.
pub fn encode(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEAD_BYTES + payload.len());
    frame.push(kind.number());
    // Payloads are chunks and pages, far below 4 GiB.
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    let sum = crc32c::crc32c_append(crc32c::crc32c(&frame), payload);
    frame.extend_from_slice(&sum.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

// === impl Reading ===

impl<R: Read> Reading<R> {
    /// Checks what the file begins with.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut reading = Self {
            input,
            hasher: blake3::Hasher::new(),
            bytes: 0,
            frames: 0,
        };
        let mut magic = [0; MAGIC.len()];
        match reading.fill(&mut magic) {
            Ok(()) if magic == *MAGIC => Ok(reading),
            Ok(()) | Err(Error::Truncated { .. }) => Err(Error::NotABackup),
            Err(error) => Err(error),
        }
    }

    /// The next frame. That there is none is an error: the last one says that it is the last.
    pub fn next(&mut self) -> Result<Frame, Error> {
        let (at, frames_before) = (self.bytes, self.frames);
        let digest_before = *self.hasher.finalize().as_bytes();
        let mut head = [0; HEAD_BYTES];
        self.fill(&mut head)?;
        let damaged = |what: &'static str| Error::Damaged { at, what };
        let kind = Kind::of(head[0]).ok_or_else(|| damaged("it is of no kind that there is"))?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > PAYLOAD_BYTES_MAX {
            return Err(damaged("it is longer than any"));
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload)?;
        let sum = crc32c::crc32c_append(crc32c::crc32c(&head[..5]), &payload);
        if sum.to_le_bytes() != head[5..] {
            return Err(damaged("its checksum does not fit"));
        }
        self.frames += 1;
        Ok(Frame {
            kind,
            payload,
            at,
            frames_before,
            digest_before,
        })
    }

    /// Nothing follows.
    pub fn end(mut self) -> Result<(), Error> {
        let at = self.bytes;
        match self.input.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Error::Damaged {
                at,
                what: "something follows the end",
            }),
            Err(source) => Err(Error::Read(source)),
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        match self.input.read_exact(buffer) {
            Ok(()) => {
                self.hasher.update(buffer);
                self.bytes += buffer.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Error::Truncated { at: self.bytes })
            }
            Err(source) => Err(Error::Read(source)),
        }
    }
}
