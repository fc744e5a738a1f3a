//! What Java programs read, and whatever else is thrown at the readers.

use ergon_detect::memory::MemoryTree;
use ergon_detect::tree::FileTree;
use proptest::prelude::*;

use crate::java::{MAIN, boot, maven, pom};
use crate::{application, detected};

#[test]
fn variables_and_ports_are_read_from_code() {
    let code = "package shop;\nclass Main {\n  public static void main(String[] args) {\n    String a = System.getenv(\"A\");\n    String b = System.getenv().getOrDefault(\"B\", \"two\");\n    int port = System.getenv(\"PORT\") != null ? Integer.parseInt(System.getenv(\"PORT\")) : 4000;\n    String c = Optional.ofNullable(System.getenv(\"C\"))\n      .orElse(\"three\");\n    HttpServer.create(new InetSocketAddress(port), 0);\n  }\n}\n";
    let found = detected(&[
        ("pom.xml", &pom("")),
        ("src/main/java/shop/Main.java", code),
    ]);
    let defaults: Vec<_> = found
        .env
        .iter()
        .map(|(name, variable)| format!("{name}={}", variable.default.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(defaults, ["A=-", "B=two", "C=three", "PORT=4000"]);
    assert_eq!(found.ports, [4000]);
    assert_eq!(found.build_commands, ["mvn -B -DskipTests package"]);
    assert_eq!(
        found.run_command.unwrap(),
        "java $JAVA_OPTS -cp target/classes shop.Main"
    );
}

#[test]
fn files_without_a_build_are_compiled() {
    let found = detected(&[(
        "Hello.java",
        "public class Hello { public static void main(String[] a) {} }",
    )]);
    assert_eq!(found.build_commands, ["javac -d out ./*.java"]);
    assert_eq!(found.run_command.unwrap(), "java $JAVA_OPTS -cp out Hello");
}

#[test]
fn a_parent_that_needs_itself_and_a_property_that_is_itself_end() {
    let tree = MemoryTree::new([
        (
            "pom.xml",
            "<project><artifactId>a</artifactId><version>${v}</version><parent><groupId>g</groupId><artifactId>a</artifactId><relativePath>pom.xml</relativePath></parent><properties><v>${v}</v></properties></project>",
        ),
        MAIN,
    ]);
    let analysis = ergon_detect::analyse(&tree);
    assert_eq!(application(&analysis).language, "java");
}

/// Files of every build tool, all of them in one tree, each cut off somewhere.
fn cut(at: usize, more: &str) -> MemoryTree {
    let files = [
        ("pom.xml", boot(&["a:b"])),
        ("build.gradle", "plugins { id 'application' version \"${v}\" }\ndef v = '1'\njar { manifest { attributes 'Main-Class': 'é' } }\nshadowJar { archiveClassifier = '' }\nsourceCompatibility = v\n".to_owned()),
        ("settings.gradle", "rootProject.name = 'é'\ninclude 'a'".to_owned()),
        ("gradle.properties", "v=é".to_owned()),
        ("gradle/libs.versions.toml", "[versions]\na = \"é\"".to_owned()),
        ("system.properties", "java.runtime.version=1.é".to_owned()),
        ("build.sbt", "lazy val é = (project in file(\"é\")).settings(name := \"é\", libraryDependencies += \"a\" %% \"b\" % \"1\")".to_owned()),
        ("project/plugins.sbt", "addSbtPlugin(\"com.github.sbt\" % \"sbt-native-packager\" % \"1\")".to_owned()),
        ("project.clj", "(defproject é \"1\" :main ^:x é.core :target-path \"é/%s\" \\é)".to_owned()),
        ("deps.edn", "{:deps {é/é {:mvn/version \"é\"}}}".to_owned()),
        ("build.clj", "(defn uber [_] \"é/%s.jar\")".to_owned()),
        ("src/main/resources/application.yml", "é:\n  é: ${É:é}\nserver:\n - port: ${PORT:-é}".to_owned()),
        ("src/main/resources/application.conf", "é { é = ${?PORT}".to_owned()),
        ("src/A.java", "package é; @RequestMapping(\"/é\") class A { static void main(String[] é) { System.getenv(\"é\") ? \"é\" : \"é\"; } @GetMapping(\"/é\") @GET".to_owned()),
        ("src/b.kt", "fun main() { System.getenv(\"É\") ?: \"é\" }".to_owned()),
        ("src/c.scala", "@main def é = sys.env.getOrElse(\"É\", \"é\"); case GET -> Root / \"é\" =>".to_owned()),
        ("src/d.clj", "(ns é) (defn -main [] (or (System/getenv \"É\") \"é\") (env :é é) (GET \"/é\" []))".to_owned()),
    ];
    MemoryTree::new(files.into_iter().map(|(path, text)| {
        let end = text
            .char_indices()
            .map(|(index, _)| index)
            .take_while(|index| *index <= at)
            .last()
            .unwrap_or(0);
        (path, format!("{}{more}", &text[..end]))
    }))
}

#[test]
fn what_leads_out_of_the_program_is_not_taken_along() {
    let found = detected(&[
        (
            "build.sbt",
            "lazy val api = (project in file(\"../api\")).enablePlugins(JavaAppPackaging)",
        ),
        (
            "project/plugins.sbt",
            "addSbtPlugin(\"com.github.sbt\" % \"sbt-native-packager\" % \"1\")",
        ),
        ("src/A.scala", "object A extends App"),
    ]);
    assert!(found.artifacts.is_empty());
    let class = "a\u{1}b";
    let found = maven(&format!(
        "<properties><exec.mainClass>{class}</exec.mainClass></properties>"
    ));
    assert_eq!(found.run_command, None);
}

proptest! {
    #[test]
    fn whatever_the_files_say_the_manifest_is_one(at in 0usize..400, more in "[ -~é\n${}()\"']{0,12}") {
        let tree = cut(at, &more);
        let valid = |tree: &MemoryTree| {
            let manifest = ergon_detect::analyse(tree).manifest;
            let checked = ergon_manifest::check(&ergon_manifest::to_pretty_json(&manifest));
            prop_assert!(manifest.applications.is_empty() || checked.is_ok(), "{checked:?}");
            Ok(())
        };
        valid(&tree)?;
        // Each tool alone as well: where there are several, only one is followed to the end.
        for kept in ["pom.xml", "build.gradle", "build.sbt", "project.clj", "deps.edn"] {
            let others = ["pom.xml", "build.gradle", "build.sbt", "project.clj", "deps.edn"];
            let files = ["settings.gradle", "gradle.properties", "gradle/libs.versions.toml", "system.properties", "project/plugins.sbt", "build.clj", "src/main/resources/application.yml", "src/main/resources/application.conf", "src/A.java", "src/b.kt", "src/c.scala", "src/d.clj"];
            let names = files.into_iter().chain(others.into_iter().filter(|name| *name == kept));
            let alone = MemoryTree::new(names.map(|name| (name, tree.read(name).unwrap())));
            valid(&alone)?;
        }
    }
}

#[test]
fn plugins_may_stand_on_one_line() {
    let found = detected(&[
        ("settings.gradle.kts", "rootProject.name = \"shop\"\n"),
        (
            "build.gradle.kts",
            "plugins { kotlin(\"jvm\") version \"1.9.22\"; application }\napplication { mainClass.set(\"MainKt\") }\n",
        ),
        ("src/main/kotlin/Main.kt", "fun main() {}\n"),
    ]);
    assert_eq!(
        found.run_command.as_deref(),
        Some("./build/install/shop/bin/shop")
    );
}

#[test]
fn a_lone_file_of_kotlin_is_compiled_as_it_is() {
    let found = detected(&[("main.kt", "fun main() {\n    println(1)\n}\n")]);
    assert_eq!(found.language, "kotlin");
    assert_eq!(
        found.run_command.as_deref(),
        Some("java $JAVA_OPTS -cp app.jar MainKt")
    );
    assert_eq!(found.artifacts, ["app.jar"]);
    let tree = MemoryTree::new([("Part.kt", "class Part\n")]);
    assert!(
        ergon_detect::analyse(&tree)
            .manifest
            .applications
            .is_empty()
    );
}
