//! How a program for the Java virtual machine becomes an image.

use super::version::{USUAL, major};
use crate::ecosystem::{Packed, Packing, Toolchain, probe_by_bash};

/// The versions that images are made of; one between them runs on the next.
const IMAGES: [u32; 11] = [8, 11, 17, 18, 19, 20, 21, 22, 23, 24, 25];

/// What a container starts from that runs classes.
pub fn base_image(version: &str) -> String {
    format!("eclipse-temurin:{}-jre", image(version))
}

fn image(version: &str) -> u32 {
    let wanted = major(version);
    let next = IMAGES.into_iter().find(|image| *image >= wanted);
    next.unwrap_or(wanted)
}

pub fn packing(program: &Packed<'_>) -> Packing {
    // A base that has the build tool, or all that a wrapper needs, builds by itself.
    let tools = ["maven", "gradle", "scala-sbt", "clojure", "sbt"];
    let builds = tools.iter().any(|tool| program.starts_from(tool))
        || (with_wrapper(program) && program.base_image.contains("jdk"));
    Packing {
        toolchain: (!builds).then(|| toolchain(program)),
        probe: Some(probe_by_bash),
        ..Packing::default()
    }
}

fn toolchain(program: &Packed<'_>) -> Toolchain {
    let java = image(program.version(USUAL.version));
    let with_wrapper = with_wrapper(program);
    let tool = program
        .application
        .package_manager
        .as_deref()
        .unwrap_or("java");
    let (image, env): (String, &[(&str, &str)]) = match tool {
        "maven" if !with_wrapper => (format!("maven:3-eclipse-temurin-{java}"), &[]),
        // A daemon would only outlive its one build.
        "gradle" if with_wrapper => (format!("eclipse-temurin:{java}-jdk"), &NO_DAEMON),
        "gradle" => (gradle(java), &NO_DAEMON),
        "sbt" => (format!("sbtscala/scala-sbt:{}", sbt(java)), &[]),
        "scala-cli" => ("virtuslab/scala-cli:latest".to_owned(), &[]),
        // Leiningen warns of root, which is who builds.
        "leiningen" => (
            format!("clojure:temurin-{java}-lein"),
            &[("LEIN_ROOT", "true")],
        ),
        "clojure" => (format!("clojure:temurin-{java}-tools-deps"), &[]),
        _ => (format!("eclipse-temurin:{java}-jdk"), &[]),
    };
    Toolchain {
        image,
        env: env
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        source_only: &["**/*.java", "**/*.kt", "**/*.scala", "**/*.clj"],
    }
}

/// Whether the project brings its build tool along.
fn with_wrapper(program: &Packed<'_>) -> bool {
    let mut commands = program.application.build_commands.iter();
    commands.any(|command| command.contains("mvnw ") || command.contains("gradlew "))
}

const NO_DAEMON: [(&str, &str); 1] = [("GRADLE_OPTS", "-Dorg.gradle.daemon=false")];

/// Gradle 9 wants Java 17 and knows 25; 8 still runs on 8.
fn gradle(java: u32) -> String {
    let version = if java > 24 { 9 } else { 8 };
    format!("gradle:{version}-jdk{java}")
}

/// The tags of sbt's images; those for what is old are no longer made anew.
fn sbt(java: u32) -> &'static str {
    match java {
        ..=8 => "eclipse-temurin-jammy-8u402-b06_1.9.9_2.13.13",
        9..=11 => "eclipse-temurin-jammy-11.0.22_7_1.9.9_2.13.13",
        12..=17 => "eclipse-temurin-17_1.x",
        18..=21 => "eclipse-temurin-21_1.x",
        _ => "eclipse-temurin-25_1.x",
    }
}
