//! Filling a history that has a hole: a replica that was restored from a snapshot knows where the chain stands, not how it came there.

use super::plan::plan;
use super::writer::settle_keys;
use super::{Gap, HistoryWriter, Record, Through, Void};
use crate::Error;

impl HistoryWriter {
    /// Goes on after `to` without the records up to it, because a snapshot put the replica there. Durable on return.
    ///
    /// # Errors
    /// `Misuse` for a place behind the present one or with uncommitted records; `Damaged` if the chain differs at the same revision.
    pub fn jump(&mut self, to: Through) -> Result<(), Error> {
        let result = self.jump_to(to);
        self.finish(result)
    }

    fn jump_to(&mut self, to: Through) -> Result<(), Error> {
        let through = self.head.through;
        if self.buffered() > 0 || to.revision < through.revision || to.index < through.index {
            return Err(Error::misuse(format!(
                "a jump of the history from revision {} to {}",
                through.revision, to.revision
            )));
        }
        let mut head = self.head.clone();
        head.through = to;
        if to.revision > through.revision {
            head.gaps.push(Gap {
                first: (through.revision + 1).max(head.floor),
                last: to.revision,
                chain: to.chain,
            });
        } else if to.chain != through.chain {
            return Err(self.shared.database.damaged(format!(
                "the snapshot's hash at revision {} is not the history's",
                to.revision
            )));
        }
        self.reach(to.index);
        let nothing = plan(&self.shared.state(), Vec::new(), through.chain, false);
        self.store(head, nothing)
    }

    /// The revisions behind the newest, up to the one before `next`, never were. Durable on return.
    ///
    /// # Errors
    /// `Misuse` if `next` is not above what follows by itself, or with uncommitted records.
    pub fn skip_to(&mut self, next: u64) -> Result<(), Error> {
        let result = self.skip(next);
        self.finish(result)
    }

    fn skip(&mut self, next: u64) -> Result<(), Error> {
        let newest = self.head.through.revision;
        if self.buffered() > 0 || next <= newest + 1 {
            return Err(Error::misuse(format!(
                "a skip of the history from revision {newest} to {next}"
            )));
        }
        let mut head = self.head.clone();
        head.through.revision = next - 1;
        head.voids.push(Void {
            first: (newest + 1).max(head.floor),
            last: next - 1,
        });
        let nothing = plan(&self.shared.state(), Vec::new(), head.through.chain, false);
        self.store(head, nothing)
    }

    /// The beginning of a gap, up to the revision before `next`, never was. Durable on return.
    ///
    /// # Errors
    /// `Misuse` if no gap begins at `first`, or it does not reach to `next`.
    pub fn import_void(&mut self, first: u64, next: u64) -> Result<(), Error> {
        let result = self.void(first, next);
        self.finish(result)
    }

    fn void(&mut self, first: u64, next: u64) -> Result<(), Error> {
        let mut head = self.head.clone();
        let mut gaps = head.gaps.iter_mut();
        let gap = gaps.find(|gap| gap.first == first && first < next && next <= gap.last);
        let Some(gap) = gap else {
            return Err(Error::misuse(format!(
                "no revisions from {first} to {next} into the history, which has no such gap"
            )));
        };
        gap.first = next;
        head.voids.push(Void {
            first,
            last: next - 1,
        });
        head.voids.sort_by_key(|void| void.first);
        let nothing = plan(&self.shared.state(), Vec::new(), head.through.chain, false);
        self.store(head, nothing)
    }

    /// Fills the beginning of a gap: consecutive records from [`Gap::first`] on. Durable on return; the gap shrinks, so that a
    /// broken transfer goes on where it stopped. If the sender's floor is higher, call [`HistoryWriter::drop_before`] first.
    ///
    /// # Errors
    /// `Misuse` if they do not begin a gap or reach over its end; `Damaged` if the last one does not join the chain.
    pub fn import(&mut self, records: Vec<Record>) -> Result<(), Error> {
        let result = self.fill(records);
        self.finish(result)
    }

    fn fill(&mut self, mut records: Vec<Record>) -> Result<(), Error> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Ok(());
        };
        let (first, last, chain) = (first.revision, last.revision, last.chain);
        let mut head = self.head.clone();
        let gap = head.gaps.iter_mut().find(|gap| gap.first == first);
        let Some(gap) = gap.filter(|gap| gap.last >= last) else {
            return Err(Error::misuse(format!(
                "revisions {first} to {last} into the history, which has no such gap"
            )));
        };
        let consecutive = records
            .iter()
            .zip(first..)
            .all(|(record, revision)| record.revision == revision);
        if !consecutive {
            return Err(Error::misuse(format!("revisions after {first} with holes")));
        }
        let closes = gap.last == last;
        if closes && gap.chain != chain {
            let what = format!("the imported history does not join at revision {last}");
            return Err(self.shared.database.damaged(what));
        }
        gap.first = last + 1;
        head.gaps.retain(|gap| gap.first <= gap.last);
        records.iter_mut().try_for_each(settle_keys)?;
        let plan = {
            let state = self.shared.state();
            let before = first
                .checked_sub(1)
                .and_then(|revision| state.covering(revision));
            let chain_before = before.map_or([0; 32], |header| header.chain_last);
            plan(&state, records, chain_before, closes)
        };
        self.store(head, plan)?;
        self.tidy()?;
        Ok(())
    }
}
