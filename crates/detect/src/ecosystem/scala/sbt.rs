//! sbt: `build.sbt` and what lies in `project/`, read without running them.

use crate::ecosystem::Claim;
use crate::ecosystem::java::build::{Build, Launch, Start, Used};
use crate::ecosystem::java::script::{Script, strings};
use crate::ecosystem::java::source::Main;
use crate::ecosystem::java::version::version;
use crate::names;
use crate::scan::{Route, Scan};
use crate::sources::Sources;

/// What makes a program of a project, as `enablePlugins` names it.
const PACKAGERS: [&str; 8] = [
    "JavaAppPackaging",
    "JavaServerAppPackaging",
    "PlayScala",
    "PlayJava",
    "PlayService",
    "PlayMinimalJava",
    "UniversalPlugin",
    "DockerPlugin",
];

/// One project of a build.
struct Project {
    id: String,
    /// Its folder with a slash at its end; empty for the root.
    folder: String,
    /// What its definition says.
    text: String,
    /// Where that begins.
    from: String,
}

/// A build, and the project in it that is the program.
pub struct Sbt {
    script: Script,
    plugins: Vec<Used>,
    /// `sbt.version`, and where it stands.
    version: Option<(String, String)>,
    /// None where the whole build is one project without a name.
    project: Option<Project>,
}

impl Sbt {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        let script = Script::read(sources, "build.sbt").filter(|_| sources.has("build.sbt"))?;
        let files = sources.files().iter().filter(|path| {
            path.strip_prefix("project/")
                .is_some_and(|name| !name.contains('/') && name.ends_with(".sbt"))
        });
        let plugins = files
            .filter_map(|file| Script::read(sources, file))
            .flat_map(|script| libraries(&script))
            .map(|(used, _)| used)
            .collect();
        let version = sources
            .has("project/build.properties")
            .then(|| sources.text("project/build.properties"))
            .flatten()
            .and_then(|text| {
                text.lines().enumerate().find_map(|(index, line)| {
                    let (key, value) = line.split_once('=')?;
                    let from = format!("project/build.properties:{}", index + 1);
                    (key.trim() == "sbt.version").then(|| (value.trim().to_owned(), from))
                })
            });
        let project = chosen(projects(&script));
        Some(Self {
            script,
            plugins,
            version,
            project,
        })
    }

    /// The folder of the program's project, with a slash at its end; empty for the root.
    pub fn folder(&self) -> &str {
        self.project
            .as_ref()
            .map_or("", |project| project.folder.as_str())
    }

    pub fn build(&self) -> Build {
        let all = libraries(&self.script).into_iter();
        let dependencies: Vec<Used> = all
            .filter(|(_, of_program)| *of_program)
            .map(|(used, _)| Used {
                version: used.version.as_deref().and_then(|text| self.value(text)),
                ..used
            })
            .collect();
        Build {
            tool: "sbt",
            label: "sbt",
            file: "build.sbt".to_owned(),
            name: self.name().as_deref().and_then(names::from_package),
            claims: self.claims(),
            plugins: self.plugins.clone(),
            fetch: Some("sbt update".to_owned()),
            pinned: Some((
                true,
                "build.sbt names each version, and released ones do not change".to_owned(),
            )),
            dependencies,
            lock: None,
        }
    }

    /// What is assigned to a key, in the program's project first.
    fn setting(&self, key: &str) -> Option<String> {
        let of_project = self
            .project
            .as_ref()
            .and_then(|project| assigned(&project.text, key));
        // What stands at the beginning of a line is for the project of the root, or for all of them.
        let for_all = || {
            let prefixed = ["ThisBuild / ", ""].iter().find_map(|prefix| {
                self.script
                    .text
                    .lines()
                    .filter_map(|line| line.strip_prefix(prefix))
                    .find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(":="))
            });
            prefixed.map(str::trim).map(str::to_owned)
        };
        let said = of_project.or_else(for_all)?;
        self.value(&said)
    }

    /// A string, or the value with that name that holds one.
    fn value(&self, expression: &str) -> Option<String> {
        let expression = expression.trim();
        // Play's projects have their names in three quotes.
        let single = expression.strip_prefix("\"\"");
        let expression = single
            .filter(|rest| rest.starts_with('"'))
            .unwrap_or(expression);
        if let Some(text) = expression.strip_prefix('"') {
            let end = text.find('"')?;
            return (!text[..end].contains('$')).then(|| text[..end].to_owned());
        }
        let name = expression.split([',', ')', ' ', '}']).next()?.trim();
        let name = name.rsplit('.').next().filter(|name| !name.is_empty())?;
        Scan::behind(&self.script.text, name, &[]).find_map(|mut scan| {
            if !scan
                .line_before()
                .trim_end()
                .ends_with(&format!("val {name}"))
            {
                return None;
            }
            if scan.eat(":") {
                scan.word()?;
            }
            scan.eat("=")
                .then(|| scan.string(&['"']))?
                .map(str::to_owned)
        })
    }

    fn name(&self) -> Option<String> {
        let id = || Some(self.project.as_ref()?.id.clone());
        self.setting("name").or_else(id)
    }

    fn claims(&self) -> Vec<Claim> {
        let text = &self.script.text;
        let options = [
            "-release",
            "--release",
            "-target",
            "-java-output-version",
            "-Xtarget",
        ];
        let mut claims: Vec<Claim> = options
            .iter()
            .filter_map(|option| {
                let quoted = format!("\"{option}");
                let (before, rest) = text.split_once(&quoted)?;
                // `"-release", "17"` and `"-release:17"` and `"-target:jvm-1.8"`
                let said = match rest.strip_prefix(':') {
                    Some(rest) => rest.split('"').next()?,
                    None => rest.strip_prefix('"')?.split('"').nth(1)?,
                };
                let line = before.matches('\n').count() + 1;
                Some(Claim::exactly(
                    version(&said.replace("jvm-", ""))?,
                    format!("{}:{line}", self.script.file),
                ))
            })
            .collect();
        claims.truncate(1);
        if let Some((sbt, from)) = &self.version
            && sbt.starts_with("0.")
            && claims.is_empty()
        {
            claims.push(Claim::range("<=8", "8", from));
        }
        claims
    }

    fn plugin(&self, artifact: &str) -> Option<&Used> {
        self.plugins
            .iter()
            .find(|used| used.name.split(':').nth(1) == Some(artifact))
    }

    /// How the program is made and started.
    pub fn launch(&self, main: Option<&Main>) -> Option<Launch> {
        let folder = self.folder();
        let scope = self
            .project
            .as_ref()
            .filter(|_| !folder.is_empty())
            .map_or(String::new(), |project| format!("{}/", project.id));
        let play = self.plugins.iter().find(|used| {
            matches!(
                used.name.as_str(),
                "com.typesafe.play:sbt-plugin" | "org.playframework:sbt-plugin"
            )
        });
        if let Some(plugin) = play.or_else(|| self.plugin("sbt-native-packager"))
            && (play.is_some() || self.packager().is_some())
        {
            return Some(self.staged(&scope, plugin, play.is_some()));
        }
        if let Some(plugin) = self.plugin("sbt-assembly") {
            return self.assembled(&scope, plugin);
        }
        let main = main?;
        let libs = format!("{folder}target/libs");
        // What sbt would run it with, put into one folder.
        let command = format!(
            "sbt 'set TaskKey[Unit](\"libs\") := ({scope}Runtime / fullClasspathAsJars).value.foreach(jar => IO.copyFile(jar.data, file(\"{libs}\") / jar.data.getName))' libs"
        );
        Some(Launch {
            command,
            makes: libs.clone(),
            start: Start::Java(format!("-cp \"{libs}/*\" {}", main.class)),
            artifacts: vec![libs],
            from: main.from.clone(),
            note: format!("{} can be started, and no plugin packs it", main.class),
            question: Some((
                "What packs it? project/plugins.sbt names no plugin for that.".to_owned(),
                "addSbtPlugin(\"com.github.sbt\" % \"sbt-native-packager\" % \"1.10.4\") in project/plugins.sbt, and enablePlugins(JavaAppPackaging) in build.sbt".to_owned(),
            )),
        })
    }

    /// Where it is said that the packager is for this build.
    fn packager(&self) -> Option<String> {
        PACKAGERS
            .iter()
            .find_map(|packager| self.script.mentions(packager))
    }

    /// What the packager leaves in a folder: a script, and all that it needs.
    fn staged(&self, scope: &str, plugin: &Used, play: bool) -> Launch {
        let folder = format!("{}target/universal/stage", self.folder());
        let named = self.setting("executableScriptName");
        let name = named.unwrap_or_else(|| {
            // Without any name it is that of the folder, as it is in the container.
            normalized(&self.name().unwrap_or_else(|| "app".to_owned()))
        });
        let script = format!("./{folder}/bin/{name}");
        let run = if play {
            // Nobody is there to remove the file that is to keep a second one from starting.
            format!("{script} -Dhttp.port=${{PORT:-9000}} -Dpidfile.path=/dev/null")
        } else {
            script
        };
        Launch {
            command: format!("sbt {scope}stage"),
            makes: folder.clone(),
            start: Start::Script(run),
            artifacts: vec![folder],
            from: self.packager().unwrap_or_else(|| plugin.from.clone()),
            note: "the packager makes a script that starts it with all its libraries".to_owned(),
            question: None,
        }
    }

    fn assembled(&self, scope: &str, plugin: &Used) -> Option<Launch> {
        let scala = self.setting("scalaVersion").unwrap_or_default();
        let binary = match scala.split('.').collect::<Vec<_>>().as_slice() {
            ["2", minor, ..] => Some(format!("2.{minor}")),
            [major, ..] if *major != "2" && !major.is_empty() => Some(scala.clone()),
            _ => None,
        };
        let folder = format!(
            "{}target/scala-{}",
            self.folder(),
            binary.as_deref().unwrap_or("*")
        );
        let key = [
            "assembly / assemblyJarName",
            "assemblyJarName in assembly",
            "assemblyJarName",
        ];
        let named = key.iter().find_map(|key| self.setting(key));
        let jar = match named {
            Some(name)
                if name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) =>
            {
                name
            }
            Some(_) => return None,
            None => "*-assembly-*.jar".to_owned(),
        };
        let path = format!("{folder}/{jar}");
        let exact = !path.contains('*');
        Some(Launch {
            command: format!("sbt {scope}assembly"),
            makes: path.clone(),
            start: Start::Java(format!("-jar {path}")),
            artifacts: vec![if exact {
                path
            } else {
                format!("{}target", self.folder())
            }],
            from: plugin.from.clone(),
            note: "sbt-assembly puts all of it into one file".to_owned(),
            question: None,
        })
    }
}

/// A name as sbt has it in files.
fn normalized(name: &str) -> String {
    let mut out = String::new();
    for character in name.to_lowercase().chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.') {
            out.push(character);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out
}

/// What is assigned to a key in a text: the rest of its line.
fn assigned(text: &str, key: &str) -> Option<String> {
    Scan::behind(text, key, &[]).find_map(|mut scan| {
        let before = scan.line_before().trim_end_matches(key);
        let whole = before.trim().is_empty() || before.trim_end().ends_with(['(', ',', '/']);
        (whole && scan.eat(":="))
            .then(|| scan.rest().lines().next().unwrap_or("").trim().to_owned())
    })
}

/// The projects that are defined: `lazy val api = (project in file("api"))`.
fn projects(script: &Script) -> Vec<Project> {
    let text = &script.text;
    let mut starts: Vec<(usize, String, String)> = Vec::new();
    for scan in Scan::behind(text, "lazy val", &[]) {
        let mut inside = scan;
        let Some(id) = inside.word() else { continue };
        if inside.eat(":") {
            inside.word();
        }
        let defines = inside.eat("=") && {
            let _ = inside.eat("(");
            inside.eat("project") || inside.eat("Project(") || inside.eat("crossProject")
        };
        if defines {
            let at = text.len() - inside.rest().len();
            starts.push((
                at,
                id.to_owned(),
                format!("{}:{}", script.file, scan.line()),
            ));
        }
    }
    let ends: Vec<usize> = starts
        .iter()
        .skip(1)
        .map(|(at, ..)| *at)
        .chain([text.len()])
        .collect();
    let defined = starts.into_iter().zip(ends);
    defined
        .map(|((at, id, from), end)| {
            let body = &text[at..end];
            // The next definition, of whatever kind, ends this one.
            let body = body.split("\nlazy val").next().unwrap_or(body);
            let file = Scan::behind(body, "file", &[]).find_map(|mut scan| {
                scan.eat("(")
                    .then(|| scan.string(&['"']))?
                    .map(str::to_owned)
            });
            let folder = match file.as_deref() {
                Some("." | "./") => String::new(),
                Some(folder) => {
                    format!("{}/", folder.trim_start_matches("./").trim_end_matches('/'))
                }
                None => format!("{id}/"),
            };
            Project {
                id,
                folder,
                text: body.to_owned(),
                from,
            }
        })
        .collect()
}

/// The project that is started: the one that a packager is for, else that of the root.
fn chosen(projects: Vec<Project>) -> Option<Project> {
    let packed = projects.iter().position(|project| {
        PACKAGERS
            .iter()
            .any(|packager| project.text.contains(packager))
    });
    let at_root = || {
        projects
            .iter()
            .position(|project| project.folder.is_empty())
    };
    let place = packed.or_else(at_root)?;
    projects
        .into_iter()
        .nth(place)
        .filter(|project| !project.from.is_empty())
}

/// What a script lists as `"group" %% "artifact" % "version"`, and whether the program runs with it.
fn libraries(script: &Script) -> Vec<(Used, bool)> {
    let mut found = Vec::new();
    for (index, line) in script.text.lines().enumerate() {
        // `"a" %% "b" % v, "c" % "d" % v` on one line.
        for part in line.split(',') {
            let Some((before, behind)) = part.split_once('%') else {
                continue;
            };
            let group = strings(before).last().copied();
            let behind = behind.trim_start_matches(['%', ' ']);
            let artifact = behind
                .starts_with('"')
                .then(|| strings(behind).first().copied())
                .flatten();
            let (Some(group), Some(artifact)) = (group, artifact) else {
                continue;
            };
            let version = behind.split_once('%').map(|(_, version)| version.trim());
            let configuration = version.and_then(|version| version.split_once('%'));
            let (version, configuration) = match configuration {
                Some((version, configuration)) => (Some(version.trim()), configuration),
                None => (version, ""),
            };
            let lower = configuration.to_ascii_lowercase();
            let literal = version.map(|version| match strings(version).first() {
                Some(text) if version.starts_with('"') => format!("\"{text}\""),
                _ => version.to_owned(),
            });
            let used = Used {
                name: format!("{group}:{artifact}"),
                version: literal,
                from: format!("{}:{}", script.file, index + 1),
            };
            found.push((used, !lower.contains("test") && !lower.contains("it\"")));
        }
    }
    found
}

/// The routes of a Play program: `GET  /health  controllers.Health.get`.
pub fn play_routes(file: &str, text: &str) -> Vec<Route> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let mut words = line.split_whitespace();
            let path = words
                .next()
                .filter(|method| *method == "GET")
                .and(words.next())?;
            let fixed = path.starts_with('/') && !path.contains([':', '*', '$']);
            fixed.then(|| Route {
                path: path.to_owned(),
                from: format!("{file}:{}", index + 1),
            })
        })
        .collect()
}
