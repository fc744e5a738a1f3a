//! Texts that steer no terminal.

use std::fmt::Write as _;

/// Whether a character does something else to a terminal than to be seen there.
pub fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// The same JSON, in which nothing steers a terminal: JSON itself lets through more than it has names for.
pub fn plain_json(json: String) -> String {
    let steers = |character: char| steers(character) && character != '\n';
    if !json.contains(steers) {
        return json;
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if steers(character) {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_and_steers_nothing() {
        let value = serde_json::json!({"a\u{9b}": "x\u{7f}\u{202e}\n\u{1b}[0mé"});
        for json in [value.to_string(), format!("{value:#}")] {
            let text = plain_json(json);
            assert!(!text.contains(|character| steers(character) && character != '\n'));
            let again: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(again, value);
        }
    }
}
