//! What the build tools of the Java virtual machine read when they only get what is wanted from elsewhere.

use std::collections::BTreeSet;

use super::Place;

/// A wrapper is a script, and the shell that is called with it need not be named.
pub(super) fn without_shell<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    match words {
        ["sh" | "bash", script, ..]
            if script.ends_with("/mvnw") || script.ends_with("/gradlew") =>
        {
            &words[1..]
        }
        words => words,
    }
}

/// `mvn dependency:go-offline`: all that stands in one `pom.xml`.
pub(super) fn maven(
    program: &str,
    arguments: &[&str],
    place: &Place<'_>,
) -> Option<BTreeSet<String>> {
    let only_gets = arguments.iter().all(|argument| {
        matches!(
            *argument,
            "dependency:go-offline" | "dependency:resolve" | "dependency:resolve-plugins"
        ) || (argument.starts_with('-')
            && !argument.starts_with("-f")
            && !argument.starts_with("--f"))
    });
    let text = place.text("pom.xml");
    // A parent beside it, its modules and files of the tree are read, too.
    let needs_more = ["<modules>", "<module>", "<systemPath>", "file:"]
        .iter()
        .any(|word| text.contains(word));
    let no_parent = !text.contains("<parent>")
        || text.contains("<relativePath/>")
        || text.contains("<relativePath />")
        || !place.has("../pom.xml");
    if text.is_empty() || !only_gets || needs_more || !no_parent {
        return None;
    }
    let mut names = vec!["pom.xml"];
    if program != "mvn" {
        names.push("mvnw");
    }
    with_folders(&names, &[".mvn/"], place)
}

/// `lein deps`: `project.clj` is a program, which must not read other files.
pub(super) fn leiningen(place: &Place<'_>) -> Option<BTreeSet<String>> {
    let text = place.text("project.clj");
    let reads = [
        "slurp",
        "load-file",
        "sh ",
        "clojure.java.io",
        ":local-repo",
        "checkouts",
        "file:",
    ];
    if text.is_empty() || reads.iter().any(|word| text.contains(word)) {
        return None;
    }
    place.files(&["project.clj", "profiles.clj"])
}

/// `clojure -P`: `deps.edn`, unless it names projects in the tree.
pub(super) fn clojure(arguments: &[&str], place: &Place<'_>) -> Option<BTreeSet<String>> {
    let text = place.text("deps.edn");
    let only_gets = arguments.contains(&"-P");
    if text.is_empty() || !only_gets || text.contains(":local/root") {
        return None;
    }
    place.files(&["deps.edn"])
}

/// `sbt update`: the build itself, which is all of `project/` and the files beside it.
pub(super) fn sbt(arguments: &[&str], place: &Place<'_>) -> Option<BTreeSet<String>> {
    if arguments != ["update"] {
        return None;
    }
    let root = place.path("")?;
    let prefix = if root.is_empty() {
        root
    } else {
        format!("{root}/")
    };
    let here = place.tree.entries().keys().filter_map(|path| {
        let name = path.strip_prefix(&prefix)?;
        (name.ends_with(".sbt") && !name.contains('/')).then_some(name)
    });
    let here: Vec<&str> = here.collect();
    let builds = here.iter().map(|name| place.text(name));
    // Versions that are read from elsewhere, and projects that are made of folders.
    let reads = [
        "IO.read",
        "Source.fromFile",
        "file(\"../",
        "RootProject",
        "ProjectRef",
    ];
    let text: String = builds.collect();
    if here.is_empty() || reads.iter().any(|word| text.contains(word)) {
        return None;
    }
    with_folders(&here, &["project/"], place)
}

/// Files, and all that is in folders.
fn with_folders(names: &[&str], folders: &[&str], place: &Place<'_>) -> Option<BTreeSet<String>> {
    let root = place.path("")?;
    let prefix = if root.is_empty() {
        root
    } else {
        format!("{root}/")
    };
    let below = place.tree.entries().keys().filter_map(|path| {
        let name = path.strip_prefix(&prefix)?;
        let inside = folders.iter().any(|folder| name.starts_with(folder));
        (inside && !name.contains("/target/")).then_some(name)
    });
    let names: Vec<&str> = names.iter().copied().chain(below).collect();
    place.files(&names)
}
