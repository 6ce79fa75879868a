//! ENIs and jobs by number, and by the node they are for.

use super::sorted::Sorted;
use crate::id::{EniId, EniNumber, JobId, NodeId};
use crate::row::{Eni, Job};
use std::sync::Arc;

/// All ENIs of ours, and all jobs that are under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Enis {
    rows: Sorted<EniNumber, Arc<Eni>>,
    of_node: Sorted<(NodeId, EniNumber), ()>,
    jobs: Sorted<JobId, Arc<Job>>,
    jobs_of_node: Sorted<(NodeId, JobId), ()>,
}

// === impl Enis ===

impl Enis {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn jobs_len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn get(&self, number: EniNumber) -> Option<&Arc<Eni>> {
        self.rows.get(&number)
    }

    pub(crate) fn job(&self, id: JobId) -> Option<&Arc<Job>> {
        self.jobs.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Eni>> {
        self.rows.iter().map(|(_, row)| row)
    }

    pub(crate) fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.jobs.iter().map(|(_, row)| row)
    }

    /// Those that were made for a node, in the order of their planning.
    pub(crate) fn of_node(&self, node: NodeId) -> impl Iterator<Item = &Arc<Eni>> {
        let numbers = self.of_node.from((node, EniNumber(0)));
        numbers
            .take_while(move |((of, _), ())| *of == node)
            .filter_map(|((_, number), ())| self.rows.get(&number))
    }

    /// The jobs for a node, in the order of their begin.
    pub(crate) fn jobs_of_node(&self, node: NodeId) -> impl Iterator<Item = &Arc<Job>> {
        let ids = self.jobs_of_node.from((node, JobId(0)));
        ids.take_while(move |((of, _), ())| *of == node)
            .filter_map(|((_, id), ())| self.jobs.get(&id))
    }

    /// The node's ENI that the cloud calls so. A node has a few dozen at most.
    pub(crate) fn named(&self, node: NodeId, id: &EniId) -> Option<&Arc<Eni>> {
        self.of_node(node).find(|row| row.id.as_ref() == Some(id))
    }

    pub(crate) fn set(&mut self, number: EniNumber, after: Option<Arc<Eni>>) {
        let before = match after {
            Some(row) => {
                self.of_node.insert((row.node, number), ());
                self.rows.insert(number, row);
                return;
            }
            None => self.rows.remove(&number),
        };
        if let Some(before) = before {
            self.of_node.remove(&(before.node, number));
        }
    }

    pub(crate) fn set_job(&mut self, id: JobId, after: Option<Arc<Job>>) {
        let before = match after {
            Some(row) => {
                self.jobs_of_node.insert((row.node, id), ());
                self.jobs.insert(id, row);
                return;
            }
            None => self.jobs.remove(&id),
        };
        if let Some(before) = before {
            self.jobs_of_node.remove(&(before.node, id));
        }
    }
}
