//! For programs that ask once and exit.

use std::future::Future;
use std::io;

/// Runs `work` to its end on this thread: no other thread is started, unless a name has to be resolved.
pub fn block_on<F: Future>(work: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let output = runtime.block_on(work);
    // A resolver that still looks for a name nobody needs must not hold up the exit.
    runtime.shutdown_background();
    Ok(output)
}
