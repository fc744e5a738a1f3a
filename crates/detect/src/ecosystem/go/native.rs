//! What modules with C in them need of the system.

use super::module::Module;
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::sources::Text;

/// Modules, and what they are built and run with.
const MODULES: [(&str, &[&str]); 4] = [
    ("github.com/mattn/go-sqlite3", &["gcc", "libc6-dev"]),
    (
        "github.com/confluentinc/confluent-kafka-go",
        &["gcc", "libc6-dev"],
    ),
    ("github.com/h2non/bimg", VIPS),
    ("github.com/davidbyttow/govips", VIPS),
];
const VIPS: &[&str] = &["gcc", "libc6-dev", "libvips-dev", "pkg-config", "libvips42"];

/// The Debian packages, reported; none where there is no C in the program.
pub(super) fn packages(
    module: &Module,
    texts: &[Text<'_>],
    report: &mut Report,
) -> Option<Vec<String>> {
    let mut has_c = texts.iter().any(|(_, text)| text.contains("import \"C\""));
    let mut packages: Vec<String> = Vec::new();
    for (path, _, line) in &module.requires {
        let known = MODULES.iter().find(|(known, _)| {
            path.strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let Some((name, needs)) = known else {
            continue;
        };
        has_c = true;
        for package in *needs {
            if !packages.iter().any(|known| known == package) {
                packages.push((*package).to_owned());
                report
                    .likely(Topic::SystemPackage, *package, format!("go.mod:{line}"))
                    .note(format!("{name} needs it"));
            }
        }
    }
    has_c.then_some(packages)
}
