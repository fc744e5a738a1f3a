//! What differs between two images, for people.

use ergon_pack::{Comparison, Difference, Verification, What};

use crate::{style, table, words};

/// So many differences are shown to people; `--json` has more.
const SHOWN: usize = 20;
/// So many columns of a value are shown to people.
const LONGEST_VALUE: usize = 160;

/// What came of building something twice.
pub fn verification(verification: &Verification) -> String {
    let mut lines = vec![String::new()];
    if verification.equal() {
        let (mark, word) = (style::good("✓"), style::good("proven"));
        let varied = (verification.conditions.iter())
            .filter(|condition| condition.second.is_some())
            .map(|condition| condition.name.as_str());
        let varied: Vec<&str> = varied.collect();
        let varied = varied.join(", ");
        lines.push(format!(
            "{mark} {word}   built again with another {varied}: the same bits both times"
        ));
    }
    for image in &verification.images {
        if !image.comparison.equal {
            lines.extend(compared(&image.comparison, "not reproducible"));
        }
    }
    if !verification.depends_on_fixed.is_empty() {
        lines.push(
            "  depends on what every build of Ergon fixes, and might come out otherwise elsewhere:"
                .to_owned(),
        );
        for difference in verification.depends_on_fixed.iter().take(SHOWN) {
            let path = words::on_one_line(&difference.path);
            lines.push(format!("    {path}   {}", what(difference)));
        }
    }
    for condition in &verification.conditions {
        if let Some(note) = &condition.note {
            lines.push(style::faint(&format!("  {}: {note}", condition.name)));
        }
    }
    if !verification.equal() {
        lines.push("The images are kept; the build is marked `failed`.".to_owned());
    }
    lines.join("\n") + "\n"
}

/// What came of comparing two images.
pub fn comparison(comparison: &Comparison) -> String {
    if comparison.equal {
        return format!("{} the same image, bit for bit\n", style::good("✓"));
    }
    compared(comparison, "not the same").join("\n") + "\n"
}

fn compared(comparison: &Comparison, word: &str) -> Vec<String> {
    let (different, compared) = (comparison.different, comparison.compared);
    let (mark, word) = (style::bad("✗"), style::bad(word));
    let extent = if compared == 0 {
        "the layers are the same".to_owned()
    } else {
        // What the configuration says comes last, and is in no file.
        let shown = comparison.differences.iter();
        let settings = shown
            .filter(|difference| difference.what == What::Configuration)
            .count();
        let files = different.saturating_sub(settings as u64);
        let others = match settings {
            0 => String::new(),
            settings => format!(", and {}", words::count(settings, "setting")),
        };
        format!("{files} of {compared} files differ{others}")
    };
    let mut lines = vec![format!("{mark} {word}   {extent}")];
    for difference in comparison.differences.iter().take(SHOWN) {
        lines.extend(one(difference));
    }
    let more = different.saturating_sub(SHOWN as u64);
    if more > 0 {
        let text = format!("  … and {more} more; --json has the first of them");
        lines.push(style::faint(&text));
    }
    lines
}

fn one(difference: &Difference) -> Vec<String> {
    let path = style::strong(&words::on_one_line(&difference.path));
    let mut lines = vec![format!("  {path}   {}", what(difference))];
    if let (Some(first), Some(second)) = (&difference.first, &difference.second) {
        lines.push(format!(
            "    {} → {}",
            table::cut(&words::on_one_line(first), LONGEST_VALUE),
            table::cut(&words::on_one_line(second), LONGEST_VALUE)
        ));
    }
    let layer = difference.layer.map(|layer| match &difference.step {
        Some(step) => format!(
            "layer {layer}, `{}`",
            table::cut(&words::on_one_line(step), 72)
        ),
        None => format!("layer {layer}"),
    });
    if let Some(layer) = layer {
        lines.push(style::faint(&format!("    written by {layer}")));
    }
    if let Some(fix) = &difference.fix {
        lines.push(format!("    {fix}"));
    }
    lines
}

fn what(difference: &Difference) -> String {
    let place = match (difference.line, difference.offset) {
        (Some(line), _) => format!("line {line}: "),
        (None, Some(offset)) => format!("byte {offset}: "),
        (None, None) => String::new(),
    };
    let what = match difference.what {
        What::Content => "its content",
        What::Kind => "what it is",
        What::Mode => "its mode",
        What::Owner => "its owner",
        What::Target => "where it points",
        What::Attributes => "its extended attributes",
        What::OnlyInFirst => "only in the first",
        What::OnlyInSecond => "only in the second",
        What::Encoding => "how it is written",
        What::Configuration => "in the configuration",
    };
    match &difference.cause {
        Some(cause) => format!("{place}{cause}"),
        None => format!("{place}{what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_images_stay_on_their_line() {
        let hostile = "a\n\u{1b}[32m✓ the same image, bit for bit\u{9b}2K\u{202e}";
        let text = comparison(&Comparison {
            equal: false,
            compared: 1,
            different: 2,
            differences: vec![
                Difference {
                    path: hostile.to_owned(),
                    what: What::Target,
                    layer: Some(1),
                    step: Some(hostile.to_owned()),
                    first: Some(hostile.to_owned()),
                    second: Some("x".repeat(10_000)),
                    ..Difference::default()
                },
                Difference {
                    path: "config.User".to_owned(),
                    what: What::Configuration,
                    ..Difference::default()
                },
            ],
        });
        let plain = style::plain(&text);
        assert!(
            plain.contains("1 of 1 files differ, and 1 setting\n"),
            "{plain}"
        );
        assert_eq!(plain.lines().count(), 5, "{plain}");
        assert!(!plain.contains(|character| words::steers(character) && character != '\n'));
        assert!(plain.len() < 1_000, "{plain}");
        assert!(plain.contains(r"a\n\u{1b}[32m✓"), "{plain}");
    }
}
