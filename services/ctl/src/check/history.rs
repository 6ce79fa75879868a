//! Every replica's whole history, read again by the replica itself.

use berth_proto::v1;
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Error;
use crate::session::Session;
use crate::view::check::HistoryCheck;

/// One after the other: each takes a processor.
pub(super) async fn verify(
    session: &Session,
    endpoints: &[String],
) -> Result<Vec<HistoryCheck>, Error> {
    let mut checks = Vec::new();
    for endpoint in endpoints {
        let verdict = of(session, endpoint).await;
        checks.push(match verdict {
            Ok(verdict) => HistoryCheck::new(endpoint, verdict),
            Err(error) => HistoryCheck::unfinished(endpoint, error.sentence()),
        });
    }
    Ok(checks)
}

async fn of(session: &Session, endpoint: &str) -> Result<v1::VerifyHistoryResponse, Error> {
    let client = session.client().only(endpoint)?;
    let request = v1::VerifyHistoryRequest { replay: true };
    let mut stream = client.verify_history(request).await?;
    let style = ProgressStyle::with_template("{msg} {bar:40} revision {pos} of {len}, {eta} left");
    let bar = ProgressBar::new(0).with_message(endpoint.to_owned());
    // The template is a constant that is known to parse.
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    loop {
        let message = stream.message().await;
        let message = message.map_err(|status| Error::CutShort(status.message().to_owned()))?;
        let Some(message) = message else {
            return Err(Error::CutShort("the stream ended".to_owned()));
        };
        bar.set_length(message.until_revision);
        bar.set_position(message.revision);
        if message.done {
            bar.finish_and_clear();
            return Ok(message);
        }
    }
}
