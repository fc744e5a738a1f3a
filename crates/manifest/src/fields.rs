//! Reading an object field by field: each is asked for once, and what was not asked for is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jsonc_parser::ast;
use serde_json::{Map, Value};

use crate::diagnostic::{Path, Problem, Report, code, quoted};
use crate::grammar::{Fit, Misfit, Rule};
use crate::model::{NamedEpoch, SourceDateEpoch};
use crate::suggestion::nearest;
use crate::values::whole_number;
use crate::written::{Entries, Lost, Texts, Written, is_scalar, range, wrong_type};

/// An object that is being read.
pub(crate) struct Fields<'a, 'r> {
    object: &'a ast::Object<'a>,
    /// The place to point at where a field is missing.
    owner: Range<usize>,
    path: &'r Path<'r>,
    text: &'a str,
    report: &'r mut Report,
    asked: Vec<Asked>,
    missing: Vec<Missing>,
}

struct Asked {
    name: &'static str,
    is_list: bool,
}

/// A field that must be there and is not.
struct Missing {
    name: &'static str,
    example: &'static str,
}

impl<'a, 'r> Fields<'a, 'r> {
    /// Begins to read `value`, which must be an object.
    pub fn open(
        value: &'a ast::Value<'a>,
        owner: Range<usize>,
        path: &'r Path<'r>,
        text: &'a str,
        report: &'r mut Report,
    ) -> Option<Self> {
        if let ast::Value::Object(object) = value {
            return Some(Self {
                object,
                owner,
                path,
                text,
                report,
                asked: Vec::new(),
                missing: Vec::new(),
            });
        }
        wrong_type(value, path, "an object { … }", None, report);
        None
    }

    /// Reports every field that nobody asked for, and every one that is not there but must be.
    pub fn finish(self) {
        let mut meant = BTreeSet::new();
        for property in &self.object.properties {
            let name = property.name.as_str();
            if self.asked.iter().all(|asked| asked.name != name) {
                let known = self.asked.iter().map(|asked| (asked.name, asked));
                let nearest = nearest(name, known);
                meant.extend(nearest.map(|asked| asked.name));
                let path = Path::Field(self.path, name);
                self.report.push(Problem {
                    code: code::UNKNOWN_FIELD,
                    span: range(&property.name),
                    message: format!("{path} is not a field"),
                    path: path.to_string(),
                    help: Some(self.suggest(nearest, &property.value)),
                });
            }
        }
        // A field under a slightly wrong name is one problem, not two.
        for Missing { name, example } in self
            .missing
            .iter()
            .filter(|missing| !meant.contains(missing.name))
        {
            let path = Path::Field(self.path, name);
            self.report.push(Problem {
                code: code::MISSING_FIELD,
                span: self.owner.clone(),
                message: format!("{path} is missing"),
                path: path.to_string(),
                help: Some(format!("add  \"{name}\": {example}")),
            });
        }
    }

    /// What to write instead of an unknown field, by the known one that is most like it.
    fn suggest(&self, nearest: Option<&Asked>, value: &ast::Value<'_>) -> String {
        match nearest {
            Some(Asked {
                name,
                is_list: true,
            }) if is_scalar(value) => {
                format!(
                    "did you mean `{name}`, a list?  \"{name}\": [{}]",
                    self.source(value)
                )
            }
            Some(Asked { name, .. }) => format!("did you mean `{name}`?"),
            None => {
                let known: Vec<_> = self.asked.iter().map(|asked| asked.name).collect();
                format!("the fields here are {}", known.join(", "))
            }
        }
    }

    /// `value` as it is written, where that is short.
    fn source(&self, value: &ast::Value<'_>) -> &'a str {
        let written = self.text.get(range(value)).unwrap_or_default();
        if written.len() <= 40 { written } else { "…" }
    }

    fn ask(&mut self, name: &'static str, is_list: bool) -> Option<&'a ast::ObjectProp<'a>> {
        self.asked.push(Asked { name, is_list });
        self.object
            .properties
            .iter()
            .find(|property| property.name.as_str() == name)
    }

    fn missing(&mut self, name: &'static str, example: &'static str) {
        self.missing.push(Missing { name, example });
    }

    fn misfit(&mut self, misfit: Misfit, span: Range<usize>, path: &Path<'_>) {
        let Misfit { code, reason, help } = misfit;
        let message = format!("{path} {reason}");
        self.report.push(Problem {
            code,
            span,
            path: path.to_string(),
            message,
            help,
        });
    }

    /// A text, with its place.
    pub fn written(&mut self, name: &'static str, rule: Rule) -> Option<Result<Written, Lost>> {
        let property = self.ask(name, false)?;
        let path = Path::Field(self.path, name);
        Some(self.text_of(&property.value, &path, rule).ok_or(Lost))
    }

    pub fn text(&mut self, name: &'static str, rule: Rule) -> Option<String> {
        self.written(name, rule)?.ok().map(|written| written.text)
    }

    /// A text that must be there; empty where it is not.
    pub fn required_text(
        &mut self,
        name: &'static str,
        rule: Rule,
        example: &'static str,
    ) -> String {
        let written = self.written(name, rule);
        if written.is_none() {
            self.missing(name, example);
        }
        let text = written.and_then(Result::ok).map(|written| written.text);
        text.unwrap_or_default()
    }

    /// A list of texts; absent is empty.
    pub fn texts(&mut self, name: &'static str, rule: Rule) -> Texts {
        self.list(name, true, |fields, value, path| {
            fields.text_of(value, path, rule)
        })
        .unwrap_or_default()
    }

    /// A list of texts that may say the same twice.
    pub fn lines(&mut self, name: &'static str, rule: Rule) -> Vec<String> {
        let lines = self.list(name, false, |fields, value, path| {
            fields.text_of(value, path, rule)
        });
        lines.unwrap_or_default().into_strings()
    }

    /// A list of texts that must be there.
    pub fn required_texts(
        &mut self,
        name: &'static str,
        rule: Rule,
        example: &'static str,
    ) -> Texts {
        let list = self.list(name, true, |fields, value, path| {
            fields.text_of(value, path, rule)
        });
        list.unwrap_or_else(|| {
            self.missing(name, example);
            Texts::default()
        })
    }

    pub fn ports(&mut self, name: &'static str) -> Vec<u16> {
        let mut ports = Vec::new();
        self.list(name, true, |fields, value, path| {
            let port = fields.port_of(value, path)?;
            ports.push(port);
            Some(Written {
                text: port.to_string(),
                span: range(value),
                path: path.to_string(),
            })
        });
        ports
    }

    pub fn port(&mut self, name: &'static str) -> Option<u16> {
        let property = self.ask(name, false)?;
        self.port_of(&property.value, &Path::Field(self.path, name))
    }

    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let property = self.ask(name, false)?;
        if let ast::Value::BooleanLit(literal) = &property.value {
            return Some(literal.value);
        }
        wrong_type(
            &property.value,
            &Path::Field(self.path, name),
            "true or false",
            None,
            self.report,
        );
        None
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let property = self.ask(name, false)?;
        let path = Path::Field(self.path, name);
        let words: Vec<_> = choices.iter().map(|(word, _)| quoted(word)).collect();
        let words = words.join(" or ");
        let ast::Value::StringLit(literal) = &property.value else {
            wrong_type(&property.value, &path, &words, None, self.report);
            return None;
        };
        let found = choices.iter().find(|(word, _)| *word == literal.value);
        if found.is_none() {
            let reason = format!("is {}, which is none of its values", quoted(&literal.value));
            let help = Some(format!("write {words}"));
            self.misfit(
                Misfit {
                    code: code::UNKNOWN_VALUE,
                    reason,
                    help,
                },
                range(literal),
                &path,
            );
        }
        found.map(|(_, choice)| *choice)
    }

    /// An object with known fields.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Fields<'a, '_>) -> T,
    ) -> Option<T> {
        let property = self.ask(name, false)?;
        let path = Path::Field(self.path, name);
        let mut fields = Fields::open(
            &property.value,
            range(&property.name),
            &path,
            self.text,
            self.report,
        )?;
        let read = read(&mut fields);
        fields.finish();
        Some(read)
    }

    /// An object whose field names are the user's own; `None` where it is absent or no object.
    pub fn entries<T>(
        &mut self,
        name: &'static str,
        rule: Rule,
        mut read: impl FnMut(&Written, &mut Fields<'a, '_>) -> T,
    ) -> Option<Entries<T>> {
        let property = self.ask(name, false)?;
        let path = Path::Field(self.path, name);
        let owner = range(&property.name);
        let object = Fields::open(&property.value, owner, &path, self.text, self.report)?.object;
        let mut entries = Entries {
            names: Vec::new(),
            values: BTreeMap::new(),
        };
        let mut seen = BTreeSet::new();
        for entry in &object.properties {
            // A second entry of one name was reported as a duplicate key.
            if !seen.insert(entry.name.as_str()) {
                continue;
            }
            let path = Path::Field(&path, entry.name.as_str());
            let name = Written {
                text: entry.name.as_str().to_owned(),
                span: range(&entry.name),
                path: path.to_string(),
            };
            if let Err(misfit) = rule(&name.text) {
                self.misfit(misfit, name.span.clone(), &path);
            }
            if let Some(mut fields) = Fields::open(
                &entry.value,
                name.span.clone(),
                &path,
                self.text,
                self.report,
            ) {
                let value = read(&name, &mut fields);
                fields.finish();
                entries.values.insert(name.text.clone(), value);
            }
            entries.names.push(name);
        }
        Some(entries)
    }

    /// As [`entries`](Self::entries), for an object that must be there.
    pub fn required_entries<T>(
        &mut self,
        name: &'static str,
        rule: Rule,
        read: impl FnMut(&Written, &mut Fields<'a, '_>) -> T,
    ) -> Option<Entries<T>> {
        if self
            .object
            .properties
            .iter()
            .all(|property| property.name.as_str() != name)
        {
            self.missing(name, "{ … }");
        }
        self.entries(name, rule, read)
    }

    /// An object that is kept as it is in `document`.
    pub fn kept(&mut self, name: &'static str, document: &Value) -> Option<Map<String, Value>> {
        let property = self.ask(name, false)?;
        if property.value.as_object().is_none() {
            wrong_type(
                &property.value,
                &Path::Field(self.path, name),
                "an object { … }",
                None,
                self.report,
            );
        }
        document.get(name)?.as_object().cloned()
    }

    /// Seconds since 1970, or the one word that stands for a time.
    pub fn epoch(&mut self, name: &'static str) -> Option<SourceDateEpoch> {
        let property = self.ask(name, false)?;
        let path = Path::Field(self.path, name);
        let help = || Some("write seconds since 1970, 0 to 4294967295, or \"commit\"".to_owned());
        if let ast::Value::StringLit(literal) = &property.value {
            if literal.value == "commit" {
                return Some(SourceDateEpoch::Named(NamedEpoch::Commit));
            }
            let reason = format!("is {}, which is no time", quoted(&literal.value));
            self.misfit(
                Misfit {
                    code: code::UNKNOWN_VALUE,
                    reason,
                    help: help(),
                },
                range(literal),
                &path,
            );
            return None;
        }
        let number = self.number_of(&property.value, &path, "a number of seconds or \"commit\"")?;
        if let Ok(seconds) = u32::try_from(number) {
            return Some(SourceDateEpoch::Seconds(seconds));
        }
        let reason = format!("is {number}, which file times cannot hold");
        self.misfit(
            Misfit {
                code: code::EPOCH_RANGE,
                reason,
                help: help(),
            },
            range(&property.value),
            &path,
        );
        None
    }

    /// The version of the whole document, which must be `version`.
    pub fn version(&mut self, name: &'static str, version: &'static str, example: &'static str) {
        let Some(property) = self.ask(name, false) else {
            return self.missing(name, example);
        };
        let path = Path::Field(self.path, name);
        let help = Some(format!("write {example}"));
        match &property.value {
            ast::Value::StringLit(literal) if literal.value == version => {}
            ast::Value::StringLit(literal) => {
                let reason = format!(
                    "is {}, which this Ergon does not know",
                    quoted(&literal.value)
                );
                self.misfit(
                    Misfit {
                        code: code::UNKNOWN_VERSION,
                        reason,
                        help,
                    },
                    range(literal),
                    &path,
                );
            }
            other => wrong_type(other, &path, example, help, self.report),
        }
    }

    fn list(
        &mut self,
        name: &'static str,
        unique: bool,
        mut read: impl FnMut(&mut Self, &'a ast::Value<'a>, &Path<'_>) -> Option<Written>,
    ) -> Option<Texts> {
        let property = self.ask(name, true)?;
        let path = Path::Field(self.path, name);
        let ast::Value::Array(array) = &property.value else {
            let help = is_scalar(&property.value)
                .then(|| format!("write [{}]", self.source(&property.value)));
            wrong_type(&property.value, &path, "a list [ … ]", help, self.report);
            return Some(Texts::default());
        };
        let mut seen = BTreeSet::new();
        let mut items = Vec::with_capacity(array.elements.len());
        for (index, element) in array.elements.iter().enumerate() {
            let path = Path::Item(&path, index);
            let Some(item) = read(self, element, &path) else {
                continue;
            };
            if unique && !seen.insert(item.text.clone()) {
                let reason = format!("says {} a second time", self.source(element));
                let misfit = Misfit {
                    code: code::DUPLICATE_ITEM,
                    reason,
                    help: Some("remove it".to_owned()),
                };
                self.misfit(misfit, item.span.clone(), &path);
            }
            items.push(item);
        }
        let whole = items.len() == array.elements.len();
        Some(Texts { items, whole })
    }

    fn text_of(
        &mut self,
        value: &ast::Value<'_>,
        path: &Path<'_>,
        rule: impl Fn(&str) -> Fit,
    ) -> Option<Written> {
        let ast::Value::StringLit(literal) = value else {
            let quotable = matches!(value, ast::Value::NumberLit(_) | ast::Value::BooleanLit(_));
            let help = quotable.then(|| format!("write it in quotes: \"{}\"", self.source(value)));
            wrong_type(value, path, "a string", help, self.report);
            return None;
        };
        let (text, span) = (literal.value.clone().into_owned(), range(value));
        // A text that breaks its rule is still the name that others refer to.
        if let Err(misfit) = rule(&text) {
            self.misfit(misfit, span.clone(), path);
        }
        Some(Written {
            text,
            span,
            path: path.to_string(),
        })
    }

    fn port_of(&mut self, value: &ast::Value<'_>, path: &Path<'_>) -> Option<u16> {
        let number = self.number_of(value, path, "a port, 1 to 65535")?;
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        if port.is_none() {
            let reason = format!("is {number}, which is not a port");
            let help = Some("ports are 1 to 65535".to_owned());
            self.misfit(
                Misfit {
                    code: code::PORT_RANGE,
                    reason,
                    help,
                },
                range(value),
                path,
            );
        }
        port
    }

    fn number_of(&mut self, value: &ast::Value<'_>, path: &Path<'_>, wanted: &str) -> Option<i64> {
        if let ast::Value::NumberLit(literal) = value {
            // Any other number was reported when the values were read.
            return whole_number(literal.value).ok();
        }
        let digits = value
            .as_string_lit()
            .filter(|literal| whole_number(&literal.value).is_ok());
        let help = digits.map(|literal| format!("write it without quotes: {}", literal.value));
        wrong_type(value, path, wanted, help, self.report);
        None
    }
}
