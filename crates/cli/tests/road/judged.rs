//! Others' judgement: Debian's reprotest builds twice, and varies what it can around `ergon`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::world::World;

/// All it varies but two: the host's name, for which it wants a user namespace of one user, in which nobody
/// could unpack a base; and the user, who would have to be root too.
const VARIED: &str = "--variations=+all,-domain_host,-user_group";

#[test]
#[ignore = "takes minutes: `make test-all`"]
fn reprotest_finds_no_difference() {
    for tool in ["reprotest", "disorderfs", "faketime", "skopeo"] {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {tool}")])
            .output();
        if !found.unwrap().status.success() {
            eprintln!("SKIPPED: no {tool} here; dev/setup --test-all installs it");
            return;
        }
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: sandboxes of namespaces are tested as root");
        return;
    }
    let mut world = World::with_own_cache();
    let project = world.example("fastapi");
    let mut indexes = Vec::new();
    for sandbox in ["engine", "namespaces"] {
        // A cache of its own for each build, with nothing but the bases in it. What is attached to an image says
        // when it was made; skopeo takes the image alone. The home it is given, /nonexistent/…, would be made.
        let script = format!(
            "#!/bin/sh\nset -e\nown=$(mktemp -d {folder}/judged.XXXXXX)\ncp -rl {folder}/cache/ergon \"$own/ergon\"\nexport XDG_CACHE_HOME=\"$own\" XDG_CONFIG_HOME=\"$own/config\" ERGON_DATA=\"$own/data\"\n{ergon} build . --sandbox {sandbox} --output oci:whole --output docker-archive:image.tar\nmkdir judged\nmv image.tar judged\nskopeo copy --insecure-policy oci:whole oci:judged/layout\nrm -rf \"$own\"\n",
            folder = world.path("").display(),
            ergon = env!("CARGO_BIN_EXE_ergon"),
        );
        let path = world.path(sandbox);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let store = world.path(&format!("{sandbox}-store"));
        let judged = Command::new("reprotest")
            .args(["--verbosity=1", "--no-diffoscope", VARIED, "--store-dir"])
            .args([&store])
            .args(["--source-root", project.path()])
            .args([path.to_str().unwrap(), "judged"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&judged.stderr).into_owned()
            + &String::from_utf8_lossy(&judged.stdout);
        assert!(judged.status.success(), "{sandbox}: {said}");
        for varied in ["time", "fileordering", "build_path", "umask", "locales"] {
            assert!(said.contains(&format!("vary {varied}")), "{varied}: {said}");
        }
        let index = store.join("experiment-1/source-root/judged/layout/index.json");
        indexes.push(std::fs::read_to_string(index).unwrap());
    }
    assert_eq!(indexes[0], indexes[1], "one image from both sandboxes");
}
