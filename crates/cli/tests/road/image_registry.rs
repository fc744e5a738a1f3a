//! Debian's image registry, as a place that images are sent to.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::world::World;

/// Debian's image registry, with nothing in it.
pub struct Registry {
    child: Child,
    pub address: String,
}

impl Registry {
    pub fn start(world: &World) -> Self {
        Self::start_with(world, "")
    }

    /// One whose configuration says this as well.
    pub fn start_with(world: &World, more: &str) -> Self {
        let configuration = format!(
            "version: 0.1\nlog: {{ level: info }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"127.0.0.1:0\" }}\n{more}",
            world.path("registry").display()
        );
        let file = world.path("registry.yml");
        std::fs::write(&file, configuration).unwrap();
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry is needed to test; dev/setup --test installs it");
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the registry ended");
            if let Some((_, after)) = line.split_once("listening on ") {
                break after.split(['"', ' ']).next().unwrap().to_owned();
            }
        };
        // Keeps the pipe empty, so that the registry never waits for us.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
