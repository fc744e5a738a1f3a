//! Strict JSON: the text as a tree with positions, or the first place where it is no JSON.

use std::ops::Range;

use jsonc_parser::ast::Value;
use jsonc_parser::errors::{ParseError, ParseErrorKind as Kind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

use crate::diagnostic::{Problem, code, quoted};

/// A larger text is refused unread.
const LARGEST: usize = 1 << 20;
/// The parser and everything after it recurse; deeper texts are refused before either does.
const DEEPEST: usize = 64;

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Parses `text`, which must be one JSON value as RFC 8259 has it and nothing else.
pub(crate) fn parse(text: &str) -> Result<Value<'_>, Problem> {
    if text.len() > LARGEST {
        return Err(Problem {
            code: code::TOO_LARGE,
            ..syntax(
                0..0,
                &format!(
                    "the manifest has {} bytes; at most {LARGEST} (1 MiB) are read",
                    text.len()
                ),
                None,
            )
        });
    }
    let odd_character = scan(text)?;
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT);
    match (parsed, odd_character) {
        (Err(error), Some(odd)) if odd.span.start < error.range().start => Err(odd),
        (Err(error), _) => Err(explain(text, &error)),
        (Ok(_), Some(odd)) => Err(odd),
        (Ok(result), None) => result.value.ok_or_else(|| {
            syntax(
                0..0,
                "the manifest is empty",
                Some("`ergon manifest init` writes one from the project"),
            )
        }),
    }
}

/// What the parser would let pass or would not survive.
///
/// Nesting that is too deep is an error at once. The first control character inside a string, and the
/// first white space that JSON does not know, come back as a value: they count only where the parser
/// finds nothing wrong before them, because inside a comment, say, they mean nothing.
fn scan(text: &str) -> Result<Option<Problem>, Problem> {
    let mut odd = None;
    let mut depth = 0_usize;
    let mut string_start = None;
    let mut characters = text.char_indices();
    while let Some((offset, character)) = characters.next() {
        let span = offset..offset + character.len_utf8();
        match (string_start, character) {
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(_), '"') => string_start = None,
            (None, '"') => string_start = Some(offset),
            (Some(start), '\n' | '\r') => {
                odd.get_or_insert_with(|| {
                    syntax(
                        start..offset,
                        "this string does not end on its line",
                        Some(r#"close it with `"`; a line break inside a string is written \n"#),
                    )
                });
            }
            (Some(_), '\0'..' ') => {
                odd.get_or_insert_with(|| {
                    let help = format!("write \\u{:04x}", u32::from(character));
                    syntax(
                        span,
                        "a control character stands unescaped in a string",
                        Some(&help),
                    )
                });
            }
            (None, '{' | '[') => {
                depth += 1;
                if depth > DEEPEST {
                    let message = format!("values are nested more than {DEEPEST} deep");
                    return Err(Problem {
                        code: code::TOO_DEEP,
                        ..syntax(span, &message, None)
                    });
                }
            }
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ' ' | '\t' | '\n' | '\r') => {}
            (None, _) if character.is_whitespace() => {
                odd.get_or_insert_with(|| {
                    let message =
                        format!("U+{:04X} is not white space in JSON", u32::from(character));
                    syntax(span, &message, Some("replace it with a plain space"))
                });
            }
            _ => {}
        }
    }
    Ok(odd)
}

/// The parser's error in our words.
fn explain(text: &str, error: &ParseError) -> Problem {
    let range = error.range();
    let span = range.start..range.end.max(range.start).min(text.len());
    let opening = range.start..(range.start + 1).min(text.len());
    let written = text.get(span.clone()).unwrap_or_default();
    let simple = |message: &str, help: &str| syntax(span.clone(), message, Some(help));
    match error.kind() {
        Kind::CommentsNotAllowed | Kind::UnterminatedCommentBlock => {
            let first_line = written.lines().next().unwrap_or_default().len();
            let span = range.start..range.start + first_line;
            Problem {
                code: code::COMMENT,
                ..syntax(span, "a comment; JSON has none", Some("remove it"))
            }
        }
        Kind::TrailingCommasNotAllowed => Problem {
            code: code::TRAILING_COMMA,
            ..simple("a comma after the last item", "remove it")
        },
        Kind::UnexpectedToken if text.starts_with('\u{feff}') && range.start == 0 => simple(
            "the text begins with a byte order mark",
            "save it as UTF-8 without one",
        ),
        Kind::SingleQuotedStringsNotAllowed => simple(
            "a string in single quotes",
            "JSON strings have double quotes",
        ),
        Kind::ExpectedStringObjectProperty => {
            let help = format!("write {}", quoted(written));
            simple("a field's name must be in double quotes", &help)
        }
        Kind::UnexpectedWord => simple(
            &format!("{} is not JSON", quoted(written)),
            "strings need double quotes; the only bare words are true, false and null",
        ),
        Kind::ExpectedComma if is_leading_zero(text, range.start) => {
            simple("a number that begins with 0", "remove the leading zero")
        }
        Kind::ExpectedComma => simple("a comma is missing here", "put a comma between two items"),
        Kind::ExpectedColonAfterObjectKey => simple(
            "a colon is missing here",
            r#"a field is written "name": value"#,
        ),
        Kind::ExpectedObjectValue => simple(
            "a field without a value",
            r#"a field is written "name": value"#,
        ),
        Kind::MultipleRootJsonValues => simple(
            "there is more after the end of the manifest",
            "a manifest is one object { … }",
        ),
        Kind::UnterminatedObject => syntax(opening, "this `{` is never closed", Some("add a `}`")),
        Kind::UnterminatedArray => syntax(opening, "this `[` is never closed", Some("add a `]`")),
        Kind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            syntax(opening, "this string is never closed", Some(r#"add a `"`"#))
        }
        Kind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            let span = range.start..(range.start + 6).min(text.len());
            syntax(
                span,
                "half of a surrogate pair is no character",
                Some(r"a pair is written \ud83d\udc33"),
            )
        }
        Kind::String(_) => simple(
            "an escape that JSON does not have",
            r#"the escapes are \" \\ \/ \b \f \n \r \t \u0041"#,
        ),
        Kind::HexadecimalNumbersNotAllowed
        | Kind::UnaryPlusNumbersNotAllowed
        | Kind::BareDecimalPointNumbersNotAllowed
        | Kind::NonFiniteNumbersNotAllowed
        | Kind::ExpectedDigit
        | Kind::ExpectedDigitFollowingNegativeSign
        | Kind::ExpectedPlusMinusOrDigitInNumberLiteral => simple(
            "this is not a number in JSON",
            "write a whole number in decimal digits",
        ),
        Kind::UnexpectedCloseBrace
        | Kind::UnexpectedCloseBracket
        | Kind::UnexpectedComma
        | Kind::UnexpectedColon => simple(
            &format!("{} was not expected here", quoted(written)),
            "a value is missing before it",
        ),
        _ => syntax(
            span.clone(),
            &format!("{} was not expected here", quoted(written)),
            None,
        ),
    }
}

fn is_leading_zero(text: &str, offset: usize) -> bool {
    let (before, after) = text.split_at(offset);
    before.ends_with('0') && after.starts_with(|character: char| character.is_ascii_digit())
}

fn syntax(span: Range<usize>, message: &str, help: Option<&str>) -> Problem {
    Problem {
        code: code::SYNTAX,
        span,
        path: String::new(),
        message: message.to_owned(),
        help: help.map(str::to_owned),
    }
}
