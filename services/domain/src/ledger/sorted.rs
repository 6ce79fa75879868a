//! A sorted map in chunks behind `Arc`: a clone shares all chunks, and a change copies one chunk that is shared.
//!
//! `std`'s maps copy everything on a clone; a pause of hundreds of milliseconds with a million rows.

use std::collections::VecDeque;
use std::sync::Arc;

/// A chunk is copied by the first change after a clone: small enough to take about a microsecond,
/// large enough that a million rows make only some thousand chunks to share on a clone.
const CHUNK_DEFAULT: usize = 128;

/// Keys in order, each with a value.
#[derive(Clone, Debug)]
pub(crate) struct Sorted<K, V, const CHUNK: usize = CHUNK_DEFAULT> {
    /// The first key of each chunk; kept apart so that a search stays in a few cache lines.
    firsts: Vec<K>,
    /// Never empty ones. Deques, because a queue of what is due changes at its ends.
    chunks: Vec<Arc<VecDeque<(K, V)>>>,
    length: usize,
}

/// Makes a shared chunk this map's own, with room for growth.
fn own<T: Clone>(shared: &mut Arc<VecDeque<T>>, room: usize) -> &mut VecDeque<T> {
    if Arc::get_mut(shared).is_none() {
        let mut copy = VecDeque::with_capacity(room.max(shared.len()));
        let (front, back) = shared.as_slices();
        copy.extend(front.iter().chain(back).cloned());
        *shared = Arc::new(copy);
    }
    Arc::make_mut(shared)
}

// === impl Sorted ===

impl<K, V, const CHUNK: usize> Default for Sorted<K, V, CHUNK> {
    fn default() -> Self {
        Self {
            firsts: Vec::new(),
            chunks: Vec::new(),
            length: 0,
        }
    }
}

impl<K: Copy + Ord, V: Clone, const CHUNK: usize> Sorted<K, V, CHUNK> {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The chunk in which the key is, or would be.
    fn chunk_of(&self, key: &K) -> usize {
        self.firsts
            .partition_point(|first| first <= key)
            .saturating_sub(1)
    }

    fn find(&self, key: &K) -> Option<(usize, Result<usize, usize>)> {
        let chunk = self.chunk_of(key);
        let rows = self.chunks.get(chunk)?;
        Some((chunk, rows.binary_search_by(|row| row.0.cmp(key))))
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self.find(key)? {
            (chunk, Ok(row)) => Some(&self.chunks[chunk][row].1),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.find(key)? {
            (chunk, Ok(row)) => Some(&mut own(&mut self.chunks[chunk], CHUNK)[row].1),
            _ => None,
        }
    }

    /// Puts a value; the one it replaces comes back.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some((chunk, place)) = self.find(&key) else {
            self.append_chunk(key, value);
            return None;
        };
        let row = match place {
            Ok(row) => {
                let rows = own(&mut self.chunks[chunk], CHUNK);
                return Some(std::mem::replace(&mut rows[row].1, value));
            }
            Err(row) => row,
        };
        if self.chunks[chunk].len() < CHUNK {
            self.insert_at(chunk, row, (key, value));
        } else if row == CHUNK && chunk + 1 == self.chunks.len() {
            // Growing keys fill their chunks: nothing to split.
            self.append_chunk(key, value);
        } else {
            self.split(chunk);
            return self.insert(key, value);
        }
        None
    }

    fn append_chunk(&mut self, key: K, value: V) {
        let mut rows = VecDeque::with_capacity(CHUNK);
        rows.push_back((key, value));
        self.firsts.push(key);
        self.chunks.push(Arc::new(rows));
        self.length += 1;
    }

    fn insert_at(&mut self, chunk: usize, row: usize, entry: (K, V)) {
        if row == 0 {
            self.firsts[chunk] = entry.0;
        }
        own(&mut self.chunks[chunk], CHUNK).insert(row, entry);
        self.length += 1;
    }

    fn split(&mut self, chunk: usize) {
        let rows = own(&mut self.chunks[chunk], CHUNK);
        let mut upper = VecDeque::with_capacity(CHUNK);
        upper.extend(rows.drain(CHUNK / 2..));
        self.firsts.insert(chunk + 1, upper[0].0);
        self.chunks.insert(chunk + 1, Arc::new(upper));
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let (chunk, Ok(row)) = self.find(key)? else {
            return None;
        };
        let rows = own(&mut self.chunks[chunk], CHUNK);
        let (_, value) = rows.remove(row)?;
        self.length -= 1;
        match rows.front() {
            None => {
                self.firsts.remove(chunk);
                self.chunks.remove(chunk);
            }
            Some((first, _)) => {
                self.firsts[chunk] = *first;
                self.merge(chunk);
            }
        }
        Some(value)
    }

    /// Two neighbours that fit in half a chunk become one, so that leftovers do not pile up.
    fn merge(&mut self, chunk: usize) {
        if self.chunks[chunk].len() > CHUNK / 4 || chunk + 1 >= self.chunks.len() {
            return;
        }
        if self.chunks[chunk].len() + self.chunks[chunk + 1].len() <= CHUNK / 2 {
            let upper = self.chunks.remove(chunk + 1);
            self.firsts.remove(chunk + 1);
            own(&mut self.chunks[chunk], CHUNK).extend(upper.iter().cloned());
        }
    }

    /// All, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.chunks
            .iter()
            .flat_map(|chunk| chunk.iter())
            .map(|(key, value)| (*key, value))
    }

    /// Those from `key` on, in order.
    pub(crate) fn from(&self, key: K) -> impl Iterator<Item = (K, &V)> {
        let chunk = self.chunk_of(&key);
        self.chunks[chunk.min(self.chunks.len())..]
            .iter()
            .flat_map(|rows| rows.iter())
            .skip_while(move |row| row.0 < key)
            .map(|(key, value)| (*key, value))
    }

    pub(crate) fn last(&self) -> Option<&V> {
        self.chunks.last()?.back().map(|(_, value)| value)
    }

    #[cfg(test)]
    pub(crate) fn first(&self) -> Option<(K, &V)> {
        let (key, value) = self.chunks.first()?.front()?;
        Some((*key, value))
    }
}

#[cfg(test)]
mod tests;
