//! What a build tool's files say, whichever tool that is.

use crate::ecosystem::Claim;

/// A library or a plugin that a build uses.
#[derive(Clone, Debug)]
pub struct Used {
    /// `group:artifact`; a plugin's id where it has no other name.
    pub name: String,
    pub version: Option<String>,
    /// `file:line`
    pub from: String,
}

/// What a build says of its program.
#[derive(Default)]
pub struct Build {
    /// As `package_manager` in the manifest.
    pub tool: &'static str,
    pub label: &'static str,
    /// The file that lists the dependencies.
    pub file: String,
    pub name: Option<String>,
    /// Libraries that the program runs with; none that only tests need.
    pub dependencies: Vec<Used>,
    /// What decides the framework, too: plugins, parents.
    pub plugins: Vec<Used>,
    /// What it says of Java's version.
    pub claims: Vec<Claim>,
    /// Commands that get dependencies before the sources are there.
    pub fetch: Option<String>,
    /// Whether every build takes the same versions, and why.
    pub pinned: Option<(bool, String)>,
    /// A lock file.
    pub lock: Option<&'static str>,
}

impl Build {
    pub fn uses(&self) -> impl Iterator<Item = &Used> {
        self.plugins.iter().chain(&self.dependencies)
    }
}

/// The server that serves a WAR file by itself: Tomcat 10 for `jakarta.servlet`, Tomcat 9 for `javax.servlet`.
pub fn webapp_runner(dependencies: &[Used]) -> &'static str {
    let jakarta = dependencies.iter().any(|used| {
        let group = used.name.split(':').next().unwrap_or("");
        let version = used.version.as_deref().map_or(10, super::version::major);
        match group {
            "jakarta.servlet" => version >= 5,
            "jakarta.platform" => version >= 9,
            _ => false,
        }
    });
    if jakarta { "10.1.56.0" } else { "9.0.119.0" }
}

/// How the program is made and started.
pub struct Launch {
    pub command: String,
    /// What the command makes: `target/shop-1.0.jar`.
    pub makes: String,
    pub start: Start,
    /// What the container takes.
    pub artifacts: Vec<String>,
    /// `file:line` of what decides it.
    pub from: String,
    /// Why it is started so, in words that stand alone.
    pub note: String,
    /// What else stands in the way.
    pub question: Option<(String, String)>,
}

/// What the run command is made of.
pub enum Start {
    /// What `java` is given behind its options: `-jar target/*.jar`.
    Java(String),
    /// A script that reads `JAVA_OPTS` itself.
    Script(String),
    /// A web server of its own that takes the port by `--port`: behind it stands what it serves.
    Runner { jar: String, war: String },
}
