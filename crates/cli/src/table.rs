//! Columns of text, aligned, and cut only where a person's terminal would break the line.

use crate::style;

/// Rows under a heading.
pub struct Table {
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const COLUMNS: usize>(heading: [&str; COLUMNS]) -> Self {
        Self {
            heading: heading.map(str::to_owned).to_vec(),
            rows: Vec::new(),
        }
    }

    /// A table whose columns are known only when it is made.
    pub fn of(heading: Vec<String>) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }

    pub fn add(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.heading.len());
        self.rows.push(cells);
    }

    pub fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        debug_assert_eq!(COLUMNS, self.heading.len());
        self.rows.push(cells.to_vec());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text. `width` is the terminal's; only the last column gives way to it.
    pub fn render(&self, width: Option<usize>) -> String {
        let columns = self.heading.len();
        let mut widths: Vec<usize> = self.heading.iter().map(|cell| visible(cell)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(visible(cell));
            }
        }
        let before_last: usize = widths
            .iter()
            .take(columns.saturating_sub(1))
            .map(|width| width + 2)
            .sum();
        let room = width.map(|width| width.saturating_sub(before_last).max(12));
        let mut text = String::new();
        let heading: Vec<String> = self.heading.iter().map(|cell| style::faint(cell)).collect();
        for row in std::iter::once(&heading).chain(&self.rows) {
            let mut line = String::new();
            for (index, cell) in row.iter().enumerate() {
                if index + 1 == columns {
                    line.push_str(&room.map_or_else(|| cell.clone(), |room| cut(cell, room)));
                } else {
                    line.push_str(&pad(cell, widths[index] + 2));
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// One line for each label with its value, the values aligned.
pub fn labelled(rows: &[(&str, &str)]) -> String {
    let width = rows
        .iter()
        .map(|(label, _)| label.len())
        .max()
        .unwrap_or_default()
        + 2;
    let lines: Vec<String> = rows
        .iter()
        .map(|(label, value)| format!("{}{value}", pad(&style::faint(label), width)))
        .collect();
    lines.join("\n") + "\n"
}

/// How many columns a text takes, its styling aside.
pub fn visible(text: &str) -> usize {
    anstream::adapter::strip_str(text)
        .map(|part| part.chars().count())
        .sum()
}

/// The text with spaces after it, up to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(visible(text));
    format!("{text}{}", " ".repeat(missing))
}

/// The text, cut with `…` where it takes more than `width` columns. Cutting drops the styling.
pub fn cut(text: &str, width: usize) -> String {
    if visible(text) <= width {
        return text.to_owned();
    }
    let plain = anstream::adapter::strip_str(text).to_string();
    let kept: String = plain.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Breaks a text into lines of at most `width` columns, at spaces.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let indent: String = paragraph
            .chars()
            .take_while(|character| *character == ' ')
            .collect();
        let mut line = indent.clone();
        let mut is_empty = true;
        for word in paragraph.split_whitespace() {
            if !is_empty && visible(&line) + 1 + visible(word) > width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::plain;
    use insta::assert_snapshot;

    fn example() -> Table {
        let mut table = Table::new(["NAME", "STATE", "SAYS"]);
        table.row([
            "fastapi-ci".into(),
            style::good("up"),
            "I'm well and have been for an hour.".into(),
        ]);
        table.row(["x".into(), "down".into(), String::new()]);
        table
    }

    #[test]
    fn columns_line_up_whatever_their_colour() {
        assert_snapshot!(plain(&example().render(None)), @r"
        NAME        STATE  SAYS
        fastapi-ci  up     I'm well and have been for an hour.
        x           down
        ");
    }

    #[test]
    fn the_last_column_gives_way_on_a_terminal() {
        assert_snapshot!(plain(&example().render(Some(40))), @r"
        NAME        STATE  SAYS
        fastapi-ci  up     I'm well and have be…
        x           down
        ");
    }

    #[test]
    fn wrapping_keeps_words_and_indents() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("  [1] a b c d", 8), ["  [1] a", "  b c d"]);
    }
}
