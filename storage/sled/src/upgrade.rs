//! Numbered forms of everything that is stored, and the steps from one to the next.
//!
//! A step stays for as long as a store of its form may be met, which is at least two minor releases. A form that is newer
//! than this program's, or older than the oldest step, is refused with the numbers; it is never guessed at.
//! Rules for whoever adds a step: a release reads the new form before any release writes it, so that an upgrade can be
//! taken back until the cluster version has risen; a step is repeatable, because a crash may cut it short.

use crate::Error;
use std::path::Path;

/// From one form to the next.
#[derive(Debug)]
pub(crate) struct Step<F> {
    /// The form that it reads; it makes the next one.
    pub(crate) from: u32,
    /// What is different, in one sentence.
    pub(crate) what: &'static str,
    /// Does it.
    pub(crate) run: F,
}

/// All forms of one thing that is stored.
#[derive(Debug)]
pub(crate) struct Forms<F: 'static> {
    /// What it is: "data directory".
    pub(crate) schema: &'static str,
    /// What this program writes.
    pub(crate) newest: u32,
    /// Every step that it knows, in order, without a gap up to the newest.
    pub(crate) steps: &'static [Step<F>],
}

/// Changes files in place; afterwards the identity says the next form.
pub(crate) type InPlace = fn(&Path) -> Result<(), Error>;
/// A record's bytes behind the byte that says its form; none = they are damaged.
pub(crate) type OfRecord = fn(&[u8]) -> Option<Vec<u8>>;

/// The files of a data directory; the form stands in the identity file.
pub(crate) const DIRECTORY: Forms<InPlace> = Forms {
    schema: "data directory",
    newest: 1,
    steps: &[],
};
/// The log's head record; the form is its first byte.
pub(crate) const LOG_HEAD: Forms<OfRecord> = Forms {
    schema: "log",
    newest: 1,
    steps: &[],
};
/// The history's head record; the form is its first byte.
pub(crate) const HISTORY_HEAD: Forms<OfRecord> = Forms {
    schema: "history",
    newest: 2,
    steps: &[Step {
        from: 1,
        what: "it ends with the list of revisions that never were",
        run: |head| Some([head, &[0]].concat()),
    }],
};

// === impl Forms ===

impl<F> Forms<F> {
    fn oldest(&self) -> u32 {
        self.steps.first().map_or(self.newest, |step| step.from)
    }

    /// The steps that lead from a form to the newest; `path` is for the error.
    ///
    /// # Errors
    /// `Format` if there is no way.
    pub(crate) fn after(&self, found: u32, path: &Path) -> Result<&'static [Step<F>], Error> {
        let (oldest, newest) = (self.oldest(), self.newest);
        if !(oldest..=newest).contains(&found) {
            return Err(Error::Format {
                path: path.to_owned(),
                schema: self.schema,
                found,
                oldest,
                newest,
            });
        }
        Ok(&self.steps[(found - oldest) as usize..])
    }
}

impl Forms<OfRecord> {
    /// A record in the newest form, its first byte included.
    ///
    /// # Errors
    /// `Format`, or `Damaged` if a step cannot read it.
    pub(crate) fn brought_up(&self, bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, Error> {
        let damaged = |what: &str| Error::damaged(path, format!("its head record {what}"));
        let (form, body) = bytes.split_first().ok_or_else(|| damaged("is empty"))?;
        let steps = self.after(u32::from(*form), path)?;
        if steps.is_empty() {
            return Ok(bytes);
        }
        let mut body = body.to_vec();
        for step in steps {
            let next = (step.run)(&body);
            body = next.ok_or_else(|| damaged(&format!("of form {} cannot be read", step.from)))?;
            tracing::debug!(schema = self.schema, from = step.from, what = step.what, path = %path.display(), "brought up to date");
        }
        // A form is one byte as long as there are fewer than 256 of them.
        body.insert(0, self.newest as u8);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole<F>(forms: &Forms<F>) -> bool {
        let froms: Vec<u32> = forms.steps.iter().map(|step| step.from).collect();
        froms == (forms.oldest()..forms.newest).collect::<Vec<u32>>()
    }

    /// Promise: the tables are numbered without a gap and end at what this program writes.
    #[test]
    fn the_tables_have_no_gap() {
        assert!(whole(&DIRECTORY) && whole(&LOG_HEAD) && whole(&HISTORY_HEAD));
        assert!(whole(&INVENTED), "and so is the one below");
    }

    /// Two forms that never were: numbers were text, then one byte too long.
    const INVENTED: Forms<OfRecord> = Forms {
        schema: "invention",
        newest: 3,
        steps: &[
            Step {
                from: 1,
                what: "the number is no text any more",
                run: |text| {
                    let number: u16 = std::str::from_utf8(text).ok()?.parse().ok()?;
                    Some(number.to_le_bytes().to_vec())
                },
            },
            Step {
                from: 2,
                what: "the number has one byte",
                run: |bytes| {
                    u8::try_from(u16::from_le_bytes(bytes.try_into().ok()?))
                        .ok()
                        .map(|byte| vec![byte])
                },
            },
        ],
    };

    /// Promise: a record of an older form goes through every step in turn, and ends as one of the newest.
    #[test]
    fn a_record_is_brought_up() {
        let path = Path::new("store/log");
        let up = |bytes: &[u8]| INVENTED.brought_up(bytes.to_vec(), path);
        assert_eq!(up(b"\x01200").expect("two steps"), [3, 200]);
        assert_eq!(up(b"\x02\xc8\x00").expect("one step"), [3, 200]);
        assert_eq!(up(b"\x03\xc8").expect("none"), [3, 200]);
    }

    /// Promise (negative control): a newer form is refused with both numbers, one before the oldest too, and a damaged
    /// record is no other record.
    #[test]
    fn what_is_not_known_is_refused() {
        let path = Path::new("store/log");
        let refused = |bytes: &[u8]| {
            let error = INVENTED
                .brought_up(bytes.to_vec(), path)
                .expect_err("refused");
            error.to_string()
        };
        let newer = refused(b"\x04");
        assert!(
            newer.contains("has form 4; this program reads 1 to 3"),
            "{newer}"
        );
        assert!(newer.contains("invention"), "{newer}");
        assert!(refused(b"\x00").contains("has form 0"));
        assert!(refused(b"\x01two hundred").contains("of form 1 cannot be read"));
        assert!(refused(b"\x02\xff\xff").contains("of form 2 cannot be read"));
        assert!(refused(b"").contains("is empty"));
    }
}
