//! Rows by slot number. Indexes name a row by its slot: four bytes without a pointer.
//!
//! A slot's number means nothing outside one replica: it must not leave the ledger, and no decision may depend on it.

use super::layered::Layered;

/// Rows by slot.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T, const SEGMENT: usize = 1024> {
    entries: Layered<Entry<T>, SEGMENT>,
    /// The head of the list of vacant slots.
    vacant: Option<u32>,
    length: usize,
}

#[derive(Clone, Debug)]
enum Entry<T> {
    Row(T),
    Vacant { next: Option<u32> },
}

// === impl Slab ===

impl<T, const SEGMENT: usize> Default for Slab<T, SEGMENT> {
    fn default() -> Self {
        Self {
            entries: Layered::default(),
            vacant: None,
            length: 0,
        }
    }
}

impl<T: Clone, const SEGMENT: usize> Slab<T, SEGMENT> {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        match self.entries.get(slot as usize)? {
            Entry::Row(row) => Some(row),
            Entry::Vacant { .. } => None,
        }
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        match self.entries.get_mut(slot as usize)? {
            Entry::Row(row) => Some(row),
            Entry::Vacant { .. } => None,
        }
    }

    /// Puts a row into a vacant slot.
    pub(crate) fn insert(&mut self, row: T) -> u32 {
        self.length += 1;
        let vacant = self
            .vacant
            .and_then(|slot| Some((slot, self.entries.get_mut(slot as usize)?)));
        let Some((slot, entry)) = vacant else {
            // Four billion rows would be terabytes: the memory ends long before the numbers.
            return self.entries.push(Entry::Row(row)) as u32;
        };
        if let Entry::Vacant { next } = std::mem::replace(entry, Entry::Row(row)) {
            self.vacant = next;
        }
        slot
    }

    /// Replaces the row of a slot that has one.
    pub(crate) fn replace(&mut self, slot: u32, row: T) -> Option<T> {
        Some(std::mem::replace(self.get_mut(slot)?, row))
    }

    /// Takes the row out; the slot will be used again.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        self.get(slot)?;
        let vacant = Entry::Vacant { next: self.vacant };
        let Entry::Row(row) = std::mem::replace(self.entries.get_mut(slot as usize)?, vacant)
        else {
            return None;
        };
        self.vacant = Some(slot);
        self.length -= 1;
        Some(row)
    }

    /// All, in an order that means nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(slot, entry)| match entry {
            Entry::Row(row) => Some((slot as u32, row)),
            Entry::Vacant { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a slot keeps its row until it is removed, then is used again; a clone keeps what it had.
    #[test]
    fn slots_keep_their_rows() {
        let mut slab: Slab<i32> = Slab::default();
        let slots: Vec<u32> = (0..1_000).map(|n| slab.insert(n)).collect();
        let frozen = slab.clone();
        for slot in slots.iter().step_by(2) {
            assert_eq!(slab.remove(*slot), Some(*slot as i32));
            assert_eq!(slab.remove(*slot), None);
        }
        assert_eq!(slab.len(), 500);
        for n in 0..500 {
            assert!(
                slab.insert(10_000 + n) < 1_000,
                "a vacant slot is used first"
            );
        }
        assert_eq!(slab.replace(1, -1), Some(1));
        assert_eq!((slab.get(1), frozen.get(1)), (Some(&-1), Some(&1)));
        assert_eq!(slab.iter().count(), 1_000);
        assert!(frozen.iter().all(|(slot, row)| slot as i32 == *row));
    }
}
