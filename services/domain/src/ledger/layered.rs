//! An array in segments behind `Arc`. A clone shares all segments; a change of an element in a shared segment is laid
//! over it, so that it copies that element and nothing else. When the clones are gone, the layers sink back.
//!
//! This is what keeps a snapshot from pausing the writers: with a million rows a clone counts some thousand references
//! up, and no write afterwards copies more than it would have read.

use std::collections::BTreeMap;
use std::sync::Arc;

/// References counted by a clone are the rows divided by this; what sinks back at once is at most this.
const SEGMENT_DEFAULT: usize = 1024;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Layered<T, const SEGMENT: usize = SEGMENT_DEFAULT> {
    segments: Vec<Segment<T>>,
    length: usize,
}

#[derive(Clone, Debug)]
struct Segment<T> {
    base: Arc<Vec<T>>,
    /// By place in the segment, the newest layer last; those past the base's end were appended. Only a layer that is
    /// not shared is written to.
    over: Vec<Arc<BTreeMap<usize, Box<T>>>>,
}

/// More layers than this are made one: each is looked through by a read.
const LAYERS_MAX: usize = 3;
/// Elements of the layers that sink with every write, beside the one written: they come to an end, and no write is slow.
const SUNK_AT_ONCE: usize = 1;

// === impl Layered ===

impl<T, const SEGMENT: usize> Default for Layered<T, SEGMENT> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
            length: 0,
        }
    }
}

impl<T: Clone, const SEGMENT: usize> Layered<T, SEGMENT> {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        let segment = self.segments.get(index / SEGMENT)?;
        let place = index % SEGMENT;
        match segment.over.is_empty() {
            true => segment.base.get(place),
            false => segment.read(place),
        }
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let segment = self.segments.get_mut(index / SEGMENT)?;
        let place = index % SEGMENT;
        if segment.sink(place) {
            return Arc::get_mut(&mut segment.base)?.get_mut(place);
        }
        if !segment.top()?.contains_key(&place) {
            let copy = segment.read(place)?.clone();
            segment.top()?.insert(place, Box::new(copy));
        }
        segment.top()?.get_mut(&place).map(|element| &mut **element)
    }

    /// Appends an element; its index comes back.
    pub(crate) fn push(&mut self, element: T) -> usize {
        let (index, place) = (self.length, self.length % SEGMENT);
        self.length += 1;
        if place == 0 {
            let base = Arc::new(Vec::with_capacity(SEGMENT));
            let over = Vec::new();
            self.segments.push(Segment { base, over });
        }
        let segment = &mut self.segments[index / SEGMENT];
        match Arc::get_mut(&mut segment.base) {
            Some(base) if base.len() == place => base.push(element),
            _ => {
                segment
                    .top()
                    .map(|top| top.insert(place, Box::new(element)));
            }
        }
        index
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.length).filter_map(|index| self.get(index))
    }
}

// === impl Segment ===

impl<T: Clone> Segment<T> {
    fn read(&self, place: usize) -> Option<&T> {
        let layers = self.over.iter().rev();
        let over = layers.filter_map(|layer| layer.get(&place)).next();
        over.map_or_else(|| self.base.get(place), |element| Some(element))
    }

    /// The layer to write to. Always there.
    fn top(&mut self) -> Option<&mut BTreeMap<usize, Box<T>>> {
        if self
            .over
            .last_mut()
            .is_none_or(|top| Arc::get_mut(top).is_none())
        {
            if self.over.len() >= LAYERS_MAX {
                let layers = std::mem::take(&mut self.over).into_iter();
                let all = layers.flat_map(Arc::unwrap_or_clone).collect();
                self.over.push(Arc::new(all));
            } else {
                self.over.push(Arc::default());
            }
        }
        self.over.last_mut().and_then(Arc::get_mut)
    }

    /// True if the element can be changed in the base: nobody shares it, and nothing lies over the element any more.
    /// Each time a few others sink as well, so that no write pays for all of them.
    fn sink(&mut self, place: usize) -> bool {
        let Some(base) = Arc::get_mut(&mut self.base) else {
            return false;
        };
        // A clone on another thread lets go of them one by one.
        if self
            .over
            .iter_mut()
            .any(|layer| Arc::get_mut(layer).is_none())
        {
            return false;
        }
        // What is only appended yet stays in its layers, where a newer one may lie over it.
        let in_base = place < base.len();
        if in_base {
            let layers = self.over.iter_mut().filter_map(Arc::get_mut);
            let newest = layers.filter_map(|layer| layer.remove(&place)).last();
            newest
                .into_iter()
                .for_each(|element| put(base, place, *element));
        }
        for _ in 0..SUNK_AT_ONCE {
            let Some(oldest) = self.over.first_mut() else {
                break;
            };
            match Arc::get_mut(oldest).and_then(BTreeMap::pop_first) {
                Some((place, element)) => put(base, place, *element),
                None => drop(self.over.remove(0)),
            }
        }
        in_base
    }
}

/// Into its place, or at the end: what was appended sinks in its order.
fn put<T>(base: &mut Vec<T>, place: usize, element: T) {
    match base.get_mut(place) {
        Some(old) => *old = element,
        None => base.push(element),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: it is a `Vec` with clones that stay as they were, through shared and unshared times.
    #[test]
    fn a_clone_is_frozen() {
        let mut layered: Layered<u32, 8> = Layered::default();
        let mut model = Vec::new();
        let mut frozen = Vec::new();
        for round in 0..60_u32 {
            for n in 0..10 {
                assert_eq!(layered.push(round * n), model.len());
                model.push(round * n);
                let at = (round * 7 + n * 13) as usize % model.len();
                *layered.get_mut(at).expect("is there") += 1;
                model[at] += 1;
            }
            if round % 3 == 0 {
                frozen.push((layered.clone(), model.clone()));
            }
            if round % 7 == 0 {
                frozen.clear();
            }
            assert!(layered.iter().eq(&model));
            assert!(
                frozen
                    .iter()
                    .all(|(layered, model)| layered.iter().eq(model))
            );
        }
        assert_eq!(
            (layered.get(model.len()), layered.len()),
            (None, model.len())
        );
    }

    /// Promise: a change beside a clone copies one element, and once the clone is gone the layers sink, a few at a time.
    #[test]
    fn a_layer_is_small_and_sinks() {
        let mut layered: Layered<u32, 1024> = Layered::default();
        (0..800).for_each(|n| _ = layered.push(n));
        let over = |layered: &Layered<u32, 1024>| -> usize {
            let layers = layered.segments.iter().flat_map(|segment| &segment.over);
            layers.map(|layer| layer.len()).sum()
        };
        let mut frozen = Vec::new();
        for round in 0..10 {
            frozen.push(layered.clone());
            (0..10).for_each(|n| *layered.get_mut(n * 7 + round).expect("is there") += 1_000);
            assert!(over(&layered) <= 11 * (round + 1), "{}", over(&layered));
            layered.push(1);
            assert!(layered.segments[0].over.len() <= LAYERS_MAX + 1);
        }
        let (before, all) = (over(&layered), layered.iter().copied().collect::<Vec<_>>());
        frozen.clear();
        layered.get_mut(799).expect("is there");
        let after = over(&layered);
        assert!(
            after < before && after + 2 * SUNK_AT_ONCE >= before,
            "{before} then {after}"
        );
        (0..before).for_each(|_| _ = layered.get_mut(799));
        assert_eq!(over(&layered), 0);
        assert!(layered.iter().eq(&all));
    }

    /// Promise: what was appended beside one clone and changed beside the next has its newest value once both are gone.
    #[test]
    fn appended_then_changed() {
        let mut layered: Layered<u32, 8> = Layered::default();
        layered.push(10);
        let first = layered.clone();
        layered.push(11);
        let second = layered.clone();
        *layered.get_mut(1).expect("pushed") = 21;
        drop((first, second));
        *layered.get_mut(1).expect("pushed") += 10;
        for _ in 0..9 {
            assert_eq!(layered.iter().copied().collect::<Vec<_>>(), [10, 31]);
            layered.get_mut(0);
        }
    }

    /// Promise: a clone that another thread lets go of, at any moment, takes nothing with it and brings nothing back.
    #[test]
    fn clones_end_on_other_threads() {
        let (send, receive) = std::sync::mpsc::channel::<Layered<u32, 64>>();
        let dropper =
            std::thread::spawn(move || receive.into_iter().map(|clone| clone.len()).sum::<usize>());
        let mut layered: Layered<u32, 64> = Layered::default();
        let mut model = Vec::new();
        for round in 0..3_000_u32 {
            layered.push(round);
            model.push(round);
            for n in 0..8 {
                let at = (round * 31 + n * 977) as usize % model.len();
                *layered.get_mut(at).expect("is there") ^= round;
                model[at] ^= round;
            }
            if round % 5 == 0 {
                send.send(layered.clone()).expect("the other thread lives");
            }
        }
        drop(send);
        assert!(dropper.join().expect("it ends") > 0);
        assert!(layered.iter().eq(&model));
        (0..model.len()).for_each(|at| assert_eq!(layered.get_mut(at).copied(), Some(model[at])));
    }
}
