//! What the smaller package managers get, and what they read for that.

use std::collections::BTreeSet;

use super::Place;

/// How many of a project's build files are looked at.
const MOST_FILES: usize = 50;

/// `zig build` gets the packages that have an address.
pub(super) fn zig(verb: &str, place: &Place<'_>) -> bool {
    matches!(verb, "build" | "fetch") && place.text("build.zig.zon").contains(".url")
}

/// CMake gets what build files declare for it, some of it only while it builds.
pub(super) fn cmake(place: &Place<'_>) -> bool {
    const WORDS: [&str; 6] = [
        "FetchContent_",
        "CPMAddPackage",
        "CPM.cmake",
        "ExternalProject_",
        "file(DOWNLOAD",
        "git clone",
    ];
    place.has("vcpkg.json")
        || place
            .texts_ending(&["CMakeLists.txt", ".cmake"])
            .any(|text| WORDS.iter().any(|word| text.contains(word)))
}

/// Meson gets the projects that it has wraps of.
pub(super) fn meson(place: &Place<'_>) -> bool {
    place.texts_ending(&[".wrap"]).next().is_some()
}

/// Make does what its file says.
pub(super) fn make(place: &Place<'_>) -> bool {
    let words = ["git clone", "curl ", "wget "];
    ["Makefile", "makefile", "GNUmakefile"].iter().any(|file| {
        let text = place.text(file);
        words.iter().any(|word| text.contains(word))
    })
}

/// `mix deps.get`: `mix.exs` is a program, which must not look at more than itself.
pub(super) fn mix(place: &Place<'_>) -> Option<BTreeSet<String>> {
    let text = place.text("mix.exs");
    let looks = [
        "path:",
        "apps_path",
        "in_umbrella",
        "File.",
        "Code.",
        "Path.",
    ];
    if text.is_empty() || looks.iter().any(|word| text.contains(word)) {
        return None;
    }
    place.files(&["mix.exs", "mix.lock"])
}

/// `dotnet restore`: a project file, those of the projects that it uses, and the settings beside and above them.
pub(super) fn dotnet(file: &str, place: &Place<'_>) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    project(file.to_owned(), place, &mut names)?;
    let folders: BTreeSet<String> = names
        .iter()
        .flat_map(|name: &String| {
            let ends = name.match_indices('/').map(|(at, _)| &name[..=at]);
            std::iter::once("").chain(ends).map(str::to_owned)
        })
        .collect();
    let settings = [
        "Directory.Build.props",
        "Directory.Build.targets",
        "Directory.Packages.props",
        "NuGet.Config",
        "NuGet.config",
        "nuget.config",
        "global.json",
        "packages.lock.json",
    ];
    for folder in folders {
        for setting in settings {
            let name = format!("{folder}{setting}");
            if place.has(&name) {
                // What it brings in may be any file, and packages may lie in a folder of the project.
                let text = place.text(&name);
                let local = setting.eq_ignore_ascii_case("nuget.config")
                    && text.contains("<add ")
                    && !text.contains("https://");
                if text.contains("<Import ") || local {
                    return None;
                }
                names.insert(name);
            }
        }
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    place.files(&names)
}

/// Adds a project file and those it refers to; none where that cannot be told.
fn project(name: String, place: &Place<'_>, names: &mut BTreeSet<String>) -> Option<()> {
    if names.contains(&name) {
        return Some(());
    }
    let text = place.text(&name);
    let is_project = [".csproj", ".fsproj", ".vbproj"]
        .iter()
        .any(|ending| name.ends_with(ending));
    if !is_project || text.is_empty() || text.contains("<Import ") || names.len() > MOST_FILES {
        return None;
    }
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = folder.to_owned();
    names.insert(name);
    for (at, word) in text.match_indices("<ProjectReference") {
        let (_, rest) = text[at + word.len()..].split_once("Include=\"")?;
        let (path, _) = rest.split_once('"')?;
        let path = super::join(&folder, &path.replace('\\', "/"))?;
        project(path, place, names)?;
    }
    Some(())
}

/// What a package manager reads that has one file for wishes and one for what they came to, unless the first
/// points into the tree.
pub(super) fn pair(names: [&str; 2], place: &Place<'_>) -> Option<BTreeSet<String>> {
    let text = place.text(names[0]);
    let local = text.lines().any(|line| {
        let line = line.trim_start();
        // A package may be called so, and has a version then: `path: ^1.8.0`.
        let is_version = line.strip_prefix("path:").is_some_and(|value| {
            let value = value.trim_start().trim_start_matches(['"', '\'']);
            value.starts_with(|first: char| "^<>=~".contains(first) || first.is_ascii_digit())
        });
        let says_path = line.contains("path:") || line.contains("path =");
        says_path && !line.starts_with('#') && !is_version
    });
    (!text.is_empty() && !local)
        .then(|| place.files(&names))
        .flatten()
}

/// `cpanm --installdeps .`: a distribution of its own would be asked by running it.
pub(super) fn cpan(place: &Place<'_>) -> Option<BTreeSet<String>> {
    let asks = ["Makefile.PL", "Build.PL", "META.json", "META.yml"];
    if asks.iter().any(|name| place.has(name)) || place.text("cpanfile").contains("do ") {
        return None;
    }
    pair(["cpanfile", "cpanfile.snapshot"], place)
}

impl Place<'_> {
    /// The texts of those of the application's files that end so.
    fn texts_ending<'p>(&'p self, endings: &'p [&str]) -> impl Iterator<Item = String> + 'p {
        let below = if self.root.is_empty() {
            String::new()
        } else {
            format!("{}/", self.root)
        };
        let entries = self.tree.entries().range(below.clone()..);
        entries
            .map(|(path, _)| path)
            .take_while(move |path| path.starts_with(&below))
            .filter(|path| endings.iter().any(|ending| path.ends_with(ending)))
            .take(MOST_FILES)
            .filter_map(|path| super::plain_file(path, self.tree))
    }
}
