//! Resources: what the stack knows, under addresses. Each is the answer of an operation, or a part of it.

use percent_encoding::percent_decode_str;
use rmcp::model::{JsonObject, Resource, ResourceContents, ResourceTemplate};
use serde_json::Value;

const SCHEME: &str = "ergon://";

/// A kind of resource.
#[derive(Debug)]
pub struct Kind {
    /// What it is called in lists.
    pub name: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    /// `projects` of `ergon://projects/{name}/manifest`.
    pub collection: &'static str,
    /// Whether its address has a name in it.
    pub is_named: bool,
    /// `manifest` of `ergon://projects/{name}/manifest`.
    pub part: Option<&'static str>,
    /// The operation that answers, and its argument for the name.
    operation: &'static str,
    argument: &'static str,
    /// Where in the answer it is.
    pointer: &'static str,
}

const fn collection(
    name: &'static str,
    title: &'static str,
    about: &'static str,
    operation: &'static str,
) -> Kind {
    Kind {
        name,
        title,
        about,
        collection: name,
        is_named: false,
        part: None,
        operation,
        argument: "",
        pointer: "",
    }
}

const fn one(
    name: &'static str,
    title: &'static str,
    about: &'static str,
    collection: &'static str,
    (operation, argument): (&'static str, &'static str),
) -> Kind {
    Kind {
        name,
        title,
        about,
        collection,
        is_named: true,
        part: None,
        operation,
        argument,
        pointer: "",
    }
}

const fn part(
    of: Kind,
    name: &'static str,
    title: &'static str,
    about: &'static str,
    part: &'static str,
    pointer: &'static str,
) -> Kind {
    Kind {
        name,
        title,
        about,
        part: Some(part),
        pointer,
        ..of
    }
}

const PROJECT: Kind = one(
    "project",
    "A project",
    "A source tree that the stack knows, its last build and its containers.",
    "projects",
    ("project", "id"),
);
const PACKED: Kind = one("", "", "", "projects", ("generate_dockerfile", "id"));
const CONTAINER: Kind = one(
    "container",
    "A container",
    "A container as its companion sees it.",
    "containers",
    ("container", "name"),
);
const JOB: Kind = one(
    "job",
    "A job",
    "A job with its steps.",
    "jobs",
    ("job", "id"),
);

/// Every kind there is. What has no name in its address can be listed, the others are templates.
pub const KINDS: &[Kind] = &[
    collection(
        "projects",
        "Projects",
        "Every source tree that the stack knows.",
        "list_projects",
    ),
    collection(
        "containers",
        "Containers",
        "Every container that has a companion.",
        "list_containers",
    ),
    collection(
        "companions",
        "Companions",
        "Who is in the directory.",
        "list_companions",
    ),
    collection(
        "jobs",
        "Jobs",
        "What the stack did and does, newest first.",
        "list_jobs",
    ),
    collection("builds", "Builds", "Builds, newest first.", "list_builds"),
    collection(
        "proposals",
        "Proposals",
        "What companions would do to their containers if somebody approves.",
        "list_proposals",
    ),
    collection(
        "solutions",
        "Solutions",
        "What was finished and may be used by others.",
        "list_solutions",
    ),
    collection("events", "Events", "What changed, newest first.", "events"),
    PROJECT,
    part(
        PACKED,
        "manifest",
        "A project's manifest",
        "The project's manifest, as it would be written now.",
        "manifest",
        "/manifest",
    ),
    part(
        PACKED,
        "dockerfile",
        "A project's Dockerfile",
        "The project's Dockerfile, as it would be written now.",
        "dockerfile",
        "/dockerfile",
    ),
    CONTAINER,
    part(
        CONTAINER,
        "findings",
        "A container's findings",
        "What is wrong with a container, each with its evidence.",
        "findings",
        "/findings",
    ),
    part(
        CONTAINER,
        "log",
        "A container's log",
        "The last lines that a container wrote.",
        "log",
        "/log",
    ),
    JOB,
    part(
        one("", "", "", "jobs", ("job_log", "id")),
        "job-log",
        "A job's log",
        "What a job's steps wrote.",
        "log",
        "/items",
    ),
    one(
        "build",
        "A build",
        "A build with its inputs, images and layers.",
        "builds",
        ("build", "hash"),
    ),
    one(
        "proposal",
        "A proposal",
        "A proposal with its exact content, and what became of it.",
        "proposals",
        ("proposal", "code"),
    ),
    one(
        "solution",
        "A solution",
        "A solution: the version that is named, else the highest.",
        "solutions",
        ("solution", "reference"),
    ),
];

/// An address of a resource, taken apart.
#[derive(Debug)]
pub struct Address {
    pub kind: &'static Kind,
    pub name: Option<String>,
}

impl Address {
    /// What an address names, if there can be such a thing.
    pub fn read(uri: &str) -> Option<Self> {
        let mut segments = uri.strip_prefix(SCHEME)?.split('/');
        let collection = segments.next()?;
        let name = segments
            .next()
            .map(|name| percent_decode_str(name).decode_utf8());
        let name = name.transpose().ok()?.map(std::borrow::Cow::into_owned);
        let part = segments.next();
        if segments.next().is_some() || name.as_ref().is_some_and(String::is_empty) {
            return None;
        }
        let is_it = |kind: &&Kind| {
            kind.collection == collection && kind.is_named == name.is_some() && kind.part == part
        };
        let kind = KINDS.iter().find(is_it)?;
        Some(Self { kind, name })
    }

    /// The operation that answers, and what it is given.
    pub fn question(&self) -> (&'static str, JsonObject) {
        let mut arguments = JsonObject::new();
        if let Some(name) = &self.name {
            arguments.insert(self.kind.argument.to_owned(), Value::from(name.as_str()));
        }
        (self.kind.operation, arguments)
    }

    /// Whether something that happened may have changed it. Events name projects by id, and people by name: all of them are
    /// looked at again.
    pub fn may_have_changed(&self, subject: &str) -> bool {
        let (kind, name) = subject.split_once('/').unwrap_or((subject, ""));
        let is_of_collection = match self.kind.collection {
            "events" => return true,
            "projects" => matches!(kind, "project" | "job" | "build"),
            "companions" => matches!(kind, "project" | "container" | "companion"),
            collection => collection.strip_suffix('s') == Some(kind),
        };
        let is_it = self.name.as_deref().is_none_or(|own| {
            self.kind.collection == "projects"
                || name.eq_ignore_ascii_case(own)
                || name.starts_with(own)
        });
        is_of_collection && is_it
    }
}

impl Kind {
    /// The kind's address, with the place of a name in braces.
    pub fn template(&self) -> String {
        let name = if self.is_named { "/{name}" } else { "" };
        let part = self.part.map(|part| format!("/{part}")).unwrap_or_default();
        format!("{SCHEME}{}{name}{part}", self.collection)
    }

    fn mime_type(&self) -> &'static str {
        match self.name {
            "dockerfile" | "log" => "text/plain",
            _ => "application/json",
        }
    }

    /// What of an operation's answer the resource is.
    pub fn contents(&self, uri: &str, answer: &Value) -> Option<ResourceContents> {
        let value = answer.pointer(self.pointer)?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(lines) if self.name == "log" => {
                let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                lines.join("\n")
            }
            other => other.to_string(),
        };
        Some(ResourceContents::text(text, uri).with_mime_type(self.mime_type()))
    }
}

/// What can be read without a name.
pub fn collections() -> Vec<Resource> {
    let collections = KINDS.iter().filter(|kind| !kind.is_named);
    collections
        .map(|kind| {
            Resource::new(kind.template(), kind.name)
                .with_title(kind.title)
                .with_description(kind.about)
                .with_mime_type(kind.mime_type())
        })
        .collect()
}

/// What can be read of one thing.
pub fn templates() -> Vec<ResourceTemplate> {
    let named = KINDS.iter().filter(|kind| kind.is_named);
    named
        .map(|kind| {
            ResourceTemplate::new(kind.template(), kind.name)
                .with_title(kind.title)
                .with_description(kind.about)
                .with_mime_type(kind.mime_type())
        })
        .collect()
}

/// One thing of a collection, as lists show it.
pub fn item(collection: &str, name: &str) -> Option<Resource> {
    let is_it =
        |kind: &&Kind| kind.collection == collection && kind.is_named && kind.part.is_none();
    let kind = KINDS.iter().find(is_it)?;
    let name_in_uri =
        percent_encoding::utf8_percent_encode(name, super::request::SEGMENT).to_string();
    let uri = kind.template().replace("{name}", &name_in_uri);
    let resource = Resource::new(uri, name).with_title(format!("{} `{name}`", kind.title));
    Some(
        resource
            .with_description(kind.about)
            .with_mime_type(kind.mime_type()),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::mcp::tools;

    #[test]
    fn every_resource_is_the_answer_of_an_operation_there_is() {
        let tools = tools::all();
        for kind in KINDS {
            let operation = &tools[kind.operation];
            let takes = operation.tool.input_schema["properties"]
                .as_object()
                .unwrap();
            assert_eq!(
                takes.contains_key(kind.argument),
                kind.is_named,
                "{}",
                kind.name
            );
            assert_eq!(
                operation.tool.annotations.as_ref().unwrap().read_only_hint,
                Some(true),
                "{} is only read",
                kind.name
            );
        }
        let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), KINDS.len());
    }

    #[test]
    fn every_address_is_read_back_as_what_it_is() {
        for kind in KINDS {
            let uri = kind.template().replace("{name}", "a%2Fb");
            let address = Address::read(&uri).unwrap();
            assert_eq!(address.kind.name, kind.name);
            assert_eq!(address.name.as_deref(), kind.is_named.then_some("a/b"));
        }
    }

    #[test]
    fn what_is_no_address_names_nothing() {
        for uri in [
            "",
            "ergon://",
            "ergon://nothing",
            "ergon://projects/",
            "ergon://projects/a/nothing",
            "ergon://projects/a/manifest/more",
            "ergon://projects/%ff",
            "file:///etc/passwd",
        ] {
            assert!(Address::read(uri).is_none(), "{uri}");
        }
    }

    #[test]
    fn a_part_is_taken_out_of_the_answer() {
        let log = Address::read("ergon://containers/web/log").unwrap();
        assert_eq!(log.question().0, "container");
        let contents = log.kind.contents(
            "ergon://containers/web/log",
            &json!({ "log": ["one", "two"] }),
        );
        let contents = serde_json::to_value(contents.unwrap()).unwrap();
        assert_eq!(
            (&contents["text"], &contents["mimeType"]),
            (&json!("one\ntwo"), &json!("text/plain"))
        );
        assert!(log.kind.contents("", &json!({})).is_none());
    }

    #[test]
    fn a_change_is_told_to_whom_it_concerns() {
        let changed =
            |uri: &str, subject: &str| Address::read(uri).unwrap().may_have_changed(subject);
        assert!(changed("ergon://containers/web", "container/web"));
        assert!(changed("ergon://containers/web/findings", "container/web"));
        assert!(changed("ergon://containers", "container/web"));
        assert!(!changed("ergon://containers/web", "container/db"));
        assert!(!changed("ergon://containers/web", "job/web"));
        assert!(changed("ergon://projects/app", "project/0190"));
        assert!(changed("ergon://builds/4f1c", "build/4f1c09ab"));
        assert!(!changed("ergon://jobs/1", "container/web"));
        assert!(changed("ergon://events", "session/owner"));
    }
}
