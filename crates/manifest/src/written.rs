//! Values with the place where they are written.

use std::collections::BTreeMap;
use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;

use crate::diagnostic::{Path, Problem, Report, code, quoted};
use crate::values::whole_number;

/// A text with the place where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub text: String,
    pub span: Range<usize>,
    pub path: String,
}

/// A list of texts; `whole` when no item had to be left out.
#[derive(Default)]
pub(crate) struct Texts {
    pub items: Vec<Written>,
    pub whole: bool,
}

/// An object's names and, where they could be read, their values.
pub(crate) struct Entries<T> {
    pub names: Vec<Written>,
    pub values: BTreeMap<String, T>,
}

impl Texts {
    pub fn into_strings(self) -> Vec<String> {
        self.items.into_iter().map(|item| item.text).collect()
    }
}

/// A value was there and was no use; its problem is reported.
#[derive(Debug)]
pub(crate) struct Lost;

/// The bytes that `node` is written in.
pub(crate) fn range(node: &impl Ranged) -> Range<usize> {
    node.start()..node.end()
}

/// Whether `value` could be meant as the one item of a list.
pub(crate) fn is_scalar(value: &ast::Value<'_>) -> bool {
    !matches!(
        value,
        ast::Value::Array(_) | ast::Value::Object(_) | ast::Value::NullKeyword(_)
    )
}

/// Reports that `value` is not what is wanted.
pub(crate) fn wrong_type(
    value: &ast::Value<'_>,
    path: &Path<'_>,
    wanted: &str,
    help: Option<String>,
    report: &mut Report,
) {
    let is = match value {
        // A float is reported as such, which is the better message.
        ast::Value::NumberLit(literal) if whole_number(literal.value).is_err() => return,
        ast::Value::NumberLit(literal) => format!("the number {}", literal.value),
        ast::Value::StringLit(literal) => format!("the string {}", quoted(&literal.value)),
        ast::Value::BooleanLit(literal) => literal.value.to_string(),
        ast::Value::NullKeyword(_) => "null".to_owned(),
        ast::Value::Array(_) => "a list".to_owned(),
        ast::Value::Object(_) => "an object".to_owned(),
    };
    let path = path.to_string();
    let subject = if path.is_empty() {
        "the manifest"
    } else {
        &path
    };
    let is_field = !path.is_empty();
    let is_null = matches!(value, ast::Value::NullKeyword(_));
    let leave_out = (is_null && is_field).then(|| "leave the field out".to_owned());
    report.push(Problem {
        code: code::WRONG_TYPE,
        span: range(value),
        message: format!("{subject} is {is}; wanted is {wanted}"),
        help: help.or(leave_out),
        path,
    });
}
