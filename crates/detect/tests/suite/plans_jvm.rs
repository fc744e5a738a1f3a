//! Plans of programs for the Java virtual machine.

use crate::plans::{application, planned, steps};

#[test]
fn tools_of_the_java_virtual_machine_get_libraries_before_the_sources() {
    let steps_of = |manager: &str, commands: &[&str], files: &[(&str, &str)]| {
        let mut web = application("java", commands);
        web.package_manager = Some(manager.to_owned());
        web.artifacts = vec!["target/web.jar".to_owned()];
        steps(&planned(web, "eclipse-temurin:17-jre", files))
    };
    let maven = ["sh ./mvnw -B dependency:go-offline", "sh ./mvnw -B package"];
    let files = [
        // Where its own folder stands in the settings of plugins, nothing is read yet.
        (
            "pom.xml",
            "<project><directory>${basedir}/x</directory></project>",
        ),
        ("mvnw", ""),
        (".mvn/wrapper/maven-wrapper.properties", ""),
        ("src/main/java/Main.java", ""),
    ];
    assert_eq!(
        steps_of("maven", &maven, &files),
        [
            "from eclipse-temurin:17-jdk as build",
            "copy .mvn/wrapper/maven-wrapper.properties mvnw pom.xml for 0",
            "run online in /app: sh ./mvnw -B dependency:go-offline",
            "copy all for 0",
            "run online in /app: sh ./mvnw -B package",
            "from eclipse-temurin:17-jre",
            "take build for 65532: target/web.jar",
        ]
    );
    let first = |manager: &str, command: &str, files: &[(&str, &str)]| {
        steps_of(manager, &[command], files).remove(1)
    };
    let modules = [(
        "pom.xml",
        "<project><modules><module>a</module></modules></project>",
    )];
    for (command, files) in [
        ("mvn dependency:go-offline", &modules[..]),
        ("mvn package", &files[..]),
    ] {
        assert_eq!(
            first("maven", command, files),
            "copy all for 0",
            "{command}"
        );
    }
    assert_eq!(
        first(
            "leiningen",
            "lein deps",
            &[("project.clj", "(defproject a)"), ("src/a.clj", "")]
        ),
        "copy project.clj for 0"
    );
    assert_eq!(
        first(
            "leiningen",
            "lein deps",
            &[("project.clj", "(defproject a ~(slurp \"v\"))")]
        ),
        "copy all for 0"
    );
    assert_eq!(
        first(
            "clojure",
            "clojure -P",
            &[("deps.edn", "{}"), ("src/a.clj", "")]
        ),
        "copy deps.edn for 0"
    );
    assert_eq!(
        first(
            "sbt",
            "sbt update",
            &[
                ("build.sbt", ""),
                ("project/build.properties", ""),
                ("project/target/x", ""),
                ("src/A.scala", "")
            ]
        ),
        "copy build.sbt project/build.properties for 0"
    );
}

#[test]
fn each_tool_of_the_java_virtual_machine_has_its_image() {
    let from = |manager: &str, command: &str, version: &str| {
        let mut web = application("java", &[command]);
        web.package_manager = Some(manager.to_owned());
        web.runtime = Some(ergon_manifest::Runtime {
            name: "java".to_owned(),
            version: version.to_owned(),
            from: None,
        });
        steps(&planned(web, "eclipse-temurin:17-jre", &[])).remove(0)
    };
    for (manager, command, version, image) in [
        (
            "maven",
            "mvn package",
            "17.0.9",
            "maven:3-eclipse-temurin-17",
        ),
        ("maven", "sh ./mvnw package", "8", "eclipse-temurin:8-jdk"),
        ("maven", "mvn package", "7", "maven:3-eclipse-temurin-8"),
        ("gradle", "gradle bootJar", "21", "gradle:8-jdk21"),
        (
            "gradle",
            "sh ../gradlew bootJar",
            "14",
            "eclipse-temurin:17-jdk",
        ),
        (
            "sbt",
            "sbt stage",
            "17",
            "sbtscala/scala-sbt:eclipse-temurin-17_1.x",
        ),
        ("leiningen", "lein uberjar", "11", "clojure:temurin-11-lein"),
        (
            "clojure",
            "clojure -T:build uber",
            "21",
            "clojure:temurin-21-tools-deps",
        ),
    ] {
        assert_eq!(
            from(manager, command, version),
            format!("from {image} as build"),
            "{command}"
        );
    }
}

#[test]
fn a_java_program_is_asked_by_bash() {
    let mut web = application("java", &["mvn package"]);
    web.ports = vec![8080];
    web.health = Some(ergon_manifest::Health {
        path: "/it's%20up".to_owned(),
        port: None,
    });
    let config = planned(web, "eclipse-temurin:17-jre", &[]).config;
    let check = config.healthcheck.unwrap();
    assert_eq!(check[..2], ["/bin/bash", "-c"]);
    assert!(
        check[2].contains(r"printf 'GET /it'\''s%%20up HTTP/1.0\r\n"),
        "{}",
        check[2]
    );
    assert!(check[2].contains("/dev/tcp/127.0.0.1/8080"), "{}", check[2]);
}
