//! Rows by slot number, in pages behind `Arc`, copied on the first change after a clone.
//!
//! Indexes name a row by its slot: four bytes without a pointer. A slot's number means nothing outside one replica.

use super::sorted::own;
use std::sync::Arc;

/// Rows are `Arc`s: copying a page counts so many references up, a few microseconds.
const PAGE: usize = 64;

/// Rows by slot.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    pages: Vec<Arc<Vec<Entry<T>>>>,
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

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            vacant: None,
            length: 0,
        }
    }
}

impl<T: Clone> Slab<T> {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        match self
            .pages
            .get(slot as usize / PAGE)?
            .get(slot as usize % PAGE)?
        {
            Entry::Row(row) => Some(row),
            Entry::Vacant { .. } => None,
        }
    }

    fn entry_mut(&mut self, slot: u32) -> Option<&mut Entry<T>> {
        let page = self.pages.get_mut(slot as usize / PAGE)?;
        own(page, PAGE).get_mut(slot as usize % PAGE)
    }

    /// Puts a row into a vacant slot.
    pub(crate) fn insert(&mut self, row: T) -> u32 {
        self.length += 1;
        let Some(slot) = self.vacant else {
            return self.append(row);
        };
        if let Some(entry) = self.entry_mut(slot)
            && let Entry::Vacant { next } = std::mem::replace(entry, Entry::Row(row))
        {
            self.vacant = next;
        }
        slot
    }

    fn append(&mut self, row: T) -> u32 {
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Arc::new(Vec::with_capacity(PAGE)));
        }
        let before = (self.pages.len() - 1) * PAGE;
        let page = &mut self.pages[before / PAGE];
        let page = own(page, PAGE);
        page.push(Entry::Row(row));
        (before + page.len() - 1) as u32
    }

    /// Replaces the row of a slot that has one.
    pub(crate) fn replace(&mut self, slot: u32, row: T) -> Option<T> {
        self.get(slot)?;
        match std::mem::replace(self.entry_mut(slot)?, Entry::Row(row)) {
            Entry::Row(before) => Some(before),
            Entry::Vacant { .. } => None,
        }
    }

    /// Takes the row out; the slot will be used again.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        self.get(slot)?;
        let next = self.vacant;
        let Entry::Row(row) = std::mem::replace(self.entry_mut(slot)?, Entry::Vacant { next })
        else {
            return None;
        };
        self.vacant = Some(slot);
        self.length -= 1;
        Some(row)
    }

    /// All, in an order that means nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let entries = self.pages.iter().flat_map(|page| page.iter());
        entries.enumerate().filter_map(|(slot, entry)| match entry {
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
        let mut slab = Slab::default();
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
