//! A record as a file: one line of JSON per operation, use, history or digest.

use super::{Group, Operation, Record, Use};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// In the directory of a run.
pub const FILE_NAME: &str = "record.jsonl";

#[derive(Serialize, Deserialize)]
enum Line {
    Operation(Operation),
    Use(Use),
    Group {
        member: String,
        group: Group,
    },
    Digest {
        member: String,
        applied: u64,
        digest: String,
    },
}

/// Writes it, replacing what was there.
pub fn save(record: &Record, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut put = |line: Line| -> io::Result<()> {
        serde_json::to_writer(&mut file, &line)?;
        file.write_all(b"\n")
    };
    for operation in &record.operations {
        put(Line::Operation(operation.clone()))?;
    }
    for one in &record.uses {
        put(Line::Use(one.clone()))?;
    }
    for (member, groups) in &record.histories {
        for group in groups {
            let (member, group) = (member.clone(), group.clone());
            put(Line::Group { member, group })?;
        }
    }
    for (member, (applied, digest)) in &record.digests {
        let (member, digest) = (member.clone(), digest.clone());
        let applied = *applied;
        put(Line::Digest {
            member,
            applied,
            digest,
        })?;
    }
    file.flush()
}

/// Reads what [`save`] wrote.
pub fn load(path: &Path) -> io::Result<Record> {
    let mut record = Record::default();
    for line in BufReader::new(File::open(path)?).lines() {
        match serde_json::from_str(&line?)? {
            Line::Operation(operation) => record.operations.push(operation),
            Line::Use(one) => record.uses.push(one),
            Line::Group { member, group } => {
                record.histories.entry(member).or_default().push(group);
            }
            Line::Digest {
                member,
                applied,
                digest,
            } => {
                record.digests.insert(member, (applied, digest));
            }
        }
    }
    Ok(record)
}
