//! Tables without lines: readable for people, cut by `awk` for the rest.

use comfy_table::Table;
use comfy_table::presets::NOTHING;

/// Columns of left-aligned text under upper-case names, two spaces apart.
pub fn columns(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(
        header
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>(),
    );
    table.add_rows(
        rows.into_iter()
            .map(|row| row.into_iter().map(or_dash).collect::<Vec<_>>()),
    );
    pad(&mut table);
    table.trim_fmt()
}

/// `name: value` lines with the values in one column; empty values are left out.
pub fn fields(rows: &[(&str, String)]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let shown = rows.iter().filter(|(_, value)| !value.is_empty());
    table.add_rows(shown.map(|(name, value)| vec![format!("{name}:"), value.clone()]));
    pad(&mut table);
    table.trim_fmt()
}

fn pad(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
}

/// An empty cell is shown as `-`, so that columns stay countable.
fn or_dash(cell: String) -> String {
    if cell.is_empty() {
        "-".to_owned()
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::{columns, fields};

    /// Promise: columns line up, and an empty cell stays a cell.
    #[test]
    fn columns_line_up() {
        let rows = vec![
            vec!["a".to_owned(), String::new()],
            vec!["long".to_owned(), "x".to_owned()],
        ];
        assert_eq!(
            columns(&["NAME", "ZONE"], rows),
            "NAME  ZONE\na     -\nlong  x"
        );
    }

    /// Promise: a value that is not there takes no line.
    #[test]
    fn empty_values_are_left_out() {
        let rows = [
            ("name", "a".to_owned()),
            ("zone", String::new()),
            ("holder", "b".to_owned()),
        ];
        assert_eq!(fields(&rows), "name:    a\nholder:  b");
    }
}
