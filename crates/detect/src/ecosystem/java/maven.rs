//! Maven: what `pom.xml` says.

mod launch;

use super::build::Build;
use super::pom::{Chain, Pom};
use super::version::version;
use crate::ecosystem::Claim;
use crate::names;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// How many folders up the file that builds all modules may lie.
const MOST_FOLDERS: usize = 6;

/// A program that Maven builds.
pub struct Maven<'a, 's> {
    sources: &'a Sources<'s>,
    chain: Chain,
    /// How the folder from which all is built is reached: `../../`; empty for the program's own.
    top: String,
    /// The program's folder as it is seen from there.
    module: String,
}

impl<'a, 's> Maven<'a, 's> {
    pub fn read(sources: &'a Sources<'s>) -> Option<Self> {
        let chain = Chain::read(sources)?;
        let (top, module) = reactor(sources);
        Some(Self {
            sources,
            chain,
            top,
            module,
        })
    }

    /// Only builds others.
    pub fn is_aggregator(&self) -> bool {
        let own = self.chain.own();
        let packaging = own
            .packaging
            .as_ref()
            .map(|(packaging, _)| packaging.as_str());
        packaging == Some("pom") || !own.modules.is_empty()
    }

    pub fn is_module(&self) -> bool {
        !self.top.is_empty()
    }

    pub fn build(&self) -> Build {
        let chain = &self.chain;
        let own = chain.own();
        let unpinned = chain.unpinned();
        let single = self.top.is_empty() && chain.poms.len() == 1 && own.modules.is_empty();
        Build {
            tool: "maven",
            label: "Maven",
            file: "pom.xml".to_owned(),
            name: own.artifact.as_deref().and_then(names::from_package),
            dependencies: chain.dependencies(),
            plugins: chain.frames(),
            claims: self.claims(),
            // Where all that is wanted stands in one file, it comes before the sources.
            fetch: (single && chain.needed() > 0)
                .then(|| format!("{} -B dependency:go-offline", self.program())),
            pinned: Some(match unpinned {
                Some(open) => (false, format!("another day may bring another {open}")),
                None => (
                    true,
                    "pom.xml names each version, and released ones do not change".to_owned(),
                ),
            }),
            lock: None,
        }
    }

    /// What decides the version: what the compiler is told, else the parent's default.
    fn claims(&self) -> Vec<Claim> {
        let chain = &self.chain;
        let mut claims = Vec::new();
        let mut claim = |said: Option<(String, String)>| {
            if let Some((text, from)) = said
                && let Some(version) = version(&text)
            {
                claims.push(Claim::exactly(version, from));
            }
        };
        let configured = |plugin: &str, name: &str| {
            let plugin = chain.configured(plugin)?;
            let (value, line) = plugin.get(name)?;
            Some((chain.filled(value)?, format!("{}:{line}", plugin.file)))
        };
        let compiler = "maven-compiler-plugin";
        claim(configured(compiler, "release"));
        claim(chain.property("maven.compiler.release"));
        claim(configured(compiler, "target"));
        claim(configured(compiler, "source"));
        claim(chain.property("maven.compiler.target"));
        claim(chain.property("maven.compiler.source"));
        claim(chain.property("java.version"));
        claim(configured("kotlin-maven-plugin", "jvmTarget"));
        claim(chain.property("kotlin.compiler.jvmTarget"));
        for name in [
            "jdk.version",
            "javaVersion",
            "java.release",
            "project.java.version",
            "release.version",
        ] {
            claim(chain.property(name));
        }
        // One that is said in several ways is said once.
        claims.dedup_by(|a, b| a.version == b.version);
        let spring = chain
            .frames()
            .into_iter()
            .find(|frame| frame.name == "org.springframework.boot:spring-boot-starter-parent");
        if let Some(spring) = spring
            && let Some(major) = spring.version.as_deref().map(super::version::major)
        {
            let least = if major < 3 { "8" } else { "17" };
            claims.push(Claim::range(format!(">={least}"), least, spring.from));
        }
        claims
    }

    /// Maven, as it is called.
    fn program(&self) -> String {
        let top = if self.top.is_empty() { "./" } else { &self.top };
        let wrapped = self.sources.has(&format!("{}mvnw", self.top))
            && self.sources.has(&format!(
                "{}.mvn/wrapper/maven-wrapper.properties",
                self.top
            ));
        if wrapped {
            // Its right to be executed gets lost on the way through archives and other systems.
            format!("sh {top}mvnw")
        } else {
            "mvn".to_owned()
        }
    }

    /// The command that makes the program, with more goals behind `package`.
    fn command(&self, goals: &str) -> String {
        let program = self.program();
        if self.top.is_empty() {
            return format!("{program} -B -DskipTests package{goals}");
        }
        let top = self.top.trim_end_matches('/');
        let module = shell_quoted(&self.module);
        format!("{program} -B -f {top} -pl {module} -am -DskipTests package{goals}")
    }
}

/// The way up to the file that builds this program along with others, and the program's folder from there.
fn reactor(sources: &Sources<'_>) -> (String, String) {
    let folders: Vec<&str> = sources
        .folder()
        .split('/')
        .filter(|one| !one.is_empty())
        .collect();
    let mut top = (String::new(), String::new());
    let mut reached = 0;
    for up in 1..=folders.len().min(MOST_FOLDERS) {
        let prefix = "../".repeat(up);
        let file = format!("{prefix}pom.xml");
        if !sources.has(&file) {
            continue;
        }
        let Some(pom) = Pom::read(sources, &file) else {
            continue;
        };
        let start = folders.len() - up;
        let step = folders[start..folders.len() - reached].join("/");
        if pom
            .modules
            .iter()
            .any(|module| module.trim_start_matches("./") == step)
        {
            top = (prefix, folders[start..].join("/"));
            reached = up;
        }
    }
    top
}
