//! An answer, and its two faces: text for people, JSON for programs.

use std::io::{self, Write};

use clap::ValueEnum;

use crate::error::Error;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and sentences, for people; may change.
    Table,
    /// One JSON document, for programs; names stay.
    Json,
}

/// What a command answers.
pub trait Document {
    /// The JSON document; the names are a promise.
    fn json(&self) -> Result<serde_json::Value, serde_json::Error>;
    /// For people.
    fn text(&self) -> String;
    /// Whether it is one of several that are printed one after the other: JSON is one line then.
    fn is_one_of_many(&self) -> bool {
        false
    }
    /// Whether the exit status is success.
    fn holds(&self) -> bool {
        true
    }
}

/// Prints the document and says whether it holds. A reader that went away (`| head`) is no error.
pub fn print(document: &dyn Document, format: Format) -> Result<bool, Error> {
    let mut text = render(document, format)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(document.holds()),
    }
}

/// The document as it will be printed.
pub fn render(document: &dyn Document, format: Format) -> Result<String, Error> {
    match format {
        Format::Table => Ok(document.text()),
        Format::Json => {
            let value = document.json().map_err(Error::Json)?;
            let json = match document.is_one_of_many() {
                true => serde_json::to_string(&value),
                false => serde_json::to_string_pretty(&value),
            };
            json.map_err(Error::Json)
        }
    }
}
