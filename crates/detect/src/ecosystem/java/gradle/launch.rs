//! What Gradle makes of a program, and how that is started.

use super::Gradle;
use crate::ecosystem::java::build::{Build, Launch, Start, webapp_runner};
use crate::ecosystem::java::script::{Script, closing, strings};
use crate::ecosystem::java::source::Main;
use crate::ecosystem::java::version;

impl Gradle<'_, '_> {
    /// Gradle, as it is called.
    fn program(&self) -> String {
        let wrapped = self.sources.has(&format!("{}gradlew", self.root))
            && self
                .sources
                .has(&format!("{}gradle/wrapper/gradle-wrapper.jar", self.root));
        if !wrapped {
            return "gradle".to_owned();
        }
        let folder = if self.root.is_empty() {
            "./"
        } else {
            &self.root
        };
        // Its right to be executed gets lost on the way through archives and other systems.
        format!("sh {folder}gradlew")
    }

    /// Whether anything stands in the way of building with the Gradle of an image.
    pub fn question(&self) -> Option<(String, String)> {
        let old = self.scripts.iter().find_map(|script| {
            ["compile", "testCompile", "jcenter"]
                .iter()
                .find_map(|word| {
                    let from = script.mentions(word)?;
                    let (_, line) = from.rsplit_once(':')?;
                    let line = script
                        .text
                        .lines()
                        .nth(line.parse::<usize>().ok()?.checked_sub(1)?)?;
                    line.trim_start()
                        .starts_with(word)
                        .then_some((*word, from.clone()))
                })
        });
        let (word, from) = old.filter(|_| self.program() == "gradle")?;
        Some((
            format!(
                "Which Gradle? {from} says `{word}`, which Gradle 9 no longer knows, and there is no wrapper."
            ),
            "gradle wrapper --gradle-version 6.9.4, and commit gradlew and gradle/wrapper"
                .to_owned(),
        ))
    }

    /// How the program is made and started, where it is one.
    pub fn launch(&self, build: &Build, main: Option<&Main>) -> Option<Launch> {
        if self
            .plugins
            .iter()
            .any(|plugin| plugin.name.starts_with("com.android."))
        {
            return None;
        }
        // Where all lies in folders below, each of them is looked at for itself.
        if self.has_projects() && main.is_none() {
            return None;
        }
        let launch = |task: &str, from: &str, note: &str, pattern: &str, artifact: &str| Launch {
            command: format!("{} {task}", self.program()),
            makes: artifact.to_owned(),
            start: Start::Java(format!("-jar {pattern}")),
            artifacts: vec![artifact.to_owned()],
            from: from.to_owned(),
            note: note.to_owned(),
            question: self.question(),
        };
        let libs = "build/libs";
        if let Some(quarkus) = self.applies(&["io.quarkus"]) {
            let note = "Quarkus leaves it in build/quarkus-app";
            return Some(launch(
                "quarkusBuild",
                &quarkus.from,
                note,
                "build/quarkus-app/quarkus-run.jar",
                "build/quarkus-app",
            ));
        }
        if let Some(spring) = self.applies(&[
            "org.springframework.boot",
            "spring-boot",
            "org.grails.grails-web",
            "grails-web",
        ]) {
            let war = self.applies(&["war"]).is_some();
            let version = build
                .plugins
                .iter()
                .find(|used| used.name.starts_with("org.springframework.boot"));
            let first = version
                .and_then(|used| used.version.as_deref())
                .map(version::major)
                == Some(1);
            // Only one file is made, so that there is but one to start.
            let (task, ending) = match (first, war) {
                (true, true) => ("assemble", "war"),
                (true, false) => ("assemble", "jar"),
                (false, true) => ("bootWar", "war"),
                (false, false) => ("bootJar", "jar"),
            };
            if main.is_some() || self.root.is_empty() {
                let note = "the Spring Boot plugin makes it executable";
                return Some(launch(
                    task,
                    &spring.from,
                    note,
                    &format!("build/libs/*.{ending}"),
                    libs,
                ));
            }
        }
        if let Some(ktor) = self.applies(&["io.ktor.plugin"]) {
            let note = "Ktor's plugin puts all of it into one file";
            return Some(launch(
                "buildFatJar",
                &ktor.from,
                note,
                "build/libs/*-all.jar",
                libs,
            ));
        }
        let shadow = [
            "com.github.johnrengelman.shadow",
            "com.gradleup.shadow",
            "io.github.goooler.shadow",
            "com.github.johnrengelman.plugin-shadow",
            "io.ratpack.ratpack-java-shadow",
            "shadow",
        ];
        if let Some(shadow) = self.applies(&shadow) {
            let note = "the Shadow plugin puts all of it into one file";
            let (pattern, note) = match self.shadow_name() {
                Some(pattern) => (pattern, note),
                None => ("build/libs/*-all.jar".to_owned(), note),
            };
            return Some(launch("shadowJar", &shadow.from, note, &pattern, libs));
        }
        if let Some(launch) = self.executable_jar(build, &launch) {
            return Some(launch);
        }
        let application = [
            "application",
            "io.micronaut.application",
            "io.micronaut.minimal.application",
            "io.vertx.vertx-plugin",
            "io.ratpack.ratpack-java",
            "io.ratpack.ratpack-groovy",
            "org.gretty",
        ];
        if let Some(plugin) = self.applies(&application) {
            // Without a name Gradle takes that of the folder, as it is in the container.
            let folder = || {
                self.sources
                    .folder()
                    .rsplit('/')
                    .next()
                    .filter(|name| !name.is_empty())
            };
            let named = self.setting("applicationName").or_else(|| self.project());
            let name = named.unwrap_or_else(|| folder().unwrap_or("app").to_owned());
            if !name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            {
                return None;
            }
            return Some(installed(
                launch("installDist", &plugin.from, "", "", ""),
                &name,
            ));
        }
        let war = self.applies(&["war", "org.gretty", "org.akhikhl.gretty"]);
        if let Some(war) = war {
            let version = webapp_runner(&build.dependencies);
            let jar = "build/webapp-runner.jar";
            let url = format!(
                "https://repo1.maven.org/maven2/com/heroku/webapp-runner/{version}/webapp-runner-{version}.jar"
            );
            let note = "a WAR file is served by Tomcat, which webapp-runner brings along";
            let launch = launch("war", &war.from, note, "", libs);
            return Some(Launch {
                command: format!("{} && curl -fsSL -o {jar} {url}", launch.command),
                start: Start::Runner {
                    jar: jar.to_owned(),
                    war: "build/libs/*.war".to_owned(),
                },
                artifacts: vec![libs.to_owned(), jar.to_owned()],
                ..launch
            });
        }
        let java = self.applies(&[
            "java",
            "groovy",
            "scala",
            "org.jetbrains.kotlin.jvm",
            "kotlin",
            "java-library",
        ]);
        let main = main.filter(|_| self.root.is_empty() && build.dependencies.is_empty())?;
        let mut launch = launch("classes", &main.from, "", "", "build/classes");
        java?;
        if !main.file.ends_with(".java") {
            return None;
        }
        launch.note = format!(
            "{} has a main, and nothing makes an executable file of it",
            main.class
        );
        launch.start = Start::Java(format!("-cp build/classes/java/main {}", main.class));
        Some(launch)
    }

    /// A JAR file that names the class to start, and has all that it needs.
    fn executable_jar(
        &self,
        build: &Build,
        launch: &dyn Fn(&str, &str, &str, &str, &str) -> Launch,
    ) -> Option<Launch> {
        let (script, from) = self
            .scripts
            .iter()
            .find_map(|script| Some((script, script.mentions("Main-Class")?)))?;
        let whole = [
            "zipTree",
            "configurations.runtimeClasspath",
            "configurations.compileClasspath",
            "Class-Path",
        ]
        .iter()
        .any(|word| script.mentions(word).is_some());
        let starts_otherwise = self.applies(&["application"]).is_some()
            && (self.setting("mainClass").is_some() || self.setting("mainClassName").is_some());
        // Without its libraries it does not get far.
        if !whole
            && starts_otherwise
            && build
                .dependencies
                .iter()
                .any(|used| !used.name.contains("kotlin-stdlib"))
        {
            return None;
        }
        let task = jar_task(script);
        let note = "the JAR file names the class to start";
        Some(launch(
            task.as_deref().unwrap_or("jar"),
            &from,
            note,
            "build/libs/*.jar",
            "build/libs",
        ))
    }

    /// What the Shadow plugin is told to call its file.
    fn shadow_name(&self) -> Option<String> {
        let (script, block) = self.scripts.iter().find_map(|script| {
            Some((
                script,
                script
                    .block("shadowJar")
                    .or_else(|| shadow_block(script))?
                    .1,
            ))
        })?;
        let block = Script {
            file: script.file.clone(),
            text: block.to_owned(),
        };
        let said = |names: &[&str]| {
            names.iter().find_map(|name| {
                let (value, _) = block.assigned(name).next()?;
                strings(value).first().map(|text| (*text).to_owned())
            })
        };
        if let Some(name) =
            said(&["archiveFileName", "archiveName"]).and_then(|name| self.filled(&name))
        {
            let plain = name.ends_with(".jar")
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            return plain.then(|| format!("build/libs/{name}"));
        }
        let classifier = said(&["archiveClassifier", "classifier"])?;
        let plain = classifier
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let suffix = if classifier.is_empty() {
            String::new()
        } else {
            format!("-{classifier}")
        };
        plain.then(|| format!("build/libs/*{suffix}.jar"))
    }
}

fn installed(launch: Launch, name: &str) -> Launch {
    let folder = format!("build/install/{name}");
    Launch {
        makes: folder.clone(),
        start: Start::Script(format!("./{folder}/bin/{name}")),
        artifacts: vec![folder],
        note: "the Application plugin makes a script that starts it with all its libraries"
            .to_owned(),
        ..launch
    }
}

/// `tasks.withType<ShadowJar> { … }` and the like.
fn shadow_block(script: &Script) -> Option<(String, &str)> {
    let line = script
        .text
        .lines()
        .find(|line| line.contains("ShadowJar") && line.trim_end().ends_with('{'))?;
    let start = line.as_ptr() as usize - script.text.as_ptr() as usize + line.trim_end().len();
    let rest = script.text.get(start..)?;
    let end = closing(rest)?;
    Some((script.file.clone(), &rest[..end]))
}

/// A task of its own that makes the JAR file: `task fatJar(type: Jar)`, `tasks.register("fatJar", Jar)`.
fn jar_task(script: &Script) -> Option<String> {
    let lines = script.text.lines().filter(|line| {
        line.contains("type: Jar") || line.contains(", Jar)") || line.contains("<Jar>(")
    });
    let mut names = lines.filter_map(|line| {
        let named = strings(line).first().map(|name| (*name).to_owned());
        let groovy = || {
            let (_, rest) = line.split_once("task ")?;
            Some(rest.split('(').next()?.trim().to_owned())
        };
        named.or_else(groovy)
    });
    names.find(|name| {
        let lower = name.to_ascii_lowercase();
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric())
            && !lower.contains("sources")
            && !lower.contains("doc")
            && !lower.contains("test")
    })
}
