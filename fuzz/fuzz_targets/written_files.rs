//! Files that refer to each other by digest, written as one text that a fuzzer can change.

use ergon_manifest::Digest;

/// What separates a file from the next: this, its name, and the end of the line.
const HEAD: &str = "=== ";

/// The files of a text, in its order. In each `@3` stands for the digest of the fourth file, `#3` for its size, as far
/// as those are above it.
pub fn read(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for part in text.split(HEAD).skip(1).take(10) {
        let (name, content) = part.split_once('\n').unwrap_or((part, ""));
        let mut content = content.strip_suffix('\n').unwrap_or(content).to_owned();
        for (number, (_, known)) in files.iter().enumerate() {
            content = content
                .replace(&format!("@{number}"), &Digest::of(known).to_string())
                .replace(&format!("#{number}"), &known.len().to_string());
        }
        content.truncate(content.floor_char_boundary(1 << 20));
        files.push((name.to_owned(), content.into_bytes()));
    }
    files
}
