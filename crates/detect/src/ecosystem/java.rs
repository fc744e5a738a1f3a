//! Java and Kotlin: Maven, Gradle, or files that need nothing but a JDK.

pub(super) mod build;
mod catalog;
pub(super) mod framework;
mod gradle;
mod maven;
pub(super) mod packing;
mod pom;
pub(super) mod program;
pub(super) mod reads;
pub(super) mod routes;
pub(super) mod script;
mod settings;
pub(super) mod source;
pub(super) mod version;

use self::build::{Build, Launch, Start};
use self::gradle::Gradle;
use self::maven::Maven;
use self::program::Program;
use self::source::Main;
use super::{Ecosystem, Found};
use crate::plan::shell_quoted;
use crate::sources::{Sources, Text};

const EXTENSIONS: [&str; 4] = ["java", "kt", "scala", "groovy"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Java",
    languages: &["java", "kotlin", "groovy"],
    looks_for: "Java or Kotlin: pom.xml, build.gradle or build.gradle.kts",
    markers: &["pom.xml", "build.gradle", "build.gradle.kts"],
    detect,
    droppings: &["**/build", "**/target", ".gradle", ".kotlin", "**/*.class"],
    packing: packing::packing,
};

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let maven = sources
        .has("pom.xml")
        .then(|| Maven::read(sources))
        .flatten();
    let gradle = Gradle::read(sources);
    let texts_of = || own_texts(sources);
    match (maven, gradle) {
        (None, None) if sources.has("pom.xml") => Some(unread(sources)),
        (None, None) => plain(sources),
        (Some(maven), None) => Some(with_maven(sources, &maven, texts_of())),
        (None, Some(gradle)) => Some(with_gradle(sources, &gradle, texts_of())),
        (Some(maven), Some(gradle)) => {
            let mut found = with_maven(sources, &maven, texts_of());
            let other = with_gradle(sources, &gradle, texts_of());
            // Of two that say the same, Maven is the one that needs no wrapper.
            if other.strength > found.strength {
                return Some(other);
            }
            let file = other.application.dependencies.unwrap_or_default();
            found.report.ask(
                format!("Maven or Gradle? There are pom.xml and {file}; Maven taken."),
                "remove the one that is not used",
            );
            Some(found)
        }
    }
}

/// The program's own sources: nothing of the builds below, nor of what only builds.
fn own_texts<'s>(sources: &Sources<'s>) -> Vec<Text<'s>> {
    let builds = ["pom.xml", "build.gradle", "build.gradle.kts", "build.sbt"];
    let below: Vec<&str> = sources
        .files()
        .iter()
        .filter_map(|path| path.rsplit_once('/'))
        .filter(|(_, name)| builds.contains(name))
        .map(|(folder, _)| folder)
        .chain(["buildSrc", "build-logic", ".mvn", "gradle"])
        .collect();
    let is_below = |path: &str| {
        below.iter().any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let files = sources.program_files(&EXTENSIONS).into_iter();
    sources.searched(files.filter(|path| !is_below(path)))
}

/// A `pom.xml` that cannot be read, which is a question already.
fn unread(sources: &Sources<'_>) -> Found {
    let build = Build {
        tool: "maven",
        label: "Maven",
        file: "pom.xml".to_owned(),
        ..Build::default()
    };
    of_build(sources, build, None, None, Vec::new(), own_texts(sources))
}

fn with_maven<'s>(sources: &Sources<'s>, maven: &Maven<'_, '_>, texts: Vec<Text<'s>>) -> Found {
    let build = maven.build();
    let mains = source::mains(&texts);
    let main = chosen(&mains, &texts, None);
    let launch = maven.launch(main.as_ref());
    of_build(sources, build, launch, main, mains, texts)
}

fn with_gradle<'s>(sources: &Sources<'s>, gradle: &Gradle<'_, '_>, texts: Vec<Text<'s>>) -> Found {
    let build = gradle.build();
    let mains = source::mains(&texts);
    let named = gradle.main_class();
    let main = chosen(&mains, &texts, named.as_deref());
    let launch = gradle.launch(&build, main.as_ref());
    of_build(sources, build, launch, main, mains, texts)
}

fn of_build<'s>(
    sources: &Sources<'s>,
    build: Build,
    launch: Option<Launch>,
    main: Option<Main>,
    mains: Vec<Main>,
    texts: Vec<Text<'s>>,
) -> Found {
    let (language, label) = language(main.as_ref(), &texts);
    let names_class = launch.as_ref().is_some_and(|launch| {
        let Start::Java(what) = &launch.start else {
            return false;
        };
        main.as_ref()
            .is_some_and(|main| what.ends_with(&main.class))
    });
    let mut found = Program {
        sources,
        language,
        label,
        build,
        launch,
        main,
        texts,
        reads: Vec::new(),
        routes: Vec::new(),
        port: None,
    }
    .found();
    if names_class && mains.len() > 1 {
        let classes: Vec<_> = mains.iter().map(|main| main.class.as_str()).collect();
        found.report.ask(
            format!("Which class? {} each have a main.", classes.join(", ")),
            "name it in the build file: a manifest's Main-Class",
        );
    }
    found
}

/// The class that starts the program: the one that is named, else the one that starts a framework.
fn chosen(mains: &[Main], texts: &[Text<'_>], named: Option<&str>) -> Option<Main> {
    let by_name = named.and_then(|named| mains.iter().find(|main| main.class == named));
    let framework = || {
        let marks = [
            "@SpringBootApplication",
            "@QuarkusMain",
            "@EnableAutoConfiguration",
        ];
        mains.iter().find(|main| {
            texts.iter().any(|(path, text)| {
                *path == main.file && marks.iter().any(|mark| text.contains(mark))
            })
        })
    };
    by_name
        .or_else(framework)
        .or_else(|| mains.first())
        .cloned()
}

/// The language of what starts, else of most files.
fn language(main: Option<&Main>, texts: &[Text<'_>]) -> (&'static str, &'static str) {
    let extension = |path: &str| {
        EXTENSIONS.iter().position(|extension| {
            path.rsplit_once('.')
                .is_some_and(|(_, own)| own == *extension)
        })
    };
    let most = || {
        let counts = EXTENSIONS.iter().enumerate().map(|(index, _)| {
            let files = texts
                .iter()
                .filter(|(path, _)| extension(path) == Some(index));
            (files.count(), std::cmp::Reverse(index))
        });
        counts.max().map(|(_, index)| index.0)
    };
    match main.and_then(|main| extension(&main.file)).or_else(most) {
        Some(1) => ("kotlin", "Kotlin"),
        Some(2) => ("scala", "Scala"),
        Some(3) => ("groovy", "Groovy"),
        _ => ("java", "Java"),
    }
}

/// Gets Kotlin's compiler, which no image of a JDK has.
const KOTLIN: &str = "curl -fsSL -o kotlin.zip \
     https://github.com/JetBrains/kotlin/releases/download/v2.1.20/kotlin-compiler-2.1.20.zip && jar xf kotlin.zip";

/// Files at the root without a build: what the compiler alone makes of them.
fn plain(sources: &Sources<'_>) -> Option<Found> {
    let kotlin = match ["java", "kt"].map(|one| sources.name_ending(&format!(".{one}"))) {
        [Some(_), _] => false,
        [None, Some(_)] => true,
        [None, None] => return None,
    };
    let extension = if kotlin { "kt" } else { "java" };
    let texts = sources.program_texts(&[extension]);
    let mains = source::mains(&texts);
    let main = mains.iter().find(|main| !main.file.contains('/')).cloned();
    if kotlin && main.is_none() {
        return None;
    }
    let (command, makes) = if kotlin {
        let compile = "bash kotlinc/bin/kotlinc ./*.kt -include-runtime -d app.jar";
        (format!("{KOTLIN} && {compile}"), "app.jar")
    } else {
        ("javac -d out ./*.java".to_owned(), "out")
    };
    let launch = main.as_ref().map(|main| Launch {
        command,
        makes: makes.to_owned(),
        start: Start::Java(format!("-cp {makes} {}", shell_quoted(&main.class))),
        artifacts: vec![makes.to_owned()],
        from: main.from.clone(),
        note: format!("{} has a main, and there is no build file", main.file),
        question: None,
    });
    Some(of_build(
        sources,
        Build::default(),
        launch,
        main,
        mains,
        texts,
    ))
}
