//! Requirements files, as pip reads them.

/// What a requirements file lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub requirements: Vec<Requirement>,
    pub includes: Vec<Include>,
    /// It names a folder or a file of the project.
    pub local: bool,
    /// It names the project itself: `-e .`
    pub itself: bool,
    /// Packages by their addresses alone: the lines, and whether a hash says which each is.
    pub addresses: Vec<(usize, bool)>,
    /// It names a package by its repository, which only git can fetch.
    pub git: bool,
}

/// One package that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// Normalised: `psycopg2-binary`.
    pub name: String,
    pub extras: Vec<String>,
    /// As it is written: `>=2,<3`.
    pub specifier: String,
    pub line: usize,
}

/// Another file that is read with this one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Include {
    /// Relative to the file that names it.
    pub path: String,
    /// It only bounds versions and asks for nothing itself.
    pub constraint: bool,
}

impl Requirement {
    /// Reads `name[extra]>=1; marker`; none where it is a path or no requirement at all.
    pub fn parse(text: &str, line: usize) -> Option<Self> {
        let text = text.split(';').next()?.trim();
        let end = text
            .find(|character: char| !is_name(character))
            .unwrap_or(text.len());
        let name = normalised(&text[..end]);
        let rest = text[end..].trim_start();
        let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((extras, rest)) => (
                extras
                    .split(',')
                    .map(|extra| normalised(extra.trim()))
                    .collect(),
                rest,
            ),
            None => (Vec::new(), rest),
        };
        let specifier = rest
            .trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .to_owned();
        let fits = specifier.is_empty() || specifier.starts_with(['=', '<', '>', '!', '~', '@']);
        (!name.is_empty() && fits).then_some(Self {
            name,
            extras,
            specifier,
            line,
        })
    }

    /// The one version it allows; none where it allows several.
    pub fn version(&self) -> Option<&str> {
        let version = self
            .specifier
            .strip_prefix("==")?
            .trim_start_matches('=')
            .trim();
        (!version.contains(['*', ','])).then_some(version)
    }

    /// Whether it always means the same package.
    pub fn is_pinned(&self) -> bool {
        self.version().is_some()
            || (self.specifier.starts_with('@')
                && ["#sha256=", "&sha256="]
                    .iter()
                    .any(|hash| self.specifier.contains(hash)))
    }
}

/// Reads a requirements file.
pub(crate) fn parse(text: &str) -> Listed {
    let mut listed = Listed::default();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut logical = line.trim_end().to_owned();
        while logical.ends_with('\\') {
            logical.pop();
            match lines.next() {
                Some((_, next)) => logical.push_str(next.trim_end()),
                None => break,
            }
        }
        listed.read_line(without_comment(&logical).trim(), index + 1);
    }
    listed
}

impl Listed {
    fn read_line(&mut self, line: &str, number: usize) {
        if line.is_empty() {
            return;
        }
        self.git |= line.contains("git+");
        if line.starts_with('-') {
            let (option, value) = match line.split_once(['=', ' ', '\t']) {
                Some((option, value)) => (option, value.trim()),
                // `-rother.txt`
                None if !line.starts_with("--") && line.is_char_boundary(2) => line.split_at(2),
                None => (line, ""),
            };
            match option {
                "-r" | "--requirement" => self.include(value, false),
                "-c" | "--constraint" => self.include(value, true),
                "-e" | "--editable" | "-f" | "--find-links" => {
                    self.local |= !value.contains("://");
                    if option.ends_with('e') && value.contains("://") {
                        self.addresses.push((number, false));
                    }
                    self.itself |= option != "-f" && is_itself(value);
                }
                _ => {}
            }
            return;
        }
        // Options of one requirement come behind it: `--hash=…`.
        let line = line.split(" --").next().unwrap_or(line);
        if line.contains("file:") {
            self.local = true;
        }
        self.itself |= is_itself(line);
        match Requirement::parse(line, number) {
            Some(requirement) if !is_archive(line) => self.requirements.push(requirement),
            _ if line.contains("://") => self.addresses.push((number, line.contains("sha256="))),
            _ => self.local = true,
        }
    }

    fn include(&mut self, path: &str, constraint: bool) {
        if path.contains("://") {
            return;
        }
        self.includes.push(Include {
            path: path.to_owned(),
            constraint,
        });
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.split(" #")
        .next()
        .unwrap_or(line)
        .split("\t#")
        .next()
        .unwrap_or(line)
}

/// A path to a package instead of its name: `./x`, `dist/x.whl`.
fn is_archive(line: &str) -> bool {
    let start = line.split(['@', ';', ' ']).next().unwrap_or(line);
    let archive = [".whl", ".zip", ".tar.gz"]
        .iter()
        .any(|suffix| start.ends_with(suffix));
    start.starts_with('.') || start.contains('/') || archive
}

/// The folder of the project, with or without extras: `.[web]`.
fn is_itself(path: &str) -> bool {
    matches!(path.split('[').next().unwrap_or(path).trim(), "." | "./")
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._-".contains(character)
}

/// The one form in which names of packages compare equal (PEP 503).
pub(crate) fn normalised(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_read_as_pip_reads_it() {
        let listed = parse(concat!(
            "# comment\n",
            "-i https://example.com/simple\n",
            "Flask_Login[a, B]==1.2.3 ; python_version > '3' # why\n",
            "h11==0.16.0 \\\n    --hash=sha256:00\n",
            "-r more/base.txt\n",
            "--constraint=pins.txt\n",
            "django>=4,<5\n",
            "x @ https://example.com/x.whl#sha256=00\n",
        ));
        let names: Vec<_> = listed
            .requirements
            .iter()
            .map(|one| (one.name.as_str(), one.version(), one.is_pinned(), one.line))
            .collect();
        assert_eq!(
            names,
            [
                ("flask-login", Some("1.2.3"), true, 3),
                ("h11", Some("0.16.0"), true, 4),
                ("django", None, false, 8),
                ("x", None, true, 9),
            ]
        );
        assert_eq!(listed.requirements[0].extras, ["a", "b"]);
        assert_eq!(
            listed.includes,
            [
                Include {
                    path: "more/base.txt".to_owned(),
                    constraint: false
                },
                Include {
                    path: "pins.txt".to_owned(),
                    constraint: true
                },
            ]
        );
        assert!(!listed.local);
    }

    #[test]
    fn paths_are_told_from_packages() {
        for line in [
            "-e .",
            "./lib",
            "lib/x.whl",
            "x.tar.gz",
            "x @ file:///x",
            "-f wheels",
            ".",
        ] {
            assert!(parse(line).local, "{line}");
        }
        for line in [
            "-e git+https://example.com/x",
            "https://example.com/x.whl",
            "a.b==1",
        ] {
            assert!(!parse(line).local, "{line}");
        }
    }

    #[test]
    fn a_star_pins_nothing() {
        assert!(!parse("a==1.*").requirements[0].is_pinned());
        assert!(parse("a===1").requirements[0].is_pinned());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[-a-z=<>\\[\\];#@ \\\\\n\u{e9}./]{0,80}") {
            parse(&text);
        }
    }
}
