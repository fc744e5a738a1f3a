//! Scala programs.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report, run_command};

const MAIN: (&str, &str) = (
    "src/main/scala/shop/Main.scala",
    "package shop\n\nobject Main extends App {\n}\n",
);
const PACKAGER: (&str, &str) = (
    "project/plugins.sbt",
    "addSbtPlugin(\"com.github.sbt\" % \"sbt-native-packager\" % \"1.10.4\")\n",
);

#[test]
fn a_program_with_the_packager() {
    let tree = MemoryTree::new([
        (
            "build.sbt",
            "val http4sVersion = \"0.23.25\"\n\nlazy val root = (project in file(\".\"))\n  .enablePlugins(JavaAppPackaging)\n  .settings(\n    name := \"Web Shop\",\n    scalaVersion := \"2.13.12\",\n    javacOptions ++= Seq(\"--release\", \"21\"),\n    libraryDependencies ++= Seq(\n      \"org.http4s\" %% \"http4s-ember-server\" % http4sVersion,\n      \"org.postgresql\" % \"postgresql\" % \"42.7.1\",\n      \"redis.clients\" % \"jedis\" % \"5.1.0\" % Test\n    )\n  )\n",
        ),
        PACKAGER,
        ("project/build.properties", "sbt.version=1.9.7\n"),
        (
            "src/main/scala/shop/Main.scala",
            "package shop\n\nobject Main extends IOApp.Simple {\n  val port = sys.env.getOrElse(\"PORT\", \"9001\")\n  val key = sys.env(\"API_KEY\")\n  val routes = HttpRoutes.of[IO] {\n    case GET -> Root / \"health\" => Ok()\n  }\n}\n",
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    web-shop · a web service in Scala on Java 21
    language: Scala [src/main/scala/shop/Main.scala:3, certain]
    framework: http4s 0.23 [build.sbt:10, certain]
    runtime: Java 21 [build.sbt:8, certain]
    package_manager: sbt [build.sbt, certain]
    dependencies: 2 libraries [build.sbt, certain]
    build_command: sbt update [build.sbt, likely] (gets the libraries before the sources are there)
    build_command: sbt stage [build.sbt:4, likely] (makes target/universal/stage)
    run_command: ./target/universal/stage/bin/web-shop [build.sbt:4, likely] (the packager makes a script that starts it with all its libraries)
    port: 9001 [src/main/scala/shop/Main.scala:4, certain] (where PORT is not set)
    environment: PORT [src/main/scala/shop/Main.scala:4, certain] (default "9001")
    environment: API_KEY [src/main/scala/shop/Main.scala:5, certain] (required)
    health: GET /health [src/main/scala/shop/Main.scala:7, likely]
    service: PostgreSQL [build.sbt:11, likely] (org.postgresql:postgresql in build.sbt:11)
    pinned: yes [build.sbt, likely] (build.sbt names each version, and released ones do not change)
    "#);
}

#[test]
fn the_script_is_called_as_the_build_says() {
    let start = |build: &str| run_command(&[("build.sbt", build), PACKAGER, MAIN]);
    assert_eq!(
        start("name := \"shop\"\nenablePlugins(JavaAppPackaging)\n"),
        "./target/universal/stage/bin/shop"
    );
    assert_eq!(
        start(
            "name := \"shop\"\nenablePlugins(JavaAppPackaging)\nexecutableScriptName := \"main\"\n"
        ),
        "./target/universal/stage/bin/main"
    );
    assert_eq!(
        start(
            "val app = \"shop\"\n// name := \"x\"\nlazy val server = project.in(file(\".\")).settings(name := app).enablePlugins(JavaAppPackaging)\n"
        ),
        "./target/universal/stage/bin/shop"
    );
    assert_eq!(
        start("lazy val server = project.in(file(\".\")).enablePlugins(JavaAppPackaging)\n"),
        "./target/universal/stage/bin/server"
    );
}

#[test]
fn the_project_that_is_packed_is_the_program() {
    let found = detected(&[
        (
            "build.sbt",
            "lazy val core = project\n\nlazy val api = (project in file(\"services/api\"))\n  .dependsOn(core)\n  .enablePlugins(JavaAppPackaging)\n",
        ),
        PACKAGER,
        (
            "core/src/main/scala/Tool.scala",
            "object Tool extends App {}",
        ),
        (
            "services/api/src/main/scala/Api.scala",
            "object Api extends App {}",
        ),
    ]);
    assert_eq!(found.build_commands, ["sbt update", "sbt api/stage"]);
    assert_eq!(
        found.run_command.as_deref(),
        Some("./services/api/target/universal/stage/bin/api")
    );
    assert_eq!(found.artifacts, ["services/api/target/universal/stage"]);
    assert_eq!(
        found.entrypoint.as_deref(),
        Some("services/api/src/main/scala/Api.scala")
    );
}

#[test]
fn play_takes_its_port_and_leaves_no_file_behind() {
    let found = detected(&[
        (
            "build.sbt",
            "name := \"shop\"\nlazy val root = (project in file(\".\")).enablePlugins(PlayScala)\n",
        ),
        (
            "project/plugins.sbt",
            "addSbtPlugin(\"org.playframework\" % \"sbt-plugin\" % \"3.0.1\")\n",
        ),
        (
            "app/controllers/Home.scala",
            "package controllers\nclass Home {}\n",
        ),
        (
            "conf/routes",
            "# x\nGET  /up  controllers.Home.up\nGET  /:id  controllers.Home.one(id)\n",
        ),
        (
            "conf/application.conf",
            "play.http.secret.key = ${?APPLICATION_SECRET}\n",
        ),
    ]);
    assert_eq!(found.kind, "play");
    assert_eq!(
        found.run_command.as_deref(),
        Some(
            "./target/universal/stage/bin/shop -Dhttp.port=${PORT:-9000} -Dpidfile.path=/dev/null"
        )
    );
    assert_eq!(found.ports, [9000]);
    assert_eq!(found.health.unwrap().path, "/up");
    assert!(found.env.contains_key("APPLICATION_SECRET"));
}

#[test]
fn what_else_packs_it() {
    let assembly = (
        "project/assembly.sbt",
        "addSbtPlugin(\"com.eed3si9n\" % \"sbt-assembly\" % \"2.1.5\")\n",
    );
    let found = detected(&[
        (
            "build.sbt",
            "name := \"shop\"\nscalaVersion := \"2.13.12\"\nassembly / assemblyJarName := \"shop.jar\"\n",
        ),
        assembly,
        MAIN,
    ]);
    assert_eq!(found.build_commands, ["sbt update", "sbt assembly"]);
    assert_eq!(
        found.run_command.as_deref(),
        Some("java $JAVA_OPTS -jar target/scala-2.13/shop.jar")
    );
    assert_eq!(found.artifacts, ["target/scala-2.13/shop.jar"]);

    let found = detected(&[("build.sbt", "name := \"shop\"\n"), MAIN]);
    assert!(found.build_commands[1].contains("fullClasspathAsJars"));
    assert_eq!(
        found.run_command.as_deref(),
        Some("java $JAVA_OPTS -cp \"target/libs/*\" shop.Main")
    );

    let found = detected(&[("Main.scala", "@main def hello() = println(1)\n")]);
    assert_eq!(
        found.run_command.as_deref(),
        Some("java $JAVA_OPTS -jar app.jar")
    );
}

#[test]
fn an_old_sbt_runs_on_an_old_java() {
    let version = |sbt: &str| {
        let runtime = detected(&[
            ("build.sbt", "name := \"shop\"\n"),
            (
                "project/build.properties",
                &format!("sbt.version = {sbt}\n"),
            ),
            MAIN,
        ])
        .runtime
        .unwrap();
        format!("{} {}", runtime.version, runtime.from.unwrap())
    };
    assert_eq!(version("0.13.18"), "8 project/build.properties:1");
    assert_eq!(version("1.9.7"), "17 assumed");
}

#[test]
fn a_name_in_three_quotes_is_one_as_well() {
    let found = detected(&[
        (
            "build.sbt",
            "name := \"\"\"shop\"\"\"\nlazy val root = (project in file(\".\")).enablePlugins(PlayScala)\n",
        ),
        (
            "project/plugins.sbt",
            "addSbtPlugin(\"org.playframework\" % \"sbt-plugin\" % \"3.0.1\")\n",
        ),
        ("conf/routes", ""),
    ]);
    let command = found.run_command.unwrap();
    assert!(
        command.starts_with("./target/universal/stage/bin/shop "),
        "{command}"
    );
}
