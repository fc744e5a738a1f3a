//! Files of C or C++ with nothing that says how they are built: the compiler is told all of them.

use super::Build;
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::{Sources, Text};

/// What the program is called, whatever its file is.
const PROGRAM: &str = "out";
/// A program of more files has something that builds it.
const MOST: usize = 50;

/// Headers of libraries that the linker must be told of, and their packages to build with and to run with.
const LINKED: [(&str, &str, &[&str]); 7] = [
    ("<math.h>", "-lm", &[]),
    ("<pthread.h>", "-pthread", &[]),
    ("<thread>", "-pthread", &[]),
    (
        "<curl/curl.h>",
        "-lcurl",
        &["libcurl4-openssl-dev", "libcurl4"],
    ),
    (
        "<sqlite3.h>",
        "-lsqlite3",
        &["libsqlite3-dev", "libsqlite3-0"],
    ),
    ("<zlib.h>", "-lz", &["zlib1g-dev", "zlib1g"]),
    ("<openssl/", "-lssl -lcrypto", &["libssl-dev", "libssl3"]),
];

pub(super) fn read(sources: &Sources<'_>) -> Option<Build> {
    let near = |path: &&str| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        matches!(folder, "" | "src")
    };
    let files: Vec<_> = sources
        .program_files(&["c", "cpp", "cc", "cxx"])
        .into_iter()
        .filter(near)
        .collect();
    if files.is_empty() || files.len() > MOST {
        return None;
    }
    let texts: Vec<Text<'_>> = files
        .into_iter()
        .filter_map(|path| Some((path, sources.text(path)?)))
        .collect();
    let (mains, parts): (Vec<_>, Vec<_>) = texts.iter().partition(|(_, text)| has_main(text));
    let stem = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().unwrap_or(name).to_owned()
    };
    let main = mains
        .iter()
        .find(|(path, _)| stem(path) == "main")
        .or(mains.first())?;
    let main_file = main.0;
    let is_cpp = |path: &str| !path.ends_with(".c");
    let built: Vec<&&Text<'_>> = std::iter::once(main).chain(&parts).collect();
    let compiler = if built.iter().any(|(path, _)| is_cpp(path)) {
        "g++"
    } else {
        "gcc"
    };
    let mut words = vec![compiler.to_owned(), "-O2".to_owned()];
    if sources.has_folder("include") {
        words.push("-Iinclude".to_owned());
    }
    words.extend(["-o".to_owned(), PROGRAM.to_owned()]);
    words.extend(built.iter().map(|(path, _)| shell_quoted(path)));
    let mut packages = Vec::new();
    for (header, option, wanted) in LINKED {
        let includes = built
            .iter()
            .any(|(_, text)| text.contains(&format!("#include {header}")));
        if includes && !words.iter().any(|word| word == option) {
            words.push(option.to_owned());
            packages.extend(wanted.iter().map(|name| (*name).to_owned()));
        }
    }
    Some(Build {
        file: main_file.to_owned(),
        manager: None,
        name: None,
        commands: vec![words.join(" ")],
        program: Some(format!("./{PROGRAM}")),
        packages,
    })
}

/// `int main(`
fn has_main(text: &str) -> bool {
    Scan::behind(text, "main", super::COMMENT).any(|mut scan| {
        // The type may stand in a line of its own.
        let before = scan.text_before();
        let returns = before.strip_suffix("main").unwrap_or(before).trim_end();
        let typed =
            returns.ends_with("int") || returns.ends_with("void") || returns.ends_with("auto");
        typed && scan.eat("(")
    })
}
