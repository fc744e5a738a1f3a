//! What Prisma's schema says of the database.

use super::package::Package;
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::environment::{Need, Read};
use crate::scan::Scan;
use crate::sources::Sources;

const COMMENT: &[&str] = &["//"];
const QUOTES: &[char] = &['"', '\''];

/// The databases, as a schema names them.
const PROVIDERS: [(&str, &str, &str); 5] = [
    ("postgresql", "postgresql", "PostgreSQL"),
    ("postgres", "postgresql", "PostgreSQL"),
    ("cockroachdb", "postgresql", "CockroachDB"),
    ("mysql", "mysql", "MySQL"),
    ("mongodb", "mongodb", "MongoDB"),
];

/// Where the schema lies, where Prisma is used.
fn schema(sources: &Sources<'_>, package: &Package) -> Option<&'static str> {
    let is_used = package.depends_on("@prisma/client") || package.depends_on("prisma");
    is_used
        .then(|| sources.first_of(&["prisma/schema.prisma", "schema.prisma"]))
        .flatten()
}

/// Whether there is a client to be made.
pub(super) fn is_used(sources: &Sources<'_>, package: &Package) -> bool {
    let said = || sources.has("prisma.config.ts") || package.document.get(&["prisma"]).is_some();
    let depends = package.depends_on("@prisma/client") || package.depends_on("prisma");
    schema(sources, package).is_some() || (depends && said())
}

/// Adds the database that the schema is for to the services that the dependencies tell.
pub(super) fn service(
    sources: &Sources<'_>,
    package: &Package,
    services: &mut Vec<String>,
    report: &mut Report,
) {
    let Some(file) = schema(sources, package) else {
        return;
    };
    let text = sources.text(file).unwrap_or_default();
    let named = Scan::behind(&text, "provider", COMMENT).find_map(|mut scan| {
        let line = scan.line();
        let provider = scan.eat("=").then(|| scan.string(QUOTES)).flatten()?;
        let known = PROVIDERS.iter().find(|(name, ..)| *name == provider)?;
        Some((known, line))
    });
    let Some(((_, id, label), line)) = named else {
        return;
    };
    if services.iter().any(|known| known == id) {
        return;
    }
    report
        .certain(Topic::Service, *label, format!("{file}:{line}"))
        .note(format!("the database of {file}"));
    services.push((*id).to_owned());
    services.sort();
}

/// The variables that the schema reads; Prisma fails where they are not set.
pub(super) fn reads(sources: &Sources<'_>, package: &Package) -> Vec<Read> {
    let Some(file) = schema(sources, package) else {
        return Vec::new();
    };
    let text = sources.text(file).unwrap_or_default();
    let found = Scan::behind(&text, "env", COMMENT).filter_map(|mut scan| {
        let from = format!("{file}:{}", scan.line());
        let name = scan.eat("(").then(|| scan.string(QUOTES)).flatten()?;
        Some(Read {
            name: name.to_owned(),
            need: Need::Required,
            from,
        })
    });
    found.collect()
}
