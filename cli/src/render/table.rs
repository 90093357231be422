//! Plain tables for the terminal: the first column to the left, numbers to the right.

use std::fmt;

use nas_grammar::visible_name;

/// Rows of text under a header.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column names.
    #[must_use]
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut table = Self::empty();
        table.row(header.map(str::to_owned));
        table
    }

    /// Adds a row; the first one is the header.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| visible_name(&cell).into_owned()).collect());
    }

    /// A table whose first row is to be added.
    #[must_use]
    pub fn empty() -> Self {
        Self { rows: Vec::new() }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column > 0 {
                    line.push_str("  ");
                }
                let is_number = cell.chars().next().is_some_and(|c| c.is_ascii_digit());
                line +=
                    &if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
