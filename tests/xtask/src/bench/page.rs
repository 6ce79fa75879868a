//! What is shown at the end: the same sections for a terminal and as a Markdown page.

/// Sections, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub sections: Vec<Section>,
}

/// A title with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    pub title: String,
    pub table: Option<Table>,
    /// Sentences below it.
    pub notes: Vec<String>,
}

/// Cells; columns of numbers alone stand to the right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

// === impl Page ===

impl Page {
    /// For people at a terminal.
    pub fn text(&self) -> String {
        self.sections.iter().map(Section::text).collect()
    }

    /// For a page that is kept.
    pub fn markdown(&self, title: &str) -> String {
        let sections: String = self.sections.iter().map(Section::markdown).collect();
        format!("# {title}\n{sections}")
    }
}

// === impl Section ===

impl Section {
    /// A title with its table.
    pub fn table(title: impl Into<String>, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Self {
            title: title.into(),
            table: Some(Table { head, rows }),
            notes: Vec::new(),
        }
    }

    /// One more sentence.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn text(&self) -> String {
        let mut text = format!("\n{}\n", self.title);
        text += &self.table.as_ref().map(Table::text).unwrap_or_default();
        for note in &self.notes {
            text += &format!("  {note}\n");
        }
        text
    }

    fn markdown(&self) -> String {
        let mut text = format!("\n## {}\n", self.title);
        if let Some(table) = &self.table {
            text += &format!("\n{}", table.markdown());
        }
        for note in &self.notes {
            text += &format!("\n{}\n", escaped(note));
        }
        text
    }
}

// === impl Table ===

impl Table {
    fn text(&self) -> String {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| {
            let cells = all().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let mut line = String::new();
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line += &match self.is_of_numbers(at) {
                    false => format!("  {cell:<width$}"),
                    true => format!("  {cell:>width$}"),
                };
            }
            format!("{}\n", line.trim_end())
        };
        all().map(line).collect()
    }

    fn is_of_numbers(&self, column: usize) -> bool {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let is_number = |cell: &String| {
            let part_of_one = |letter: char| letter.is_ascii_digit() || " +-.,".contains(letter);
            cell.chars().all(part_of_one)
        };
        cells.into_iter().all(is_number)
    }

    fn markdown(&self) -> String {
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<&str> = (0..self.head.len())
            .map(|at| {
                if self.is_of_numbers(at) {
                    "---:"
                } else {
                    "---"
                }
            })
            .collect();
        let rows: String = self.rows.iter().map(line).collect();
        format!("{}| {} |\n{rows}", line(&self.head), rule.join(" | "))
    }
}

/// What would end a cell or begin a tag.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{Page, Section};

    fn page() -> Page {
        let rows = [["one|two", "7.00"], ["three", "10,000.25"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let section = Section::table("A <title>", &["", "p50 ms"], rows);
        let other = Section {
            title: "Other".to_owned(),
            ..Section::default()
        };
        Page {
            sections: vec![section.note("less < more"), other.note("said")],
        }
    }

    /// Promise: the same page lines up in a terminal.
    #[test]
    fn the_text_lines_up() {
        let expected = "\nA <title>\n              p50 ms\n  one|two       7.00\n  three    10,000.25\n  less < more\n\nOther\n  said\n";
        assert_eq!(page().text(), expected);
    }

    /// Promise: the same page is Markdown in which no cell can break out of its table.
    #[test]
    fn the_markdown_is_whole() {
        let expected = "# Speed\n\n## A <title>\n\n|  | p50 ms |\n| --- | ---: |\n| one\\|two | 7.00 |\n| three | 10,000.25 |\n\nless &lt; more\n\n## Other\n\nsaid\n";
        assert_eq!(page().markdown("Speed"), expected);
    }
}
