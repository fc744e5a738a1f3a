//! Projects that say two things at once, or what nobody can follow.

use std::collections::BTreeMap;
use std::io;

use ergon_detect::memory::MemoryTree;
use ergon_detect::tree::{EntryKind, FileTree};

use super::report;

/// What is asked of some files.
pub fn questions(files: &[(&str, &str)]) -> Vec<String> {
    let tree = MemoryTree::new(files.iter().copied());
    let analysis = ergon_detect::analyse(&tree);
    let questions = analysis.questions.into_iter();
    questions
        .map(|question| format!("{} → {}", question.text, question.remedy))
        .collect()
}

fn of_version(files: &[(&str, &str)]) -> Vec<String> {
    let mut questions = questions(files);
    questions.retain(|question| question.contains(" version? "));
    questions
}

fn runtime(files: &[(&str, &str)]) -> String {
    let report = report(&MemoryTree::new(files.iter().copied()));
    let mut lines = report.lines();
    let line = lines.find(|line| line.starts_with("runtime: "));
    line.unwrap_or_default().to_owned()
}

pub const PROJECT: &str = "[project]\nname = \"a\"\nversion = \"1\"\n";

#[test]
fn a_version_that_another_file_rules_out_is_asked_for() {
    let pyproject = format!("{PROJECT}requires-python = \">=3.12\"\n");
    let csproj = "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup>\n<OutputType>Exe</OutputType>\n\
                  <TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>";
    let mix = "defmodule A.MixProject do\n  def project, do: [app: :a, elixir: \"~> 1.17\"]\nend\n";
    let cases: [(&[(&str, &str)], &str); 8] = [
        (
            &[
                (".python-version", "3.11\n"),
                ("pyproject.toml", &pyproject),
                ("main.py", ""),
            ],
            "Python version? .python-version:1 says 3.11, but pyproject.toml:4 wants >=3.12. \
             → echo 3.12 > .python-version",
        ),
        (
            &[
                ("rust-toolchain", "1.75\n"),
                (
                    "Cargo.toml",
                    "[package]\nname = \"a\"\nversion = \"1.0.0\"\nedition = \"2024\"\n",
                ),
                ("src/main.rs", "fn main() {}"),
            ],
            "Rust version? rust-toolchain:1 says 1.75, but Cargo.toml:4 wants >=1.85. \
             → echo 1.85 > rust-toolchain",
        ),
        (
            &[(".tool-versions", "elixir 1.15.0\n"), ("mix.exs", mix)],
            "Elixir version? .tool-versions:1 says 1.15.0, but mix.exs:2 wants ~> 1.17. \
             → in .tool-versions, line 1, write 1.17 instead of 1.15.0",
        ),
        (
            &[
                (
                    "composer.json",
                    "{\"require\": {\"php\": \"^8.2\"},\n\"config\": {\"platform\": {\"php\": \"8.1\"}}}",
                ),
                ("index.php", "<?php"),
            ],
            "PHP version? composer.json:2 says 8.1, but composer.json:1 wants ^8.2. \
             → in composer.json, line 2, write 8.2 instead of 8.1",
        ),
        (
            &[
                (".nvmrc", "18"),
                (
                    "package.json",
                    "{\"engines\": {\"node\": \">=20 <21\"}, \"scripts\": {\"start\": \"node a\"}}",
                ),
            ],
            "Node version? .nvmrc:1 says 18, but package.json:1 wants >=20 <21. \
             → echo 20 > .nvmrc",
        ),
        (
            &[
                ("global.json", "{\"sdk\": {\n\"version\": \"8.0.404\"}}"),
                ("a.csproj", csproj),
                ("Program.cs", ""),
            ],
            ".NET version? a.csproj:3 says 9.0, but global.json:2 wants 8.0.404. \
             → in global.json, line 2, write 9.0.100 as the version of the SDK",
        ),
        (
            &[
                (".go-version", "1.21.3"),
                ("go.mod", "module a\n\ngo 1.23\n"),
                ("main.go", "package main\nfunc main() {}"),
            ],
            "Go version? .go-version:1 says 1.21.3, but go.mod:3 wants 1.23. \
             → echo 1.23 > .go-version",
        ),
        (
            &[
                (".ruby-version", "3.0.1"),
                ("Gemfile", "gem 'rails', '~> 8.0'"),
                ("config.ru", ""),
            ],
            "Ruby version? .ruby-version:1 says 3.0.1, but Gemfile:1 wants Rails 8.0, which needs >=3.2. \
             → echo 3.2 > .ruby-version",
        ),
    ];
    for (files, question) in cases {
        assert_eq!(of_version(files), [question]);
    }
}

#[test]
fn a_version_that_every_file_allows_is_no_question() {
    let engines = |range: &str| {
        format!(
            "{{\"engines\": {{\"node\": \"{range}\"}}, \"scripts\": {{\"start\": \"node a\"}}}}"
        )
    };
    for (file, range) in [("18", ">=18.17"), ("18.20.1", "18.x || 20.x"), ("22", "*")] {
        let files = [(".nvmrc", file), ("package.json", &engines(range))];
        assert_eq!(of_version(&files), [""; 0], "{file} {range}");
    }
    // Newer tools build what is made for older ones.
    let go = [
        (".go-version", "1.23.1"),
        ("go.mod", "module a\n\ngo 1.21\n"),
        ("main.go", "package main\nfunc main() {}"),
    ];
    assert_eq!(of_version(&go), [""; 0]);
    let rails = [
        (".ruby-version", "3.3.0"),
        ("Gemfile", "gem 'rails', '~> 8.0'"),
        ("config.ru", ""),
    ];
    assert_eq!(
        runtime(&rails),
        "runtime: Ruby 3.3.0 [.ruby-version:1, certain]"
    );
}

#[test]
fn a_lesser_setting_of_a_build_rules_nothing_out() {
    let pom = "<project><modelVersion>4.0.0</modelVersion><artifactId>a</artifactId><properties>\
               <maven.compiler.release>11</maven.compiler.release><java.version>17</java.version>\
               </properties></project>";
    let main = "public class A { public static void main(String[] a) {} }";
    let files = [("pom.xml", pom), ("src/main/java/A.java", main)];
    assert_eq!(of_version(&files), [""; 0]);
}

#[test]
fn two_ranges_that_meet_are_settled_by_a_version_of_both() {
    let files = |first: &'static str| {
        let package = format!(
            "{{\"engines\": {{\"node\": \"{first}\"}},\n\
             \"devEngines\": {{\"runtime\": {{\"name\": \"node\", \"version\": \">=20 <21\"}}}},\n\
             \"scripts\": {{\"start\": \"node a\"}}}}"
        );
        of_version(&[("package.json", &package)])
    };
    assert_eq!(
        files(">=18"),
        [
            "Node version? package.json:1 says >=18, but package.json:2 wants >=20 <21. \
          → echo 20 > .node-version"
        ]
    );
    assert_eq!(
        files("<20"),
        [
            "Node version? package.json:1 says <20, but package.json:2 wants >=20 <21. \
          → write ranges that have a version in common: package.json:1, package.json:2"
        ]
    );
}

#[test]
fn the_tools_that_are_too_old_are_named_as_such() {
    let files = [
        ("global.json", "{\"sdk\": {\"version\": \"8.0.404\"}}"),
        (
            "a.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup>\n<TargetFramework>net9.0</TargetFramework>\
             </PropertyGroup></Project>",
        ),
    ];
    assert_eq!(
        runtime(&files),
        "runtime: .NET 9.0 [a.csproj:2, certain] \
         (what is too old for the program cannot build it; global.json:1 says 8.0.404)"
    );
}

#[test]
fn what_names_no_known_version_is_told_as_it_was_read() {
    let script = "\"scripts\": {\"start\": \"node a\"}}";
    let foo = [
        (".nvmrc", "foo\n"),
        ("package.json", &format!("{{{script}")),
    ];
    assert_eq!(
        runtime(&foo),
        "runtime: Node 18 [-, assumed] (.nvmrc:1 says foo, which could not be followed)"
    );
    assert_eq!(
        of_version(&foo),
        [
            "Node version? .nvmrc:1 says foo, which could not be followed; 18 assumed. → echo 18 > .nvmrc"
        ]
    );
    let engines = format!("{{\"engines\": {{\"node\": \">=99\"}},\n{script}");
    assert_eq!(
        of_version(&[("package.json", &engines)]),
        [
            "Node version? package.json:1 says >=99, which could not be followed; 18 assumed. \
          → in package.json, line 1, write 18 instead of >=99"
        ]
    );
    // What can be followed decides, and the rest is told.
    let twenty = format!("{{\"engines\": {{\"node\": \"20\"}},\n{script}");
    let files = [(".nvmrc", "lts/foo"), ("package.json", &twenty)];
    assert_eq!(of_version(&files), [""; 0]);
    assert_eq!(
        runtime(&files),
        "runtime: Node 20 [package.json:1, certain] (.nvmrc:1 says lts/foo, which could not be followed)"
    );
    let python = [(".python-version", "shop\n"), ("main.py", "")];
    assert_eq!(
        of_version(&python),
        [
            "Python version? .python-version:1 says shop, which could not be followed; 3.11 assumed. \
          → echo 3.11 > .python-version"
        ]
    );
}

#[test]
fn lock_files_of_two_managers_are_a_question_unless_something_decides() {
    let package = "{\"scripts\": {\"start\": \"node a\"}}";
    let lock = "{\"lockfileVersion\": 3, \"packages\": {\"\": {}}}";
    let of_manager = |files: &[(&str, &str)]| {
        let mut questions = questions(files);
        questions.retain(|question| question.starts_with("Which package manager?"));
        questions
    };
    let asked = of_manager(&[
        ("package.json", package),
        ("package-lock.json", lock),
        ("yarn.lock", "# yarn lockfile v1\n"),
    ]);
    assert_eq!(
        asked,
        [
            "Which package manager? yarn.lock lies beside package-lock.json, and no package.json names one; yarn was \
             taken, whose lock file goes first. → rm package-lock.json, or where npm is meant: rm yarn.lock"
        ]
    );
    let service = "{\"scripts\": {\"start\": \"node a\"}, \"dependencies\": {\"express\": \"4\"}}";
    let of_workspace = of_manager(&[
        ("package.json", "{\"workspaces\": [\"apps/*\"]}"),
        ("package-lock.json", lock),
        ("yarn.lock", "# yarn lockfile v1\n"),
        ("apps/a/package.json", service),
        ("apps/b/package.json", service),
    ]);
    assert_eq!(of_workspace, asked);
    let named = package.replacen('{', "{\"packageManager\": \"npm@10.0.0\",", 1);
    let decided = of_manager(&[
        ("package.json", &named),
        ("package-lock.json", lock),
        ("yarn.lock", ""),
    ]);
    assert_eq!(decided, [""; 0]);

    let both = [("uv.lock", "version = 1\n"), ("poetry.lock", "# by\n")];
    let python = |pyproject: &str| {
        let files = [("pyproject.toml", pyproject), ("main.py", "")];
        of_manager(&[both, files].concat())
    };
    assert_eq!(
        python(PROJECT),
        [
            "Which package manager? uv.lock lies beside poetry.lock; uv was taken, whose lock file goes first. \
             → rm poetry.lock, or where poetry is meant: rm uv.lock"
        ]
    );
    assert_eq!(
        python(&format!("{PROJECT}[tool.uv]\npackage = false\n")),
        [""; 0]
    );
}

#[test]
fn a_lock_file_in_which_nothing_stands_pins_nothing() {
    let package = "{\"scripts\": {\"start\": \"node a\"}, \"dependencies\": {\"b\": \"1\"}}";
    let pyproject = format!("{PROJECT}dependencies = [\"flask\"]\n");
    let pipfile = "[packages]\nflask = \"*\"\n";
    let composer = "{\"require\": {\"a/b\": \"1\"}}";
    let mix = "defmodule A.MixProject do\n  def project, do: [app: :a, deps: deps()]\n  \
               defp deps, do: [{:jason, \"~> 1.0\"}]\nend\n";
    let csproj = "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>net8.0</TargetFramework>\
                  </PropertyGroup><ItemGroup><PackageReference Include=\"A\" Version=\"1\"/></ItemGroup></Project>";
    for (manifest, text, lock) in [
        ("package.json", package, "package-lock.json"),
        ("package.json", package, "yarn.lock"),
        ("package.json", package, "pnpm-lock.yaml"),
        ("package.json", package, "bun.lock"),
        ("package.json", package, "bun.lockb"),
        ("pyproject.toml", &pyproject, "uv.lock"),
        ("pyproject.toml", &pyproject, "poetry.lock"),
        ("pyproject.toml", &pyproject, "pdm.lock"),
        ("Pipfile", pipfile, "Pipfile.lock"),
        ("composer.json", composer, "composer.lock"),
        ("mix.exs", mix, "mix.lock"),
        ("a.csproj", csproj, "packages.lock.json"),
        (
            "Gemfile",
            "source 'https://rubygems.org'\ngem 'sinatra'\n",
            "Gemfile.lock",
        ),
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\nserde = \"1\"\n",
            "Cargo.lock",
        ),
        (
            "go.mod",
            "module a\n\ngo 1.22\n\nrequire b.org/c v1.0.0\n",
            "go.sum",
        ),
        (
            "deno.json",
            "{\"imports\": {\"a\": \"jsr:@a/b@1\"}, \"tasks\": {\"start\": \"deno run main.ts\"}}",
            "deno.lock",
        ),
        (
            "pubspec.yaml",
            "name: a\ndependencies:\n  shelf: ^1.0.0\n",
            "pubspec.lock",
        ),
        (
            "gleam.toml",
            "name = \"a\"\n[dependencies]\nb = \"1\"\n",
            "manifest.toml",
        ),
    ] {
        for blank in ["", "{}\n"] {
            let source = match manifest {
                "pyproject.toml" | "Pipfile" => ("main.py", ""),
                "go.mod" => ("main.go", "package main\nfunc main() {}"),
                "deno.json" => ("main.ts", "import \"a\";"),
                "Cargo.toml" => ("src/main.rs", "fn main() {}"),
                "gleam.toml" => ("src/a.gleam", "pub fn main() {}"),
                "pubspec.yaml" => ("bin/a.dart", "void main() {}"),
                _ => ("README.md", ""),
            };
            let tree = MemoryTree::new([(manifest, text), (lock, blank), source]);
            let report = report(&tree);
            assert!(!report.contains("lock: locked"), "{lock}: {report}");
            assert!(report.contains("lock: stale"), "{lock}: {report}");
            assert!(!report.contains("pinned: yes"), "{lock}: {report}");
        }
    }
}

/// A tree in which a file may not be read.
struct Forbidden(MemoryTree, &'static str);

impl FileTree for Forbidden {
    fn entries(&self) -> &BTreeMap<String, EntryKind> {
        self.0.entries()
    }

    fn is_executable(&self, path: &str) -> bool {
        self.0.is_executable(path)
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == self.1 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.0.read(path)
    }
}

#[test]
fn what_cannot_be_read_is_the_first_question() {
    let forbidden = Forbidden(
        MemoryTree::new([("package.json", "{}"), ("server.py", "")]),
        "package.json",
    );
    let analysis = ergon_detect::analyse(&forbidden);
    assert!(analysis.questions.len() > 1);
    assert_eq!(
        analysis.questions[0].text,
        "package.json cannot be read: permission denied; it was passed over."
    );
    assert_eq!(analysis.questions[0].remedy, "chmod u+r package.json");

    for (file, text) in [
        ("package.json", "{\"name\" \"a\"}"),
        ("pyproject.toml", "[project\n"),
        ("composer.json", "{"),
    ] {
        let questions = questions(&[(file, text), ("server.py", "")]);
        assert!(questions.len() > 1, "{questions:?}");
        let begin = format!("{file}:1 cannot be read: ");
        assert!(questions[0].starts_with(&begin), "{questions:?}");
    }
}
