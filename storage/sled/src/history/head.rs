//! The one record that every commit replaces: how far the history reaches and what its index consists of.

use super::index::RunMeta;
use super::{Gap, Through, Void};
use crate::encoding::{Input, put_u64s, put_varint};
use crate::upgrade::HISTORY_HEAD;

/// The newest layout of the record, with the list of voids at its end. A form is one byte as long as there are fewer than
/// 256 of them.
const LAYOUT: u8 = HISTORY_HEAD.newest as u8;
/// Without voids a record is written as the first release wrote it, so that an upgrade can be taken back.
const LAYOUT_WITHOUT_VOIDS: u8 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Counts writes.
    pub(super) sequence: u64,
    pub(super) through: Through,
    /// The oldest revision kept; what is below is dropped, or will be.
    pub(super) floor: u64,
    pub(super) gaps: Vec<Gap>,
    /// Complete segments that no run covers yet, by first revision.
    pub(super) pending: Vec<u64>,
    pub(super) runs: Vec<RunMeta>,
    /// Runs that others replaced and whose blocks are not all removed.
    pub(super) doomed: Vec<RunMeta>,
    /// Blocks of runs from this id on were never finished.
    pub(super) next_run: u64,
    /// The run that a merge is writing, a slice at a time; 0 = none.
    pub(super) merging: u64,
    /// Revisions that never were, oldest first.
    pub(super) voids: Vec<Void>,
}

// === impl Head ===

impl Default for Head {
    fn default() -> Self {
        Self {
            sequence: 0,
            through: Through::default(),
            floor: 1,
            gaps: Vec::new(),
            pending: Vec::new(),
            runs: Vec::new(),
            doomed: Vec::new(),
            next_run: 1,
            merging: 0,
            voids: Vec::new(),
        }
    }
}

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let layout = match self.voids.is_empty() {
            true => LAYOUT_WITHOUT_VOIDS,
            false => LAYOUT,
        };
        let mut out = vec![layout];
        put_varint(&mut out, self.sequence);
        put_varint(&mut out, self.through.revision);
        put_varint(&mut out, self.through.index);
        out.extend_from_slice(&self.through.chain);
        put_varint(&mut out, self.floor);
        put_varint(&mut out, self.gaps.len() as u64);
        for gap in &self.gaps {
            put_varint(&mut out, gap.first);
            put_varint(&mut out, gap.last);
            out.extend_from_slice(&gap.chain);
        }
        put_u64s(&mut out, &self.pending);
        for runs in [&self.runs, &self.doomed] {
            put_varint(&mut out, runs.len() as u64);
            runs.iter().for_each(|run| run.encode(&mut out));
        }
        put_varint(&mut out, self.next_run);
        put_varint(&mut out, self.merging);
        if layout == LAYOUT {
            let bounds = self.voids.iter().flat_map(|void| [void.first, void.last]);
            put_u64s(&mut out, &bounds.collect::<Vec<_>>());
        }
        out
    }

    /// Of a record in the newest layout.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Input::new(bytes);
        if input.u8()? != LAYOUT {
            return None;
        }
        let sequence = input.varint()?;
        let through = Through {
            revision: input.varint()?,
            index: input.varint()?,
            chain: input.digest()?,
        };
        let floor = input.varint()?;
        let count = input.length()?;
        let gaps = (0..count).map(|_| gap(&mut input)).collect::<Option<_>>()?;
        let head = Self {
            sequence,
            through,
            floor,
            gaps,
            pending: input.u64s()?,
            runs: runs(&mut input)?,
            doomed: runs(&mut input)?,
            next_run: input.varint()?,
            merging: input.varint()?,
            voids: voids(&input.u64s()?)?,
        };
        input.end().map(|()| head)
    }
}

fn gap(input: &mut Input<'_>) -> Option<Gap> {
    Some(Gap {
        first: input.varint()?,
        last: input.varint()?,
        chain: input.digest()?,
    })
}

fn voids(bounds: &[u64]) -> Option<Vec<Void>> {
    let (pairs, rest) = bounds.as_chunks::<2>();
    let void = |[first, last]: &[u64; 2]| Void {
        first: *first,
        last: *last,
    };
    rest.is_empty().then(|| pairs.iter().map(void).collect())
}

fn runs(input: &mut Input<'_>) -> Option<Vec<RunMeta>> {
    let count = input.length()?;
    (0..count).map(|_| RunMeta::decode(input)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_head_comes_back_as_it_was_written() {
        // Reach, floor, gaps and the list of runs survive together.
        let run = RunMeta {
            id: 4,
            level: 1,
            first: 10,
            last: 90,
            blocks: 3,
            fence_parts: 1,
        };
        let head = Head {
            sequence: 7,
            through: Through {
                revision: 100,
                index: 300,
                chain: [8; 32],
            },
            floor: 5,
            gaps: vec![Gap {
                first: 6,
                last: 9,
                chain: [1; 32],
            }],
            pending: vec![91, 95],
            runs: vec![run],
            doomed: vec![run, run],
            next_run: 5,
            merging: 4,
            voids: Vec::new(),
        };
        let voids = vec![
            Void {
                first: 40,
                last: 60,
            },
            Void {
                first: 70,
                last: 70,
            },
        ];
        let with_voids = Head {
            voids,
            ..head.clone()
        };
        // Without voids it is what the first release reads.
        assert_eq!((head.encode()[0], with_voids.encode()[0]), (1, 2));
        for head in [head, with_voids] {
            let bytes = HISTORY_HEAD.brought_up(head.encode(), Path::new("history"));
            let bytes = bytes.expect("a form that is known");
            assert_eq!(Head::decode(&bytes), Some(head));
            for length in 0..bytes.len() {
                assert_eq!(Head::decode(&bytes[..length]), None);
            }
        }
    }
}
