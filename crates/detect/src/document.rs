//! JSON, TOML and YAML with the line of everything in them.

mod yaml;

use std::collections::HashMap;

use jsonc_parser::ast;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file's values, and on which line each stands.
#[derive(Debug)]
pub struct Document {
    file: String,
    value: Value,
    /// By the keys that lead there.
    lines: HashMap<Vec<String>, usize>,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub struct SyntaxError {
    pub line: usize,
    pub reason: String,
}

impl Document {
    /// Reads a `.toml` or a `Pipfile`, a `.yaml` or `.yml`, or else JSON, with comments where the file is known for them.
    ///
    /// Numbers that are not whole stay text: they are versions as often as not.
    pub fn parse(file: &str, text: &str) -> Result<Self, SyntaxError> {
        let newlines = text.match_indices('\n').map(|(offset, _)| offset).collect();
        let mut reader = Reader {
            text,
            newlines,
            path: Vec::new(),
            lines: HashMap::new(),
        };
        let name = file.rsplit('/').next().unwrap_or(file);
        let extension = match name {
            "Pipfile" => "toml",
            _ => name.rsplit_once('.').map_or("", |(_, extension)| extension),
        };
        let value = match extension {
            "toml" => reader.toml()?,
            "yaml" | "yml" => yaml::read(&mut reader)?,
            _ => reader.json(with_comments(file))?,
        };
        Ok(Self {
            file: file.to_owned(),
            value,
            lines: reader.lines,
        })
    }

    /// The value that keys lead to; in a list, a number from 0.
    pub fn get(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter()
            .try_fold(&self.value, |value, key| match value.as_array() {
                Some(list) => list.get(key.parse::<usize>().ok()?),
                None => value.get(key),
            })
    }

    /// The text that keys lead to.
    pub fn text(&self, keys: &[&str]) -> Option<&str> {
        self.get(keys)?
            .as_str()
            .filter(|text| !text.trim().is_empty())
    }

    /// The table that keys lead to, as its keys and values.
    pub fn table(&self, keys: &[&str]) -> impl Iterator<Item = (&str, &Value)> {
        let table = self.get(keys).and_then(Value::as_object);
        table
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// `file:line` of what keys lead to.
    pub fn from(&self, keys: &[&str]) -> String {
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        match self.lines.get(&keys) {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    newlines: Vec<usize>,
    path: Vec<String>,
    lines: HashMap<Vec<String>, usize>,
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        self.newlines.partition_point(|newline| *newline < offset) + 1
    }

    fn enter(&mut self, key: String, line: usize) {
        self.path.push(key);
        self.lines.insert(self.path.clone(), line);
    }

    fn leave(&mut self) {
        self.path.pop();
    }

    fn json(&mut self, with_comments: bool) -> Result<Value, SyntaxError> {
        let strict = jsonc_parser::ParseOptions {
            allow_comments: with_comments,
            allow_loose_object_property_names: false,
            allow_trailing_commas: with_comments,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let parsed = jsonc_parser::parse_to_ast(
            self.text,
            &jsonc_parser::CollectOptions::default(),
            &strict,
        )
        .map_err(|error| SyntaxError {
            line: error.line_display(),
            reason: error.kind().to_string(),
        })?;
        parsed
            .value
            .map(|value| self.json_value(value))
            .ok_or_else(|| SyntaxError {
                line: 1,
                reason: "it is empty".to_owned(),
            })
    }

    fn json_value(&mut self, value: ast::Value<'_>) -> Value {
        match value {
            ast::Value::Object(object) => {
                let properties = object.properties.into_iter();
                let entries = properties.map(|property| {
                    let key = property.name.as_str().to_owned();
                    (key, property.range.start, property.value)
                });
                self.table(entries, Self::json_value)
            }
            ast::Value::Array(array) => {
                let elements = array
                    .elements
                    .into_iter()
                    .map(|value| (ast_start(&value), value));
                self.array(elements, Self::json_value)
            }
            ast::Value::StringLit(text) => Value::String(text.value.into_owned()),
            ast::Value::NumberLit(number) => {
                number.value.parse().map_or(Value::Null, Value::Number)
            }
            ast::Value::BooleanLit(boolean) => Value::Bool(boolean.value),
            ast::Value::NullKeyword(_) => Value::Null,
        }
    }

    fn toml(&mut self) -> Result<Value, SyntaxError> {
        let table = DeTable::parse(self.text).map_err(|error| SyntaxError {
            line: error.span().map_or(1, |span| self.line(span.start)),
            reason: error.message().to_owned(),
        })?;
        Ok(self.toml_table(table.into_inner()))
    }

    fn toml_table(&mut self, table: DeTable<'_>) -> Value {
        let entries = table.into_iter().map(|(key, value)| {
            let start = key.span().start;
            (key.into_inner().into_owned(), start, value)
        });
        self.table(entries, Self::toml_value)
    }

    fn toml_value(&mut self, value: Spanned<DeValue<'_>>) -> Value {
        match value.into_inner() {
            DeValue::Table(table) => self.toml_table(table),
            DeValue::Array(array) => {
                let elements = array.into_iter().map(|value| (value.span().start, value));
                self.array(elements, Self::toml_value)
            }
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Boolean(boolean) => Value::Bool(boolean),
            DeValue::Integer(number) => number
                .as_str()
                .parse::<i64>()
                .map_or(Value::Null, Value::from),
            DeValue::Float(number) => Value::String(number.as_str().to_owned()),
            DeValue::Datetime(_) => Value::Null,
        }
    }

    fn table<V>(
        &mut self,
        entries: impl Iterator<Item = (String, usize, V)>,
        read: impl Fn(&mut Self, V) -> Value,
    ) -> Value {
        let mut table = serde_json::Map::new();
        for (key, start, value) in entries {
            self.enter(key.clone(), self.line(start));
            let value = read(self, value);
            self.leave();
            table.insert(key, value);
        }
        Value::Object(table)
    }

    fn array<V>(
        &mut self,
        elements: impl Iterator<Item = (usize, V)>,
        read: impl Fn(&mut Self, V) -> Value,
    ) -> Value {
        let mut array = Vec::new();
        for (index, (start, value)) in elements.enumerate() {
            self.enter(index.to_string(), self.line(start));
            array.push(read(self, value));
            self.leave();
        }
        Value::Array(array)
    }
}

/// Whether a JSON file's readers allow comments in it.
fn with_comments(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.ends_with(".jsonc")
        || name.starts_with("tsconfig")
        || name.starts_with("jsconfig")
        || name.starts_with("appsettings.")
        || matches!(
            name,
            "deno.json"
                | "devcontainer.json"
                | ".devcontainer.json"
                | "angular.json"
                | "bun.lock"
                | "global.json"
        )
}

fn ast_start(value: &ast::Value<'_>) -> usize {
    use jsonc_parser::common::Ranged;
    value.range().start
}

/// The line, from 1, that a byte of a text stands on.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}
