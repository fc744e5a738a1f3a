//! YAML, as far as configuration files use it: anchors and merge keys are followed, tags are not.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::{Reader, SyntaxError};

/// How much a file may grow to when its aliases are followed; nobody writes more by hand.
const MOST_VALUES: usize = 200_000;
/// How deep values may lie in each other.
const DEEPEST: usize = 64;

/// The first document of a text.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Value, SyntaxError> {
    let mut yaml = Yaml {
        events: Parser::new_from_str(reader.text),
        anchors: HashMap::new(),
        values: 0,
    };
    loop {
        match yaml.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(Value::Null),
            (event, span) => return yaml.value(event, span, 0, reader),
        }
    }
}

struct Yaml<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// What an anchor stands for, and how many values that is.
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
}

impl<'a> Yaml<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), SyntaxError> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(SyntaxError {
                line: error.marker().line(),
                reason: error.info().to_owned(),
            }),
            None => Err(SyntaxError {
                line: 1,
                reason: "it ends too early".to_owned(),
            }),
        }
    }

    fn count(&mut self, more: usize, line: usize) -> Result<(), SyntaxError> {
        self.values += more;
        if self.values > MOST_VALUES {
            return Err(SyntaxError {
                line,
                reason: format!("its aliases stand for more than {MOST_VALUES} values"),
            });
        }
        Ok(())
    }

    fn value(
        &mut self,
        event: Event<'a>,
        span: Span,
        depth: usize,
        reader: &mut Reader<'_>,
    ) -> Result<Value, SyntaxError> {
        let line = span.start.line();
        if depth > DEEPEST {
            return Err(SyntaxError {
                line,
                reason: format!("it is more than {DEEPEST} levels deep"),
            });
        }
        self.count(1, line)?;
        let before = self.values;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).cloned().unwrap_or_default();
                self.count(size, line)?;
                return Ok(value);
            }
            Event::SequenceStart(anchor, _) => {
                let mut list = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    reader.enter(list.len().to_string(), span.start.line());
                    let value = self.value(event, span, depth + 1, reader);
                    reader.leave();
                    list.push(value?);
                }
                (Value::Array(list), anchor)
            }
            Event::MappingStart(anchor, _) => (Value::Object(self.table(depth, reader)?), anchor),
            _ => (Value::Null, 0),
        };
        if anchor > 0 {
            let size = self.values - before + 1;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(value)
    }

    fn table(
        &mut self,
        depth: usize,
        reader: &mut Reader<'_>,
    ) -> Result<Map<String, Value>, SyntaxError> {
        let mut table = Map::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let line = span.start.line();
            let key = match self.value(event, span, depth + 1, reader)? {
                Value::String(text) => text,
                Value::Null => "null".to_owned(),
                other => other.to_string(),
            };
            let (event, span) = self.next()?;
            reader.enter(key.clone(), line);
            let value = self.value(event, span, depth + 1, reader);
            reader.leave();
            match value? {
                value if key == "<<" => merged.push(value),
                value => {
                    table.insert(key, value);
                }
            }
        }
        // What is written here goes before what is merged in.
        for value in merged {
            let tables = match value {
                Value::Array(tables) => tables,
                one => vec![one],
            };
            for (key, value) in tables.into_iter().filter_map(into_table).flatten() {
                table.entry(key).or_insert(value);
            }
        }
        Ok(table)
    }
}

fn into_table(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(table) => Some(table),
        _ => None,
    }
}

/// Numbers with a point stay text: `3.10` is a version as often as it is a number.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => text
            .parse::<i64>()
            .ok()
            .filter(|number| number.to_string() == text)
            .map_or_else(|| Value::String(text.to_owned()), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use crate::document::Document;

    #[test]
    fn anchors_merges_and_versions() {
        let text = "base: &base\n  image: node\n  version: 3.10\nweb:\n  <<: *base\n  image: web\n  ports: [\"80:80\", 81]\n";
        let document = Document::parse("compose.yml", text).unwrap();
        assert_eq!(document.text(&["web", "image"]), Some("web"));
        assert_eq!(document.text(&["web", "version"]), Some("3.10"));
        assert_eq!(document.get(&["web", "ports", "1"]).unwrap(), 81);
        assert_eq!(document.get(&["web", "ports", "2"]), None);
        assert_eq!(document.from(&["web", "ports"]), "compose.yml:7");
        assert_eq!(document.from(&["web", "ports", "1"]), "compose.yml:7");
    }

    #[test]
    fn a_bomb_is_refused_where_it_goes_off() {
        let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        let mut last = 'a';
        for next in 'b'..='j' {
            let all = vec![format!("*{last}"); 10].join(", ");
            text = format!("{text}{next}: &{next} [{all}]\n");
            last = next;
        }
        let error = Document::parse("bomb.yaml", &text).unwrap_err();
        assert!(error.reason.contains("aliases"), "{}", error.reason);
        let deep = "[".repeat(10_000);
        assert!(Document::parse("deep.yaml", &deep).is_err());
    }
}
