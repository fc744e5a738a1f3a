//! What tools leave behind that no program needs and that differs from run to run.

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
