//! What tools leave behind that no program needs and that differs from run to run.

/// The version of the rules by which what a step left becomes a layer; an input of every build hash.
///
/// It changes when, and only when, a rule here or in `capture.rs` changes what layers hold.
pub const RULES_VERSION: &str = "2";

/// A rule: what it removes from a layer, and which tool writes it.
struct Rule {
    matches: fn(&str) -> bool,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "read by the tests and by people")
    )]
    example: &'static str,
}

const RULES: &[Rule] = &[
    // apt and dpkg write when they did what.
    Rule {
        matches: |path| path.starts_with("var/log/"),
        example: "var/log/dpkg.log",
    },
    Rule {
        matches: |path| path.starts_with("var/cache/apt/"),
        example: "var/cache/apt/pkgcache.bin",
    },
    Rule {
        matches: |path| path.starts_with("var/lib/apt/lists/"),
        example: "var/lib/apt/lists/lock",
    },
    // dpkg keeps the state before the last change.
    Rule {
        matches: |path| {
            matches!(
                path,
                "var/lib/dpkg/status-old" | "var/lib/dpkg/lock" | "var/lib/dpkg/lock-frontend"
            )
        },
        example: "var/lib/dpkg/status-old",
    },
    // ldconfig caches inode numbers and times.
    Rule {
        matches: |path| path == "var/cache/ldconfig/aux-cache",
        example: "var/cache/ldconfig/aux-cache",
    },
    // wget writes when it saw which host.
    Rule {
        matches: |path| file_name(path) == ".wget-hsts",
        example: "root/.wget-hsts",
    },
    // npm's own cache and logs, where a command moved them out of the scratch space.
    Rule {
        matches: |path| path.contains(".npm/_cacache/") || path.contains(".npm/_logs/"),
        example: "app/.npm/_logs/debug-0.log",
    },
    // fontconfig and man-db keep times of folders; programs make the caches again, or do without.
    Rule {
        matches: |path| path.starts_with("var/cache/fontconfig/"),
        example: "var/cache/fontconfig/CACHEDIR.TAG",
    },
    Rule {
        matches: |path| path.starts_with("var/cache/man/"),
        example: "var/cache/man/index.db",
    },
    // debconf keeps the state before the last change.
    Rule {
        matches: |path| path.starts_with("var/cache/debconf/") && path.ends_with("-old"),
        example: "var/cache/debconf/config.dat-old",
    },
    // The tools that change accounts keep the files as they were before, and a lock.
    Rule {
        matches: |path| {
            matches!(
                path,
                "etc/passwd-"
                    | "etc/group-"
                    | "etc/shadow-"
                    | "etc/gshadow-"
                    | "etc/subuid-"
                    | "etc/subgid-"
                    | "etc/.pwd.lock"
            )
        },
        example: "etc/shadow-",
    },
    // A machine's name for itself is no image's.
    Rule {
        matches: |path| matches!(path, "etc/machine-id" | "var/lib/dbus/machine-id"),
        example: "etc/machine-id",
    },
    // RubyGems keeps the output of compilers, with the folders and times it ran in.
    Rule {
        matches: |path| {
            path.contains("/extensions/") && matches!(file_name(path), "gem_make.out" | "mkmf.log")
        },
        example: "usr/local/bundle/extensions/x86_64-linux/3.1.0/x-1/gem_make.out",
    },
    // And the rules by which an extension was compiled, which name a folder by the day and by chance.
    Rule {
        matches: |path| {
            path.contains("/gems/") && path.contains("/ext/") && file_name(path) == "Makefile"
        },
        example: "usr/local/bundle/gems/x-1/ext/x/Makefile",
    },
    // uv writes when it installed what from its cache.
    Rule {
        matches: |path| file_name(path) == UV_CACHE && path.contains(".dist-info/"),
        example: "usr/lib/python3/dist-packages/x-1.dist-info/uv_cache.json",
    },
    // Node's compile cache is keyed by path and time.
    Rule {
        matches: |path| has_component(path, "node-compile-cache"),
        example: "var/tmp/node-compile-cache/v18/x",
    },
];

/// Whether the file or folder at `path` (relative, `/`-separated) is left out of every layer.
pub fn is_scrubbed(path: &str) -> bool {
    RULES.iter().any(|rule| (rule.matches)(path))
}

/// What uv writes beside a package's metadata.
const UV_CACHE: &str = "uv_cache.json";

/// A list of a package's files that is larger, in bytes, is kept as it is.
pub const LARGEST_REWRITTEN: u64 = 16 << 20;

/// Whether a file may have content that is not to be kept as it is.
pub fn is_rewritten(path: &str) -> bool {
    is_record(path) || is_modules(path)
}

/// The list of a Python package's files.
fn is_record(path: &str) -> bool {
    file_name(path) == "RECORD" && path.contains(".dist-info/")
}

/// What pnpm remembers of the modules it put in place.
fn is_modules(path: &str) -> bool {
    path.ends_with("node_modules/.modules.yaml")
}

/// The content of such a file without what is not to be kept; none where all of it is.
pub fn rewrite(path: &str, content: &[u8]) -> Option<Vec<u8>> {
    let left_out = |line: &[u8]| {
        if is_modules(path) {
            // When pnpm last looked for packages that nothing needs.
            return line.starts_with(b"prunedAt:");
        }
        // The list names the file that was left out.
        let path = line.split(|byte| *byte == b',').next().unwrap_or(line);
        path.rsplit(|byte| *byte == b'/').next() == Some(UV_CACHE.as_bytes())
    };
    let (lines, end) = match content.strip_suffix(b"\n") {
        Some(lines) => (lines, b"\n".as_slice()),
        None => (content, b"".as_slice()),
    };
    let lines = lines.split(|byte| *byte == b'\n');
    let mut kept: Vec<&[u8]> = lines.filter(|line| !left_out(line)).collect();
    // virtualenv lists files in the order of directories; pip sorts, and so does this. A name in quotes may hold
    // anything.
    if is_record(path) && !content.contains(&b'"') {
        kept.sort_by_key(|line| line.split(|byte| *byte == b',').next());
    }
    let kept = [&kept.join(b"\n".as_slice()), end].concat();
    (kept != content).then_some(kept)
}

/// So many bytes of a compiled Python file say what it was compiled from (PEP 552).
pub const BYTECODE_HEADER: usize = 16;

/// Whether a compiled Python file can never be used in the image: it names the time of its source, and that is
/// another than the one all files of the image have.
pub fn is_stale_bytecode(path: &str, header: [u8; BYTECODE_HEADER], epoch: u64) -> bool {
    let word = |start: usize| {
        let bytes = [
            header[start],
            header[start + 1],
            header[start + 2],
            header[start + 3],
        ];
        u32::from_le_bytes(bytes)
    };
    is_bytecode(path) && word(4) == 0 && u64::from(word(8)) != epoch
}

/// Whether a path is one of compiled Python.
pub fn is_bytecode(path: &str) -> bool {
    path.ends_with(".pyc") && has_component(path, "__pycache__")
}

/// A mode without what only the umask of who built decided.
///
/// Of files and folders that belong to root and group root, in which nobody else is: whether the group may
/// write says nothing, and differs between a umask of 0022 and one of 0002.
pub fn even_mode(mode: u32, uid: u32, gid: u32) -> u32 {
    match mode {
        0o664 | 0o775 if (uid, gid) == (0, 0) => mode & !0o020,
        _ => mode,
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn has_component(path: &str, name: &str) -> bool {
    path.split('/').any(|component| component == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_removes_its_example_and_no_other_rule_does() {
        for rule in RULES {
            let matching = RULES
                .iter()
                .filter(|other| (other.matches)(rule.example))
                .count();
            assert_eq!(matching, 1, "{}", rule.example);
        }
    }

    #[test]
    fn compiled_python_of_another_time_is_stale() {
        let path = "app/__pycache__/main.cpython-311.pyc";
        let header = |flags: u8, time: u32| {
            let mut header = [
                0xa7, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0,
            ];
            header[8..12].copy_from_slice(&time.to_le_bytes());
            header
        };
        let epoch = 315_532_800;
        assert!(is_stale_bytecode(path, header(0, 1_795_000_000), epoch));
        assert!(!is_stale_bytecode(path, header(0, 315_532_800), epoch));
        // Checked against the source's hash, whatever the time.
        assert!(!is_stale_bytecode(path, header(3, 1_795_000_000), epoch));
        // Shipped without its source.
        assert!(!is_stale_bytecode("app/main.pyc", header(0, 1), epoch));
    }

    #[test]
    fn a_list_of_files_does_not_name_what_was_left_out() {
        let record = b"x-1.dist-info/RECORD,,\nx-1.dist-info/uv_cache.json,sha256=b,9\nx/__init__.py,sha256=a,0\n";
        assert_eq!(
            rewrite("x-1.dist-info/RECORD", record).unwrap(),
            b"x-1.dist-info/RECORD,,\nx/__init__.py,sha256=a,0\n"
        );
        // In whatever order directories were read.
        let (turned, sorted) = (b"b.pyc,,\na.py,x,1", b"a.py,x,1\nb.pyc,,");
        assert_eq!(rewrite("x-1.dist-info/RECORD", turned).unwrap(), sorted);
        let whole = b"x/__init__.py,,\n";
        assert_eq!(rewrite("x-1.dist-info/RECORD", whole), None);
    }

    #[test]
    fn when_pnpm_looked_is_left_out() {
        let path = "app/node_modules/.modules.yaml";
        assert!(is_rewritten(path));
        let content =
            b"nodeLinker: isolated\nprunedAt: Sat, 21 Nov 2026 18:33:08 GMT\nskipped: []\n";
        let kept = b"nodeLinker: isolated\nskipped: []\n";
        assert_eq!(rewrite(path, content).unwrap(), kept);
    }

    #[test]
    fn what_only_a_umask_decided_is_evened_out() {
        assert_eq!(even_mode(0o664, 0, 0), 0o644);
        assert_eq!(even_mode(0o775, 0, 0), 0o755);
        for (mode, owner) in [
            (0o600, 0),
            (0o777, 0),
            (0o2775, 0),
            (0o1777, 0),
            (0o440, 0),
            (0o664, 7),
        ] {
            assert_eq!(even_mode(mode, owner, owner), mode, "{mode:o}");
        }
    }

    #[test]
    fn what_programs_need_stays() {
        for path in [
            "var/log",
            "app/main.py",
            "var/lib/dpkg/status",
            "usr/lib/node_modules/npm/index.js",
            "app/logs/x",
        ] {
            assert!(!is_scrubbed(path), "{path}");
        }
    }
}
