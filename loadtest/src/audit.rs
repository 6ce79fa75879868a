//! After a load: the client's book against the server's list.

use std::collections::{HashMap, HashSet};

use berth_client::Client;
use berth_proto::v1::ListAllocationsRequest;
use serde::Serialize;

use crate::Error;
use crate::book::Book;
use crate::setup;

/// What the comparison showed. All but `compared` and `doubtful` must be 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Allocations that the client knows for certain.
    pub compared: u64,
    /// Of these, what the server does not have, or has with other addresses.
    pub lost: u64,
    /// What the server has though its DEL was answered.
    pub left_over: u64,
    /// Addresses that the server's own list has twice.
    pub listed_twice: u64,
    /// Requests without an answer: they may be on the list, or not.
    pub doubtful: u64,
    /// The first few faults, in words.
    pub faults: Vec<String>,
}

/// One line of the server's list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The sandbox.
    pub container_id: String,
    /// Its addresses.
    pub addresses: Vec<String>,
}

const PAGE_SIZE: u32 = 500;
/// More say nothing new.
const FAULTS_KEPT: usize = 20;

/// All of this run, as the leader has them.
pub(crate) async fn list(client: &Client, run_prefix: &str) -> Result<Vec<Listed>, Error> {
    let mut listed = Vec::new();
    let mut request = ListAllocationsRequest {
        page_size: PAGE_SIZE,
        ..Default::default()
    };
    loop {
        let page = client.list_allocations(request.clone()).await;
        let page = page.map_err(|source| setup::failed("list allocations", source))?;
        let ours = page.allocations.into_iter().filter_map(|allocation| {
            let key = allocation.attachment?;
            let is_ours = key.container_id.starts_with(run_prefix);
            is_ours.then_some(Listed {
                container_id: key.container_id,
                addresses: allocation.addresses,
            })
        });
        listed.extend(ours);
        if page.next_page_token.is_empty() {
            return Ok(listed);
        }
        request.page_token = page.next_page_token;
    }
}

/// Compares. Pure.
pub fn compare(book: &Book, listed: &[Listed]) -> Audit {
    let mut audit = Audit::default();
    let mut seen = HashSet::new();
    let mut by_holder = HashMap::new();
    for line in listed {
        for address in &line.addresses {
            if !seen.insert(address) {
                audit.listed_twice += 1;
                audit.fault(format!("{address} is on the server's list twice"));
            }
        }
        by_holder.insert(&line.container_id, &line.addresses);
        let holder = &line.container_id;
        if book.is_doubtful(holder) {
            audit.doubtful += 1;
        } else if book.held_by(holder).is_none() {
            audit.left_over += 1;
            audit.fault(format!("{holder} was released and is still listed"));
        }
    }
    for (holder, addresses) in book.held() {
        audit.compared += 1;
        match by_holder.get(holder) {
            Some(listed) if *listed == addresses => {}
            Some(listed) => {
                audit.lost += 1;
                audit.fault(format!(
                    "{holder} was given {addresses:?} and is listed with {listed:?}"
                ));
            }
            None => {
                audit.lost += 1;
                audit.fault(format!(
                    "{holder} was given {addresses:?} and is not listed"
                ));
            }
        }
    }
    audit
}

// === impl Audit ===

impl Audit {
    /// Whether nothing is lost, left over or listed twice.
    pub fn holds(&self) -> bool {
        self.lost + self.left_over + self.listed_twice == 0
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Audit, Listed, compare};
    use crate::book::Book;

    fn line(container_id: &str, address: &str) -> Listed {
        Listed {
            container_id: container_id.to_owned(),
            addresses: vec![address.to_owned()],
        }
    }

    fn book() -> Book {
        let mut book = Book::default();
        book.acquired("a", &["10.0.0.1".to_owned()]);
        book.acquired("b", &["10.0.0.2".to_owned()]);
        book.acquired("c", &["10.0.0.3".to_owned()]);
        book.releasing("c");
        book.released("c");
        book.unknown("d");
        book
    }

    /// Promise: a list that agrees holds; what is doubtful may be on it.
    #[test]
    fn agreement_holds() {
        let listed = [
            line("b", "10.0.0.2"),
            line("a", "10.0.0.1"),
            line("d", "10.0.0.4"),
        ];
        let audit = compare(&book(), &listed);
        assert!(audit.holds(), "{audit:?}");
        assert_eq!((audit.compared, audit.doubtful), (2, 1));
    }

    /// Promise (negative control): each kind of fault is counted.
    #[test]
    fn faults_are_counted() {
        let missing = compare(&book(), &[line("a", "10.0.0.1")]);
        let moved = compare(&book(), &[line("a", "10.0.0.1"), line("b", "10.0.0.9")]);
        assert_eq!((missing.lost, moved.lost), (1, 1));
        let all = [line("a", "10.0.0.1"), line("b", "10.0.0.2")];
        let left = compare(&book(), &[&all[..], &[line("c", "10.0.0.3")]].concat());
        let twice = compare(&book(), &[&all[..], &[line("d", "10.0.0.1")]].concat());
        assert_eq!((left.left_over, twice.listed_twice), (1, 1));
        let holds = [missing, moved, left, twice].iter().any(Audit::holds);
        assert!(!holds);
    }
}
