//! How fresh an answer has to be.

use clap::Args;

/// Option of every command that only looks.
#[derive(Debug, Clone, Copy, Args)]
pub struct Freshness {
    /// Take the answer of the first replica that answers, leader or not, as far as it is: also without a quorum. True at the
    /// revision shown, which may be long ago
    #[arg(long)]
    pub stale: bool,
}
