//! The smallest machine worth replicating: it adds up numbers and refuses none, and its clients write down what they saw.

use super::random::Random;
use super::workload::{Applied, Violation, Workload};
use crate::state_machine::{CHUNK_BYTES_MAX, Error, StateMachine};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Sums 64-bit numbers, remembering how many there were and a running hash of their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// How many were added.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// Depends on every number and on their order.
    pub order: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unknown(&'static str);

/// Clients of a [`Counter`]: every number is proposed once; an acknowledged one is in the state for ever, and
/// none is counted twice.
#[derive(Default)]
pub struct CounterLoad {
    next: u64,
    /// Acknowledged: applied on a leader of its term.
    acknowledged: BTreeMap<u64, u64>,
    /// The number each index carries.
    by_index: BTreeMap<u64, u64>,
    proposed: BTreeSet<u64>,
}

// === impl Counter ===

impl StateMachine for Counter {
    /// The number added.
    type Effect = u64;
    type Image = Counter;

    fn apply(&mut self, index: u64, data: &[u8]) -> Result<u64, Error> {
        let bytes: [u8; 8] = data
            .get(..8)
            .and_then(|head| head.try_into().ok())
            .ok_or(Error {
                index,
                source: Box::new(Unknown("an entry begins with eight bytes")),
            })?;
        let number = u64::from_le_bytes(bytes);
        self.count += 1;
        self.sum = self.sum.wrapping_add(number);
        self.order = self.order.rotate_left(7).wrapping_mul(0x100_0000_01b3) ^ number;
        Ok(number)
    }

    fn freeze(&self) -> Counter {
        self.clone()
    }

    fn encode(image: Counter) -> Box<dyn Iterator<Item = Vec<u8>> + Send> {
        // Three chunks, so that transfers have something to lose.
        let numbers = [image.count, image.sum, image.order];
        const { assert!(CHUNK_BYTES_MAX > 8) };
        Box::new(
            numbers
                .into_iter()
                .map(|number| number.to_le_bytes().to_vec()),
        )
    }

    fn restore(
        &mut self,
        index: u64,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), Error> {
        let mut number = || {
            let chunk = chunks
                .next()
                .and_then(|chunk| <[u8; 8]>::try_from(chunk).ok());
            chunk.map(u64::from_le_bytes).ok_or(Error {
                index,
                source: Box::new(Unknown("a chunk is missing")),
            })
        };
        *self = Counter {
            count: number()?,
            sum: number()?,
            order: number()?,
        };
        Ok(())
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&self.count.to_le_bytes());
        digest[8..16].copy_from_slice(&self.sum.to_le_bytes());
        digest[16..24].copy_from_slice(&self.order.to_le_bytes());
        digest
    }
}

// === impl CounterLoad ===

impl CounterLoad {
    /// How many numbers were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// The next proposal.
    pub fn next_number(&mut self) -> Bytes {
        self.next += 1;
        self.proposed.insert(self.next);
        Bytes::copy_from_slice(&self.next.to_le_bytes())
    }
}

impl Workload for CounterLoad {
    type Machine = Counter;

    fn machine(&self) -> Counter {
        Counter::default()
    }

    fn propose(&mut self, _random: &mut Random, _member: u64, _machine: &Counter) -> Option<Bytes> {
        Some(self.next_number())
    }

    fn applied(&mut self, applied: &Applied, number: &u64) -> Result<(), Violation> {
        let number = *number;
        if !self.proposed.contains(&number) {
            return Err(Violation::new("H1", format!("nobody proposed {number}")));
        }
        if *self.by_index.entry(applied.index).or_insert(number) != number {
            return Err(Violation::new(
                "R5",
                format!("two numbers at index {}", applied.index),
            ));
        }
        if applied.leads {
            self.acknowledged.insert(number, applied.index);
        }
        Ok(())
    }

    fn check(&mut self, member: u64, machine: &Counter) -> Result<(), Violation> {
        let replayed = self
            .by_index
            .values()
            .take(machine.count as usize)
            .fold(0u64, |sum, n| sum.wrapping_add(*n));
        if replayed != machine.sum {
            return Err(Violation::new(
                "H2",
                format!("member {member}'s sum is not that of its entries"),
            ));
        }
        let lost = self
            .acknowledged
            .iter()
            .find(|(number, index)| self.by_index.get(index) != Some(number));
        match lost {
            Some((number, index)) => Err(Violation::new(
                "R3",
                format!("{number} was acknowledged at {index} and is gone"),
            )),
            None => Ok(()),
        }
    }
}
