//! CMake: which program a project's lists make, and where it is left.

use std::collections::BTreeMap;

use super::Build;
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::Sources;

const FILE: &str = "CMakeLists.txt";
const COMMENT: &[&str] = &["#"];
/// How many folders' lists are read.
const MOST: usize = 40;

/// A program that the lists name.
struct Target {
    name: String,
    /// The folder of the list, empty for the root's.
    folder: String,
    sources: Vec<String>,
}

/// What is known of a project's lists, in the order in which CMake reads them.
struct Lists {
    variables: BTreeMap<String, String>,
    targets: Vec<Target>,
    /// Where programs are put, as the build folder has it: by their names, and for all.
    placed: BTreeMap<String, String>,
    place: Option<String>,
}

pub(super) fn read(sources: &Sources<'_>) -> Option<Build> {
    sources.text(FILE)?;
    let mut lists = Lists {
        variables: BTreeMap::new(),
        targets: Vec::new(),
        placed: BTreeMap::new(),
        place: None,
    };
    let mut folders = vec![String::new()];
    let mut at = 0;
    while at < folders.len().min(MOST) {
        let folder = folders[at].clone();
        let below = lists.read(sources, &folder);
        folders.extend(below);
        at += 1;
    }
    let project = lists.variables.get("PROJECT_NAME").cloned();
    let program = lists.chosen(project.as_deref()).map(|target| {
        let placed = lists.placed.get(&target.name).or(lists.place.as_ref());
        let folder = match placed {
            Some(placed) => placed.clone(),
            None => joined("build", &target.folder),
        };
        format!("./{}", shell_quoted(&joined(&folder, &target.name)))
    });
    let configure = "cmake -S . -B build -DCMAKE_BUILD_TYPE=Release";
    let mut packages = vec!["cmake", "pkg-config"];
    let mut commands = Vec::new();
    if let Some(libraries) = fetched_libraries(sources) {
        packages.push(libraries.package);
        commands.extend(libraries.commands.iter().map(|line| (*line).to_owned()));
        let toolchain = libraries.toolchain;
        commands.push(format!("{configure} -DCMAKE_TOOLCHAIN_FILE={toolchain}"));
    } else {
        commands.push(configure.to_owned());
    }
    commands.push("cmake --build build --parallel".to_owned());
    Some(Build {
        file: FILE.to_owned(),
        manager: Some("cmake"),
        name: project,
        commands,
        program,
        packages: packages.into_iter().map(str::to_owned).collect(),
    })
}

impl Lists {
    /// Reads the list of one folder, and says which folders it goes on to.
    fn read(&mut self, sources: &Sources<'_>, folder: &str) -> Vec<String> {
        let Some(text) = sources.text(&joined(folder, FILE)) else {
            return Vec::new();
        };
        for words in calls(&text, "project") {
            if let Some(name) = words.first().map(|name| self.expanded(name)) {
                self.variables.insert("PROJECT_NAME".to_owned(), name);
            }
        }
        for words in calls(&text, "set") {
            let [name, value, ..] = &words[..] else {
                continue;
            };
            if matches!(
                name.as_str(),
                "CMAKE_RUNTIME_OUTPUT_DIRECTORY" | "EXECUTABLE_OUTPUT_PATH"
            ) {
                self.place = self.placed_in(folder, value);
            } else if words.len() == 2 {
                let value = self.expanded(value);
                self.variables.insert(name.clone(), value);
            }
        }
        for words in calls(&text, "add_executable") {
            let Some((name, files)) = words.split_first() else {
                continue;
            };
            let name = self.expanded(name);
            let is_alias = files
                .first()
                .is_some_and(|word| matches!(word.as_str(), "ALIAS" | "IMPORTED"));
            if !name.contains('$') && !name.is_empty() && !is_alias {
                self.targets.push(Target {
                    name,
                    folder: folder.to_owned(),
                    sources: files.to_vec(),
                });
            }
        }
        for words in calls(&text, "set_target_properties") {
            let at = |wanted: &str| words.iter().position(|word| word == wanted);
            if let (Some(name), Some(at)) = (words.first(), at("RUNTIME_OUTPUT_DIRECTORY"))
                && let Some(value) = words.get(at + 1)
                && let Some(place) = self.placed_in(folder, value)
            {
                self.placed.insert(self.expanded(name), place);
            }
        }
        let below = calls(&text, "add_subdirectory");
        below
            .filter_map(|words| {
                let name = self.expanded(words.first()?);
                let plain = !name.contains('$') && !name.starts_with('/') && !name.contains("..");
                plain.then(|| joined(folder, name.trim_end_matches('/')))
            })
            .collect()
    }

    fn expanded(&self, text: &str) -> String {
        let mut text = text.replace("${CMAKE_PROJECT_NAME}", "${PROJECT_NAME}");
        for (name, value) in &self.variables {
            text = text.replace(&format!("${{{name}}}"), value);
        }
        text
    }

    /// Where a folder lies that programs are put into.
    fn placed_in(&self, folder: &str, value: &str) -> Option<String> {
        let value = self.expanded(value);
        let build = joined("build", folder);
        let known = [
            ("${CMAKE_BINARY_DIR}", "build"),
            ("${PROJECT_BINARY_DIR}", "build"),
            ("${CMAKE_CURRENT_BINARY_DIR}", build.as_str()),
            ("${CMAKE_SOURCE_DIR}", ""),
            ("${PROJECT_SOURCE_DIR}", ""),
            ("${CMAKE_CURRENT_SOURCE_DIR}", folder),
        ];
        let place = match known
            .iter()
            .find_map(|(name, place)| Some((place, value.strip_prefix(name)?)))
        {
            Some((place, rest)) => joined(place, rest.trim_matches('/')),
            None => joined(&build, value.trim_end_matches('/')),
        };
        (!place.contains(['$', '.']) && !value.starts_with('/')).then_some(place)
    }

    /// The program that is meant: no test, that of the project's name, else the one of a main file.
    fn chosen(&self, project: Option<&str>) -> Option<&Target> {
        let meant: Vec<_> = self
            .targets
            .iter()
            .filter(|target| !super::is_beside(&target.name) && !super::is_beside(&target.folder))
            .collect();
        let has_main = |target: &&&Target| {
            let mut sources = target.sources.iter();
            sources.any(|file| file.rsplit('/').next().unwrap_or(file).starts_with("main."))
        };
        let named = meant
            .iter()
            .find(|target| Some(target.name.as_str()) == project);
        let first = named
            .or_else(|| meant.iter().find(has_main))
            .or(meant.first());
        first.copied().or(self.targets.first())
    }
}

/// What stands in the brackets behind each `word`.
fn calls<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = Vec<String>> + 't {
    Scan::behind(text, word, COMMENT).filter_map(|mut scan| {
        if !scan.eat("(") {
            return None;
        }
        let inside = scan.rest().split(')').next()?;
        let lines = inside
            .lines()
            .map(|line| line.split('#').next().unwrap_or(""));
        let words = lines.flat_map(str::split_whitespace);
        Some(
            words
                .map(|word| word.trim_matches('"').to_owned())
                .collect(),
        )
    })
}

/// Two parts of a path, where either may be empty.
pub(super) fn joined(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

/// Libraries that a package manager of C++'s own builds first.
struct Libraries {
    commands: &'static [&'static str],
    /// Where the manager tells CMake of them.
    toolchain: &'static str,
    /// What the manager wants itself.
    package: &'static str,
}

fn fetched_libraries(sources: &Sources<'_>) -> Option<Libraries> {
    if sources.has("vcpkg.json") {
        return Some(Libraries {
            commands: &[
                "git clone https://github.com/microsoft/vcpkg .vcpkg && ./.vcpkg/bootstrap-vcpkg.sh -disableMetrics",
            ],
            toolchain: "$PWD/.vcpkg/scripts/buildsystems/vcpkg.cmake",
            package: "zip",
        });
    }
    let conan = sources.text("conanfile.txt")?;
    // With a layout of its own the manager writes elsewhere.
    (conan.contains("CMakeToolchain") && !conan.contains("[layout]")).then_some(Libraries {
        commands: &[
            "python3 -m venv .conan && .conan/bin/pip install conan",
            ".conan/bin/conan profile detect",
            ".conan/bin/conan install . --build=missing -of build -s build_type=Release",
        ],
        toolchain: "$PWD/build/conan_toolchain.cmake",
        package: "python3-venv",
    })
}
