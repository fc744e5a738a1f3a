//! What Maven makes of a program, and how that is started.

use super::Maven;
use crate::ecosystem::java::build::{Launch, Start, webapp_runner};
use crate::ecosystem::java::source::Main;

/// Makes a launch of where it is said, why, what is started, and what exactly that is.
type Make<'f> = dyn Fn(String, &str, String, Option<String>) -> Launch + 'f;

impl Maven<'_, '_> {
    /// How the program is made and started, where it is one.
    pub fn launch(&self, main: Option<&Main>) -> Option<Launch> {
        let chain = &self.chain;
        if self.is_aggregator() {
            return None;
        }
        let packaging = chain.own().packaging.as_ref();
        let kind = packaging.map_or("jar", |(packaging, _)| packaging.as_str());
        let war = kind == "war";
        if !matches!(kind, "war" | "jar" | "bundle" | "quarkus" | "${packaging}") {
            return None;
        }
        let ending = if war { "war" } else { "jar" };
        let exact = |suffix: &str| {
            let name = chain.final_name()?;
            Some(format!("target/{name}{suffix}.{ending}"))
        };
        let beside = ["maven-source-plugin", "maven-javadoc-plugin"];
        let beside = beside.iter().any(|name| chain.plugin(name).is_some());
        // What is no program must not be among those that are taken by their ending.
        let alone = |exact: &Option<String>| match exact {
            None if beside => " && rm -f target/*-sources.jar target/*-javadoc.jar",
            _ => "",
        };
        let launch = |from: String, note: &str, pattern: String, exact: Option<String>| Launch {
            command: format!("{}{}", self.command(""), alone(&exact)),
            makes: exact.clone().unwrap_or_else(|| pattern.clone()),
            start: Start::Java(format!("-jar {pattern}")),
            artifacts: vec![exact.unwrap_or_else(|| "target".to_owned())],
            from,
            note: note.to_owned(),
            question: None,
        };
        if let Some(plugin) = chain.plugin("quarkus-maven-plugin") {
            return Some(self.quarkus(plugin.from(), &launch));
        }
        let spring = chain.plugin("spring-boot-maven-plugin");
        if let Some(plugin) = spring.filter(|_| main.is_some() || !self.is_module()) {
            let suffix = plugin
                .get("classifier")
                .map(|(classifier, _)| format!("-{classifier}"))
                .unwrap_or_default();
            let note = "the Spring Boot plugin makes it executable";
            let pattern = format!("target/*{suffix}.{ending}");
            return Some(launch(plugin.from(), note, pattern, exact(&suffix)));
        }
        if war {
            return Some(self.web_archive(packaging.map_or(1, |(_, line)| *line)));
        }
        if let Some(plugin) = chain.plugin("maven-shade-plugin") {
            let attached = plugin
                .get("shadedArtifactAttached")
                .is_some_and(|(value, _)| value == "true");
            let suffix = match plugin.get("shadedClassifierName") {
                Some((name, _)) => format!("-{name}"),
                None if attached => "-shaded".to_owned(),
                None => String::new(),
            };
            let named = plugin.get("outputFile").or_else(|| plugin.get("finalName"));
            let note = "the Shade plugin puts all of it into one file";
            if let Some(name) = named.and_then(|(name, _)| {
                chain.filled(&name.replace("${project.build.directory}/", ""))
            }) {
                let name = name
                    .trim_start_matches("target/")
                    .trim_end_matches(".jar")
                    .to_owned();
                if !name.contains(['$', '/', ' ']) {
                    let file = format!("target/{name}.jar");
                    return Some(launch(plugin.from(), note, file.clone(), Some(file)));
                }
            }
            let pattern = format!("target/*{suffix}.jar");
            let mut launch = launch(plugin.from(), note, pattern, exact(&suffix));
            if suffix.is_empty() && chain.final_name().is_none() {
                launch.command.push_str(" && rm -f target/original-*.jar");
            }
            return Some(launch);
        }
        if let Some(plugin) = chain.plugin("maven-assembly-plugin") {
            let reference = plugin.get("descriptorRef").map(|(name, _)| name.as_str());
            if reference == Some("jar-with-dependencies") {
                let appended = plugin
                    .get("appendAssemblyId")
                    .is_none_or(|(value, _)| value != "false");
                let suffix = if appended {
                    "-jar-with-dependencies"
                } else {
                    ""
                };
                let name = plugin
                    .get("finalName")
                    .and_then(|(name, _)| chain.filled(name));
                let file = match name {
                    Some(name) if !name.contains(['/', ' ']) => {
                        Some(format!("target/{name}{suffix}.jar"))
                    }
                    _ => exact(suffix),
                };
                let note = "the Assembly plugin puts all of it into one file";
                let mut launch = launch(plugin.from(), note, format!("target/*{suffix}.jar"), file);
                // Without an execution nothing calls it.
                if plugin.get("goal").is_none() {
                    launch.command = self.command(" assembly:single");
                }
                return Some(launch);
            }
        }
        self.other(main, &launch, &exact)
    }

    fn quarkus(&self, from: String, launch: &Make<'_>) -> Launch {
        let properties = self
            .sources
            .text("src/main/resources/application.properties");
        let said = properties.as_deref().and_then(|text| {
            text.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                matches!(
                    key.trim(),
                    "quarkus.package.type" | "quarkus.package.jar.type"
                )
                .then(|| value.trim().to_owned())
            })
        });
        let property = |name| self.chain.property(name).map(|(value, _)| value);
        let kind = said
            .or_else(|| property("quarkus.package.type"))
            .or_else(|| property("quarkus.package.jar.type"));
        if kind.as_deref() == Some("uber-jar") {
            return launch(
                from,
                "Quarkus puts all of it into one file",
                "target/*-runner.jar".to_owned(),
                None,
            );
        }
        launch(
            from,
            "Quarkus leaves it in target/quarkus-app",
            "target/quarkus-app/quarkus-run.jar".to_owned(),
            Some("target/quarkus-app".to_owned()),
        )
    }

    /// A WAR file, which needs a server to serve it.
    fn web_archive(&self, line: usize) -> Launch {
        let chain = &self.chain;
        let war = chain
            .final_name()
            .map_or("target/*.war".to_owned(), |name| {
                format!("target/{name}.war")
            });
        let own_runner = chain.plugin("maven-dependency-plugin").filter(|plugin| {
            plugin
                .all("artifactId")
                .any(|(name, _)| name == "webapp-runner")
        });
        let jar = "target/dependency/webapp-runner.jar".to_owned();
        let goals = if own_runner.is_some() {
            String::new()
        } else {
            let version = webapp_runner(&chain.dependencies());
            format!(
                " dependency:copy -Dartifact=com.heroku:webapp-runner:{version} -DoutputDirectory=target/dependency -Dmdep.stripVersion=true"
            )
        };
        let artifact = if war.contains('*') {
            vec!["target".to_owned()]
        } else {
            vec![war.clone(), jar.clone()]
        };
        Launch {
            command: self.command(&goals),
            makes: war,
            start: Start::Runner {
                jar,
                war: "target/*.war".to_owned(),
            },
            artifacts: artifact,
            from: own_runner.map_or(format!("{}:{line}", chain.own().file), |plugin| {
                plugin.from()
            }),
            note: "a WAR file is served by Tomcat, which webapp-runner brings along".to_owned(),
            question: None,
        }
    }

    /// Everything that no plugin makes one file of.
    fn other(
        &self,
        main: Option<&Main>,
        launch: &Make<'_>,
        exact: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Launch> {
        let chain = &self.chain;
        if let Some(plugin) = chain.plugin("appassembler-maven-plugin") {
            let folder = plugin
                .get("assembleDirectory")
                .map_or("target/appassembler", |(folder, _)| folder);
            let folder = folder.replace("${project.build.directory}", "target");
            if let Some((id, _)) = plugin.get("id").or_else(|| plugin.get("name"))
                && !folder.contains(['$', ' '])
            {
                return Some(Launch {
                    start: Start::Script(format!("sh {folder}/bin/{id}")),
                    ..launch(
                        plugin.from(),
                        "a plugin makes a script that starts it",
                        folder.clone(),
                        Some(folder),
                    )
                });
            }
        }
        // Parents that make one file of it with no word in the tree.
        let parents = [
            (
                "io.micronaut:micronaut-parent",
                "Micronaut's parent puts all of it into one file",
            ),
            (
                "io.micronaut.platform:micronaut-parent",
                "Micronaut's parent puts all of it into one file",
            ),
        ];
        let frames = chain.frames();
        for (parent, note) in parents {
            if let Some(frame) = frames.iter().find(|frame| frame.name == parent) {
                return Some(launch(
                    frame.from.clone(),
                    note,
                    "target/*.jar".to_owned(),
                    exact(""),
                ));
            }
        }
        if let Some(frame) = frames
            .iter()
            .find(|frame| frame.name.starts_with("io.helidon.applications:"))
        {
            let mut launch = launch(
                frame.from.clone(),
                "Helidon's parent leaves the libraries in target/libs",
                "target/*.jar".to_owned(),
                exact(""),
            );
            if launch.artifacts != ["target"] {
                launch.artifacts.push("target/libs".to_owned());
            }
            return Some(launch);
        }
        if let Some(plugin) = chain.plugin("vertx-maven-plugin") {
            return Some(launch(
                plugin.from(),
                "the Vert.x plugin puts all of it into one file",
                "target/*.jar".to_owned(),
                exact(""),
            ));
        }
        let jar = chain.configured("maven-jar-plugin");
        let class = jar.as_ref().and_then(|plugin| {
            let (class, line) = plugin
                .get("mainClass")
                .or_else(|| plugin.get("Main-Class"))?;
            Some((plugin, chain.filled(class)?, *line))
        });
        if let Some((plugin, _, line)) = &class {
            let listed = plugin
                .get("addClasspath")
                .is_some_and(|(value, _)| value == "true");
            if listed || chain.needed() == 0 {
                let from = format!("{}:{line}", plugin.file);
                let mut launch = launch(
                    from,
                    "the JAR file names the class to start",
                    "target/*.jar".to_owned(),
                    exact(""),
                );
                if chain.needed() > 0 {
                    launch.artifacts = vec!["target".to_owned()];
                }
                return Some(launch);
            }
        }
        let exec = ["exec-maven-plugin", "mainClass"];
        let executed = chain.plugin(exec[0]).and_then(|plugin| {
            let (class, line) = plugin.get(exec[1])?;
            Some((chain.filled(class)?, format!("{}:{line}", plugin.file)))
        });
        let property = [
            "exec.mainClass",
            "mainClass",
            "main.class",
            "start-class",
            "main.verticle",
        ]
        .iter()
        .find_map(|name| chain.property(name));
        let class = class
            .map(|(plugin, class, line)| (class, format!("{}:{line}", plugin.file)))
            .or(executed)
            .or(property)
            // A module that nothing makes a program of is a library, whatever it has for trying it out.
            .or_else(|| {
                main.filter(|_| !self.is_module())
                    .map(|main| (main.class.clone(), main.from.clone()))
            });
        let (class, from) = class?;
        let copies = chain
            .plugin("maven-dependency-plugin")
            .is_some_and(|plugin| {
                plugin
                    .all("goal")
                    .any(|(goal, _)| goal == "copy-dependencies")
                    && plugin.get("outputDirectory").is_none()
            });
        let needs = chain.needed() > 0;
        let goals = if needs && !copies {
            " dependency:copy-dependencies -DincludeScope=runtime"
        } else {
            ""
        };
        let (path, artifacts) = if needs {
            (
                "\"target/classes:target/dependency/*\"",
                vec!["target/classes".to_owned(), "target/dependency".to_owned()],
            )
        } else {
            ("target/classes", vec!["target/classes".to_owned()])
        };
        Some(Launch {
            command: self.command(goals),
            makes: "target/classes".to_owned(),
            start: Start::Java(format!("-cp {path} {class}")),
            artifacts,
            from,
            note: format!("no plugin makes an executable file of it; {class} has a main"),
            question: None,
        })
    }
}
