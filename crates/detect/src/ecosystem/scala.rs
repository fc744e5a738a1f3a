//! Scala: sbt, or files that Scala CLI takes as they are.

mod sbt;

use self::sbt::Sbt;
use super::java::build::{Build, Launch, Start};
use super::java::program::Program;
use super::java::{packing, source};
use super::{Ecosystem, Found};
use crate::sources::Sources;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Scala",
    languages: &["scala"],
    looks_for: "Scala: build.sbt, or a .scala file at the root",
    markers: &["build.sbt", "project.scala"],
    detect,
    droppings: &["**/target", ".bsp", ".scala-build", ".metals", ".bloop"],
    packing: packing::packing,
};

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let sbt = Sbt::read(sources);
    if sbt.is_none() && (sources.has("pom.xml") || sources.name_ending(".scala").is_none()) {
        return None;
    }
    let mut texts = sources.program_texts(&["scala", "java"]);
    texts.retain(|(path, _)| !path.starts_with("project/"));
    let mains = source::mains(&texts);
    let (build, launch, main) = if let Some(sbt) = sbt {
        let folder = sbt.folder().to_owned();
        // Of several projects the one that is started has the class that starts it.
        let main = mains.iter().find(|main| main.file.starts_with(&folder));
        let launch = sbt.launch(main);
        (sbt.build(), launch, main.cloned())
    } else {
        let main = mains.first().cloned();
        let launch = main.as_ref().map(|main| Launch {
            command: "scala-cli --power package . --assembly -o app.jar".to_owned(),
            makes: "app.jar".to_owned(),
            start: Start::Java("-jar app.jar".to_owned()),
            artifacts: vec!["app.jar".to_owned()],
            from: main.from.clone(),
            note: format!("{} has a main, and there is no build file", main.file),
            question: None,
        });
        let build = Build {
            tool: "scala-cli",
            label: "Scala CLI",
            file: sources.name_ending(".scala")?.to_owned(),
            ..Build::default()
        };
        (build, launch, main)
    };
    let all_java = !texts.is_empty() && texts.iter().all(|(path, _)| path.ends_with(".java"));
    let (language, label) = if all_java {
        ("java", "Java")
    } else {
        ("scala", "Scala")
    };
    let routes = sources
        .has("conf/routes")
        .then(|| sources.text("conf/routes"))
        .flatten()
        .map(|text| sbt::play_routes("conf/routes", &text))
        .unwrap_or_default();
    Some(
        Program {
            sources,
            language,
            label,
            build,
            launch,
            main,
            texts,
            reads: Vec::new(),
            routes,
            port: None,
        }
        .found(),
    )
}
