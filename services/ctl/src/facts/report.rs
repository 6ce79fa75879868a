//! `berthctl facts report`

use std::io::{self, BufRead, Write};
use std::pin::pin;
use std::time::Duration;

use berth_client::{FactsSession, FactsSource};
use berth_proto::v1::facts_report::Report as Fact;
use clap::Args;
use tokio::sync::mpsc;

use super::line::Line;
use crate::error::Error;
use crate::output::{Document, Format};
use crate::session::Session;
use crate::view::facts::Reported;

const EXAMPLES: &str = r#"Each line of the input is one fact:
  {"kind":"namespace","name":"shop"}
  {"kind":"node","name":"worker-1","uid":"6f0c"}
  {"kind":"workload","namespace":"shop","name":"StatefulSet/db","replicas":3}
  {"kind":"pod","namespace":"shop","name":"db-0","uid":"81ab","node":"worker-1","owner":"StatefulSet/db",
   "annotations":{"berth.io/static-address":"never","berth.io/vswitch":"zone-a"}}        (on one line)
  {"kind":"pod","namespace":"shop","name":"db-0","uid":"81ab","gone":true}
  {"kind":"synced"}
All that exists is named before "synced", and is sent then; what comes after it are changes, sent as they come.

With -o json a line {"acknowledged_line":N} is written when the leader has taken the first N lines (empty ones
are not counted).

Example:
  berthctl facts report --hold < facts.jsonl"#;

/// A cluster that takes no facts for so long needs somebody to look at it.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
/// Lines read ahead of the stream.
const LINES_AHEAD: usize = 256;

/// Report facts, one JSON document per line of standard input; a new leader is told all of them again
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Report {
    /// The Kubernetes cluster that the facts are about
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub cluster: String,
    /// Who reports; a newer report of the same cluster replaces an older one
    #[arg(long, value_name = "NAME", default_value = "berthctl")]
    pub source: String,
    /// When the input ends, keep the facts standing until interrupted
    #[arg(long)]
    pub hold: bool,
}

/// Standard input, line by line.
struct Input {
    lines: mpsc::Receiver<io::Result<String>>,
    ended: bool,
    read: u64,
}

// === impl Report ===

impl Report {
    /// Streams until the input has ended and all of it is acknowledged.
    pub async fn run(self, session: &Session) -> Result<Box<dyn Document>, Error> {
        let mut input = Input::open();
        let full_list = input.until_synced().await?;
        let source = FactsSource::new(&self.cluster, &self.source);
        let standing = source.start(session.client().clone(), full_list);
        self.follow(&standing, &mut input, session.format()).await?;
        if self.hold {
            // Until somebody ends the process: the session goes on by itself.
            std::future::pending::<()>().await;
        }
        Ok(Box::new(Reported { lines: input.read }))
    }

    /// Reports what comes, and notes what is taken, until the input has ended and all of it is taken.
    async fn follow(
        &self,
        standing: &FactsSession,
        input: &mut Input,
        format: Format,
    ) -> Result<(), Error> {
        let mut taken = 0;
        while !(input.ended && taken == input.read) {
            // One wait for all lines read so far; lines that come meanwhile have the next.
            let waited_for = input.read;
            let mut settled = pin!(standing.settled(GIVE_UP_AFTER));
            loop {
                tokio::select! {
                    outcome = &mut settled, if taken < waited_for => {
                        outcome?;
                        taken = waited_for;
                        note(format, taken)?;
                        break;
                    }
                    line = input.next(), if !input.ended => {
                        if let Some(line) = line? {
                            standing.report(line.to_wire());
                        }
                        if taken == waited_for {
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn note(format: Format, line: u64) -> Result<(), Error> {
    if format != Format::Json {
        return Ok(());
    }
    let mut output = io::stdout().lock();
    writeln!(output, "{{\"acknowledged_line\":{line}}}")
        .and_then(|()| output.flush())
        .map_err(Error::Output)
}

// === impl Input ===

impl Input {
    /// Reads in a thread of its own, because standard input cannot be waited for otherwise.
    fn open() -> Self {
        let (sender, lines) = mpsc::channel(LINES_AHEAD);
        std::thread::spawn(move || {
            for line in io::stdin().lock().lines() {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            lines,
            ended: false,
            read: 0,
        }
    }

    /// The full list: every fact up to `synced`.
    async fn until_synced(&mut self) -> Result<Vec<Fact>, Error> {
        let mut facts = Vec::new();
        while !self.ended {
            match self.next().await? {
                Some(Line::Synced) => return Ok(facts),
                Some(line) => facts.push(line.to_wire()),
                None => {}
            }
        }
        Err(Error::NothingFound {
            what: "the input ended before {\"kind\":\"synced\"}, so nothing was reported"
                .to_owned(),
            next: "see `berthctl facts report --help`".to_owned(),
        })
    }

    /// The next fact; None at the end, and for an empty line.
    async fn next(&mut self) -> Result<Option<Line>, Error> {
        let Some(text) = self.lines.recv().await else {
            self.ended = true;
            return Ok(None);
        };
        let text = text.map_err(Error::Input)?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        self.read += 1;
        let line = self.read;
        Line::parse(&text)
            .map(Some)
            .map_err(|source| Error::Line { line, source })
    }
}
