//! Other people's programs, as judges of what ours write.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Whether a tool is here; says loudly where it is not.
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
pub fn is_here(tool: &str, arguments: &[&str]) -> bool {
    let found = Command::new(tool).args(arguments).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!(
            "SKIPPED: no {tool} {} here; dev/setup --test installs it",
            arguments.join(" ")
        );
    }
    found
}

/// What a tool prints, which must succeed.
pub fn tool<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> String {
    tool_in(Path::new("."), name, arguments)
}

/// The same in a folder: some make names of paths, which may not hold capital letters.
pub fn tool_in<A: AsRef<OsStr>>(
    folder: &Path,
    name: &str,
    arguments: impl IntoIterator<Item = A>,
) -> String {
    let mut command = Command::new(name);
    let output = command.args(arguments).current_dir(folder).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
    String::from_utf8(output.stdout).unwrap()
}
