//! What holds of every analysis.

use ergon_detect::analyse;
use ergon_detect::memory::MemoryTree;
use ergon_detect::plan::plan;
use proptest::prelude::*;

use crate::report;

/// Files that detection reads, and some that it does not.
const NAMES: [&str; 18] = [
    "requirements.txt",
    "pyproject.toml",
    "main.py",
    "app/__init__.py",
    "manage.py",
    ".python-version",
    "runtime.txt",
    "package.json",
    "package-lock.json",
    "server.js",
    ".nvmrc",
    "go.mod",
    "main.go",
    "Cargo.toml",
    "src/main.rs",
    "rust-toolchain",
    ".dockerignore",
    ".gitignore",
];

/// Texts made of what the readers look for.
fn content() -> impl Strategy<Value = String> {
    let pieces = [
        "fastapi",
        "==1.0.0",
        "\n",
        " ",
        "app = FastAPI()",
        "os.environ[\"X\"]",
        "os.getenv('Y', '",
        "process.env.",
        "Z || 3000",
        "{",
        "}",
        "\"",
        "name",
        ":",
        "[project]",
        "=",
        "'",
        "module x",
        "go 1.19",
        "require (",
        "package main",
        "func main()",
        "[package]",
        "name = \"x\"",
        "-r requirements.txt",
        "\\",
        "é",
        "\u{0}",
        "[",
        "]",
        "(",
        ")",
        "=>",
        "@app.get(\"/",
        "flask",
        "express",
        "\"dependencies\"",
        "os.Getenv(\"",
        "if port == \"\" {",
        "env::var(\"",
        "port=",
        "uvicorn.run(",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..30)
        .prop_map(|pieces| pieces.concat())
}

#[test]
fn with_two_languages_the_other_is_asked_about() {
    let tree = MemoryTree::new([
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        (
            "package.json",
            "{\"name\": \"pages\", \"scripts\": {\"start\": \"node pages.js\"}}",
        ),
    ]);
    assert!(report(&tree).starts_with("app · a web service in Python 3.11\n"));
    assert!(
        report(&tree)
            .contains("? A Node program too? There are signs of one, but only `app` was taken.")
    );
    // What nobody starts only builds the site's looks.
    let tree = MemoryTree::new([
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("package.json", "{\"name\": \"assets\"}"),
    ]);
    assert!(!report(&tree).contains("program too?"));
}

#[test]
fn the_same_tree_gives_the_same_answer() {
    let tree = MemoryTree::new([
        ("requirements.txt", "flask==3.0.0\nredis\n"),
        ("app.py", "app = Flask(__name__)\n"),
    ]);
    assert_eq!(report(&tree), report(&tree));
}

#[test]
fn folders_of_tools_among_the_sources_are_asked_about() {
    let tree = MemoryTree::new([
        ("package.json", "{\"name\": \"x\"}"),
        ("node_modules/y/index.js", ""),
    ]);
    assert!(report(&tree).contains("? Is node_modules source?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_in_the_files_the_manifest_holds_and_can_be_planned(
        files in prop::collection::btree_map(prop::sample::select(NAMES.to_vec()), content(), 0..6)
    ) {
        let tree = MemoryTree::new(files);
        let analysis = analyse(&tree);
        let text = ergon_manifest::to_pretty_json(&analysis.manifest);
        if analysis.manifest.applications.is_empty() {
            prop_assert!(!analysis.looked_for.is_empty());
        } else {
            let checked = ergon_manifest::check(&text);
            prop_assert!(checked.is_ok(), "{:?}\n{text}", checked.err());
        }
        prop_assert!(plan(&analysis.manifest, &tree).is_ok());
    }

    #[test]
    fn no_bytes_make_it_panic(
        files in prop::collection::btree_map(prop::sample::select(NAMES.to_vec()), prop::collection::vec(any::<u8>(), 0..80), 0..6)
    ) {
        analyse(&MemoryTree::new(files));
    }
}
