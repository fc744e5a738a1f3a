//! pip: wheels and source archives, and what building the latter needs.

use super::{FETCHED, Manager, Part, line};
use crate::plan::installer::{Place, pip_files};
use crate::plan::shell::quoted;

/// Options of `pip install` that say where packages come from and which; the second says whether a value follows.
const SELECTS: [(&str, bool); 22] = [
    ("-r", true),
    ("--requirement", true),
    ("-c", true),
    ("--constraint", true),
    ("-i", true),
    ("--index-url", true),
    ("--extra-index-url", true),
    ("-f", true),
    ("--find-links", true),
    ("--trusted-host", true),
    ("--no-binary", true),
    ("--only-binary", true),
    ("--prefer-binary", false),
    ("--pre", false),
    ("--no-deps", false),
    ("--require-hashes", false),
    ("--no-build-isolation", false),
    ("--use-pep517", false),
    ("--ignore-requires-python", false),
    ("--config-settings", true),
    ("-q", false),
    ("--quiet", false),
];

/// Options that only say how what was fetched is installed.
const INSTALLS: [(&str, bool); 28] = [
    ("-v", false),
    ("--verbose", false),
    ("--progress-bar", true),
    ("--cache-dir", true),
    ("--no-color", false),
    ("--timeout", true),
    ("--retries", true),
    ("-t", true),
    ("--target", true),
    ("--prefix", true),
    ("--root", true),
    ("--src", true),
    ("-U", false),
    ("--upgrade", false),
    ("--upgrade-strategy", true),
    ("-I", false),
    ("--ignore-installed", false),
    ("--force-reinstall", false),
    ("--user", false),
    ("--compile", false),
    ("--no-compile", false),
    ("--no-warn-script-location", false),
    ("--no-warn-conflicts", false),
    ("--break-system-packages", false),
    ("--no-cache-dir", false),
    ("--disable-pip-version-check", false),
    ("--no-input", false),
    ("--root-user-action", true),
];

/// Fetches what builds the source archives and folders that it is told of, until nothing is missing: their
/// `pyproject.toml` names it, else it is setuptools. It goes to a folder of its own, since no lock names it.
const BUILD_REQUIREMENTS: &str = r#"
import glob, os, subprocess, sys, tarfile, zipfile
try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib
place, build, options, folders = sys.argv[1], sys.argv[2], [], []
for word in sys.argv[3:]:
    (folders if os.path.isdir(word) else options).append(word)
def project(path):
    if os.path.isdir(path):
        file = os.path.join(path, "pyproject.toml")
        return open(file, "rb").read() if os.path.isfile(file) else b""
    if path.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.count("/") == 1 and n.endswith("/pyproject.toml")]
            return archive.read(names[0]) if names else b""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.count("/") == 1 and member.name.endswith("/pyproject.toml"):
                return archive.extractfile(member).read()
    return b""
seen = set()
while True:
    archives = [p for d in (place, build) for p in glob.glob(d + "/*.tar.*") + glob.glob(d + "/*.zip")]
    new = sorted(set(folders + archives) - seen)
    if not new:
        break
    for path in new:
        seen.add(path)
        system = tomllib.loads(project(path).decode()).get("build-system", {})
        needed = system.get("requires", ["setuptools>=40.8.0"])
        if "setuptools" in system.get("build-backend", "setuptools"):
            needed = needed + ["wheel"]
        if needed:
            subprocess.run([sys.executable, "-m", "pip", "download", "--dest", build] + options + needed, check=True)
"#;

pub(super) fn part(arguments: &[&str], place: &Place<'_>) -> Option<Part> {
    let mut wanted = Vec::new();
    // How packages are chosen, for what builds them as well; folders to look at.
    let mut also = Vec::new();
    let mut rest = arguments.iter();
    while let Some(&word) = rest.next() {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        let takes_next = |list: &[(&str, bool)]| {
            let (_, value) = list.iter().find(|(known, _)| *known == name)?;
            Some(*value && name == word)
        };
        if matches!(name, "-e" | "--editable") {
            let folder = if name == word {
                *rest.next()?
            } else {
                &word[name.len() + 1..]
            };
            wanted.push(folder);
            also.push(folder);
        } else if let Some(value) = takes_next(&SELECTS) {
            let start = wanted.len();
            wanted.push(word);
            if value {
                wanted.push(rest.next()?);
            }
            if matches!(
                name,
                "--no-binary" | "--only-binary" | "-i" | "--index-url" | "--extra-index-url"
            ) {
                also.extend(&wanted[start..]);
            }
        } else if let Some(value) = takes_next(&INSTALLS) {
            if value {
                rest.next()?;
            }
        } else if word.starts_with("-r") || word.starts_with("-c") {
            wanted.push(word);
        } else if word.starts_with('-') {
            return None;
        } else {
            wanted.push(word);
            if word.starts_with('.') || word.contains('/') {
                also.push(word.split('[').next().unwrap_or(word));
            }
        }
    }
    let folder = Manager::Pip.folder();
    let build = format!("{FETCHED}/pip-build");
    let command = format!(
        "mkdir -p {folder} {build} && python3 -m pip download --dest {folder} {} && python3 -c {} {folder} {build} {}",
        line(&wanted),
        quoted(BUILD_REQUIREMENTS),
        line(&also),
    );
    Some(Part {
        manager: Manager::Pip,
        command: command.trim_end().to_owned(),
        env: Vec::new(),
        before: None,
        step_env: Vec::new(),
        offline_env: vec![
            ("PIP_NO_INDEX", "1".to_owned()),
            ("PIP_FIND_LINKS", format!("{folder} {build}")),
        ],
        locks: locks(arguments, place),
    })
}

/// The requirement files that are given.
pub(super) fn locks(arguments: &[&str], place: &Place<'_>) -> Vec<String> {
    let files = pip_files(arguments, place).unwrap_or_default();
    files.into_iter().collect()
}
