//! Shell scripts.

use ergon_detect::disk::DiskTree;
use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report, run_command};

#[test]
fn a_start_script_is_a_program() {
    let tree = MemoryTree::new([(
        "start.sh",
        "#!/usr/bin/env bash\nexec nc -l -p \"${PORT:-9000}\" <<< \"${GREETING:?}\"\n",
    )]);
    assert_snapshot!(report(&tree), @r#"
    app · a program in Shell
    language: Shell [start.sh:1, certain] (a script for bash)
    run_command: bash start.sh [start.sh, likely] (start.sh starts a program by its name)
    environment: GREETING [start.sh:2, certain] (required)
    environment: PORT [start.sh:2, certain] (default "9000")
    "#);
}

#[test]
fn it_is_started_by_the_shell_that_it_names() {
    assert_eq!(run_command(&[("start.sh", "echo hello\n")]), "sh start.sh");
    assert_eq!(
        run_command(&[("start.sh", "#!/bin/bash -e\n")]),
        "bash start.sh"
    );
    assert_eq!(
        detected(&[("start.sh", "#!/usr/bin/zsh\n")]).system_packages,
        ["zsh"]
    );
    assert_eq!(run_command(&[("start.sh", "#!/opt/odd\n")]), "sh start.sh");
}

#[cfg(unix)]
#[test]
fn an_executable_script_starts_itself() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("start.sh");
    let started = |text: &str| {
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let tree = DiskTree::open(folder.path()).unwrap();
        crate::application(&ergon_detect::analyse(&tree))
            .run_command
            .clone()
    };
    assert_eq!(started("#!/bin/sh\necho\n").as_deref(), Some("./start.sh"));
    // The kernel does not know what to do with it.
    assert_eq!(started("echo\n").as_deref(), Some("sh start.sh"));
}

#[test]
fn what_may_start_it_is_asked() {
    let tree = MemoryTree::new([("run.sh", "#!/bin/sh\n")]);
    assert_snapshot!(report(&tree), @r"
    app · a program in Shell
    language: Shell [run.sh:1, certain] (a script for sh)
    run_command: sh run.sh [-, assumed] (run.sh may be what starts it)
    ? How is it started? nothing says; `sh run.sh` assumed. → write it into a Procfile: web: …
    ");
}
