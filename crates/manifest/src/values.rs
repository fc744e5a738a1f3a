//! The manifest as written, as plain JSON: what is digested.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use serde_json::{Map, Value};

use crate::diagnostic::{Path, Problem, Report, code};

/// The largest whole number that every JSON reader keeps exactly.
const LARGEST_NUMBER: u64 = (1 << 53) - 1;

/// Turns the tree into a value; duplicate keys and numbers without a canonical form are reported.
pub(crate) fn plain(node: &ast::Value<'_>, path: &Path<'_>, report: &mut Report) -> Value {
    match node {
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
        ast::Value::StringLit(literal) => Value::String(literal.value.clone().into_owned()),
        ast::Value::NumberLit(literal) => match whole_number(literal.value) {
            Ok(number) => Value::from(number),
            Err(misfit) => {
                let span = literal.range.start..literal.range.end;
                report.push(misfit.at(span, literal.value, path));
                Value::Null
            }
        },
        ast::Value::Array(array) => {
            let items = array.elements.iter().enumerate();
            items
                .map(|(index, item)| plain(item, &Path::Item(path, index), report))
                .collect()
        }
        ast::Value::Object(object) => Value::Object(fields(object, path, report)),
    }
}

/// The fields of an object; of two with one name the first counts and the second is reported.
fn fields(object: &ast::Object<'_>, path: &Path<'_>, report: &mut Report) -> Map<String, Value> {
    let mut fields = Map::new();
    for property in &object.properties {
        let name = property.name.as_str();
        let path = Path::Field(path, name);
        let span = property.name.start()..property.name.end();
        let value = plain(&property.value, &path, report);
        if fields.contains_key(name) {
            report.push(Problem {
                code: code::DUPLICATE_KEY,
                span,
                path: path.to_string(),
                message: format!("{path} is written twice"),
                help: Some("keep one of them".to_owned()),
            });
        } else {
            fields.insert(name.to_owned(), value);
        }
    }
    fields
}

/// Why a number is refused.
pub(crate) enum NumberMisfit {
    Float,
    TooLarge,
}

impl NumberMisfit {
    fn at(&self, span: Range<usize>, written: &str, path: &Path<'_>) -> Problem {
        let shown: String = written.chars().take(40).collect();
        let (code, message) = match self {
            Self::Float => (
                code::FLOAT,
                format!("{path} is {shown}, which is not a whole number"),
            ),
            Self::TooLarge => (
                code::NUMBER_TOO_LARGE,
                format!("{path} is {shown}, which is beyond {LARGEST_NUMBER}"),
            ),
        };
        let help = format!(
            "only whole numbers up to {LARGEST_NUMBER} are the same everywhere; write it as a string: \"{shown}\""
        );
        Problem {
            code,
            span,
            path: path.to_string(),
            message,
            help: Some(help),
        }
    }
}

/// The number that `written` is, where it is a whole one that survives every JSON reader.
pub(crate) fn whole_number(written: &str) -> Result<i64, NumberMisfit> {
    // RFC 8785 writes -0 as 0: what was written would not be what is digested.
    if written.contains(['.', 'e', 'E']) || written == "-0" {
        return Err(NumberMisfit::Float);
    }
    match written.parse::<i64>() {
        Ok(number) if number.unsigned_abs() <= LARGEST_NUMBER => Ok(number),
        _ => Err(NumberMisfit::TooLarge),
    }
}
