//! Look again and again.

use std::time::Duration;

use crate::error::Error;
use crate::output::{self, Document};
use crate::session::Session;
use crate::view::check::{Look, Watched};

use super::{Replicas, observe};

/// Prints a line for each look; the last is the verdict over all.
pub(super) async fn watch(
    session: &Session,
    replicas: &Replicas,
    every: Duration,
    looks: Option<u64>,
) -> Result<Box<dyn Document>, Error> {
    let mut watched = Watched::default();
    loop {
        let report = observe::look(session, replicas).await?;
        let look: Look = watched.after(report);
        output::print(&look, session.format())?;
        if looks.is_some_and(|looks| watched.looks >= looks) {
            return Ok(Box::new(watched));
        }
        tokio::time::sleep(every).await;
    }
}
