//! The client's own book of who holds which address. An address is held for certain from the moment its ADD was answered
//! until its DEL is sent; two holders of one address at one such moment is the fault that must never be.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

/// Who holds: an attachment's container id.
pub type Holder = String;

/// Who holds what, and what was wrong so far.
#[derive(Debug, Default)]
pub struct Book {
    by_address: HashMap<String, Holder>,
    by_holder: HashMap<Holder, Vec<String>>,
    /// Attachments of which nothing is certain: an ADD or a DEL without an answer.
    doubtful: HashSet<Holder>,
    statics: BTreeMap<String, Vec<String>>,
    counts: Counts,
    faults: Vec<String>,
}

/// What was done, and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// ADDs answered with an address.
    pub allocations: u64,
    /// DELs answered.
    pub releases: u64,
    /// Addresses with two holders at once. Must be 0.
    pub duplicates: u64,
    /// Re-creations of static pods that were answered.
    pub statics_recreated: u64,
    /// Of these, with the very same addresses. Must be all.
    pub statics_kept: u64,
}

/// More than these say nothing new.
const FAULTS_KEPT: usize = 20;

// === impl Book ===

impl Book {
    /// An ADD was answered.
    pub fn acquired(&mut self, holder: &str, addresses: &[String]) {
        self.counts.allocations += 1;
        self.doubtful.remove(holder);
        for address in addresses {
            let before = self.by_address.insert(address.clone(), holder.to_owned());
            if let Some(other) = before.filter(|other| other != holder) {
                self.counts.duplicates += 1;
                self.fault(format!(
                    "{address} is held by {other} and was given to {holder}"
                ));
            }
        }
        if addresses.is_empty() {
            self.counts.duplicates += 1;
            self.fault(format!("{holder} was answered without an address"));
        }
        self.by_holder.insert(holder.to_owned(), addresses.to_vec());
    }

    /// The same, of a static pod: its claim's addresses never change.
    pub fn acquired_static(&mut self, claim: &str, holder: &str, addresses: &[String]) {
        self.acquired(holder, addresses);
        let Some(before) = self.statics.get(claim) else {
            self.statics.insert(claim.to_owned(), addresses.to_vec());
            return;
        };
        self.counts.statics_recreated += 1;
        if before == addresses {
            self.counts.statics_kept += 1;
        } else {
            self.fault(format!(
                "{claim} had {before:?} and was given {addresses:?}"
            ));
        }
    }

    /// A DEL is about to be sent: from now on nothing is certain.
    pub fn releasing(&mut self, holder: &str) {
        for address in self.by_holder.remove(holder).unwrap_or_default() {
            if self
                .by_address
                .get(&address)
                .is_some_and(|other| other == holder)
            {
                self.by_address.remove(&address);
            }
        }
        self.doubtful.insert(holder.to_owned());
    }

    /// A DEL was answered.
    pub fn released(&mut self, holder: &str) {
        self.counts.releases += 1;
        self.doubtful.remove(holder);
    }

    /// An ADD had no answer: it may hold something, or not.
    pub fn unknown(&mut self, holder: &str) {
        self.doubtful.insert(holder.to_owned());
    }

    /// What was counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What was wrong, in words; the first few.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Who holds what for certain.
    pub fn held(&self) -> impl Iterator<Item = (&Holder, &Vec<String>)> {
        self.by_holder.iter()
    }

    /// What this holder has for certain.
    pub fn held_by(&self, holder: &str) -> Option<&[String]> {
        self.by_holder.get(holder).map(Vec::as_slice)
    }

    /// Whether it may or may not hold something.
    pub fn is_doubtful(&self, holder: &str) -> bool {
        self.doubtful.contains(holder)
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Book;

    fn one(address: &str) -> Vec<String> {
        vec![address.to_owned()]
    }

    /// Promise: one address after another holder, one holder twice, and two addresses are no fault.
    #[test]
    fn an_honest_run_has_no_fault() {
        let mut book = Book::default();
        book.acquired("a", &one("10.0.0.1"));
        book.acquired("a", &one("10.0.0.1"));
        book.acquired("b", &one("10.0.0.2"));
        book.releasing("a");
        assert!(book.is_doubtful("a"));
        book.acquired("c", &one("10.0.0.1"));
        book.released("a");
        assert!(!book.is_doubtful("a"));
        assert_eq!((book.counts().duplicates, book.held().count()), (0, 2));
        assert_eq!(book.held_by("c"), Some(&one("10.0.0.1")[..]));
    }

    /// Promise (negative control): an address given twice, and an answer without one, are counted.
    #[test]
    fn duplicates_are_counted() {
        let mut book = Book::default();
        book.acquired("a", &one("10.0.0.1"));
        book.acquired("b", &one("10.0.0.1"));
        book.acquired("c", &[]);
        assert_eq!(book.counts().duplicates, 2);
        assert!(book.faults()[0].contains("10.0.0.1 is held by a and was given to b"));
        // The DEL of the first does not free what the second holds.
        book.releasing("a");
        book.acquired("d", &one("10.0.0.1"));
        assert_eq!(book.counts().duplicates, 3);
    }

    /// Promise (negative control): a static pod with another address is counted.
    #[test]
    fn statics_are_counted() {
        let mut book = Book::default();
        book.acquired_static("web-0", "a", &one("10.0.0.1"));
        book.releasing("a");
        book.acquired_static("web-0", "b", &one("10.0.0.1"));
        book.releasing("b");
        book.acquired_static("web-0", "c", &one("10.0.0.9"));
        let counts = book.counts();
        assert_eq!((counts.statics_recreated, counts.statics_kept), (2, 1));
    }
}
