//! Java and Kotlin programs.

use ergon_detect::memory::MemoryTree;
use ergon_manifest::Application;
use insta::assert_snapshot;

use crate::{detected, report, run_command};

pub const MAIN: (&str, &str) = (
    "src/main/java/shop/Main.java",
    "package shop;\n\npublic class Main {\n  public static void main(String[] args) {}\n}\n",
);
pub const BOOT: &str = concat!(
    "<parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId>",
    "<version>3.2.1</version><relativePath/></parent>",
);
pub const BOOT_PLUGIN: &str = "<plugin><groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId></plugin>";

pub fn library(name: &str) -> String {
    let mut parts = name.split(':');
    let (group, artifact) = (parts.next().unwrap(), parts.next().unwrap());
    format!(
        "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId></dependency>\n"
    )
}

pub fn pom(rest: &str) -> String {
    format!("<project>\n<artifactId>shop</artifactId>\n<version>1.0</version>\n{rest}\n</project>")
}

pub fn boot(libraries: &[&str]) -> String {
    let libraries: String = libraries.iter().copied().map(library).collect();
    pom(&format!(
        "{BOOT}\n<dependencies>\n{libraries}</dependencies>\n<build><plugins>{BOOT_PLUGIN}</plugins></build>"
    ))
}

pub fn maven(rest: &str) -> Application {
    detected(&[("pom.xml", &pom(rest)), MAIN])
}

pub fn gradle(script: &str) -> Application {
    detected(&[
        ("build.gradle", script),
        ("settings.gradle", "rootProject.name = 'shop'"),
        MAIN,
    ])
}

pub fn version(files: &[(&str, &str)]) -> String {
    let runtime = detected(files).runtime.unwrap();
    format!("{} {}", runtime.version, runtime.from.unwrap())
}

#[test]
fn a_spring_boot_program_with_maven() {
    let tree = MemoryTree::new([
        (
            "pom.xml",
            boot(&[
                "org.springframework.boot:spring-boot-starter-web",
                "org.springframework.boot:spring-boot-starter-actuator",
                "org.postgresql:postgresql",
            ])
            .as_str(),
        ),
        (
            "src/main/java/shop/Shop.java",
            "package shop;\n\n@SpringBootApplication\npublic class Shop {\n  @Value(\"${GREETING:hi}\") String greeting;\n\n  public static void main(String[] args) {\n  }\n}\n",
        ),
        (
            "src/main/resources/application.yml",
            "spring:\n  datasource:\n    url: ${DATABASE_URL}\nserver:\n  port: 9090\n",
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    shop · a web service in Java 17
    language: Java [src/main/java/shop/Shop.java:7, certain]
    framework: Spring Boot 3.2 [pom.xml:4, certain]
    runtime: Java 17 [pom.xml:4, likely] (pom.xml:4 says >=17)
    package_manager: Maven [pom.xml, certain]
    dependencies: 3 libraries [pom.xml, certain]
    build_command: mvn -B dependency:go-offline [pom.xml, likely] (gets the libraries before the sources are there)
    build_command: mvn -B -DskipTests package [pom.xml:10, likely] (makes target/shop-1.0.jar)
    run_command: java -Dserver.port=${PORT:-9090} $JAVA_OPTS -jar target/*.jar [pom.xml:10, likely] (the Spring Boot plugin makes it executable)
    port: 9090 [src/main/resources/application.yml:5, certain] (server.port says so)
    environment: GREETING [src/main/java/shop/Shop.java:5, certain] (default "hi")
    environment: DATABASE_URL [src/main/resources/application.yml:3, certain] (required)
    health: GET /actuator/health [pom.xml:7, likely]
    service: PostgreSQL [pom.xml:8, likely] (org.postgresql:postgresql in pom.xml:8)
    pinned: yes [pom.xml, likely] (pom.xml names each version, and released ones do not change)
    "#);
}

#[test]
fn only_what_serves_takes_a_port() {
    let job = boot(&["org.springframework.boot:spring-boot-starter"]);
    let found = detected(&[("pom.xml", &job), MAIN]);
    assert_eq!(
        found.run_command.unwrap(),
        "java $JAVA_OPTS -jar target/*.jar"
    );
    assert!(found.ports.is_empty());
}

#[test]
fn maven_makes_what_its_plugins_say() {
    let plugin = |name: &str, rest: &str| {
        let found = maven(&format!(
            "<dependencies>{}</dependencies><build><plugins><plugin><artifactId>{name}</artifactId>{rest}</plugin></plugins></build>",
            library("io.javalin:javalin")
        ));
        let mut commands = found.build_commands.into_iter();
        assert_eq!(commands.next().unwrap(), "mvn -B dependency:go-offline");
        format!(
            "{}\n{}\n{}",
            commands.next().unwrap(),
            found.run_command.unwrap(),
            found.artifacts.join(" ")
        )
    };
    assert_eq!(
        plugin("maven-shade-plugin", ""),
        "mvn -B -DskipTests package\njava $JAVA_OPTS -jar target/*.jar\ntarget/shop-1.0.jar"
    );
    assert_eq!(
        plugin(
            "maven-shade-plugin",
            "<configuration><finalName>app</finalName></configuration>"
        ),
        "mvn -B -DskipTests package\njava $JAVA_OPTS -jar target/app.jar\ntarget/app.jar"
    );
    assert_eq!(
        plugin(
            "maven-assembly-plugin",
            "<configuration><descriptorRefs><descriptorRef>jar-with-dependencies</descriptorRef></descriptorRefs></configuration><executions><execution><goals><goal>single</goal></goals></execution></executions>"
        ),
        "mvn -B -DskipTests package\njava $JAVA_OPTS -jar target/*-jar-with-dependencies.jar\ntarget/shop-1.0-jar-with-dependencies.jar"
    );
    assert_eq!(
        plugin("quarkus-maven-plugin", ""),
        "mvn -B -DskipTests package\njava $JAVA_OPTS -jar target/quarkus-app/quarkus-run.jar\ntarget/quarkus-app"
    );
    // Nothing puts the library into the file, so that it does not start alone.
    assert_eq!(
        plugin(
            "maven-jar-plugin",
            "<configuration><archive><manifest><mainClass>shop.Main</mainClass></manifest></archive></configuration>"
        ),
        "mvn -B -DskipTests package dependency:copy-dependencies -DincludeScope=runtime\n\
         java $JAVA_OPTS -cp \"target/classes:target/dependency/*\" shop.Main\ntarget/classes target/dependency"
    );
}

#[test]
fn a_war_file_gets_a_server() {
    let found = maven(&format!(
        "<packaging>war</packaging><dependencies>{}</dependencies>",
        library("jakarta.servlet:jakarta.servlet-api")
    ));
    assert!(
        found.build_commands[1].contains("webapp-runner:10."),
        "{:?}",
        found.build_commands
    );
    assert_eq!(
        found.run_command.unwrap(),
        "java $JAVA_OPTS -jar target/dependency/webapp-runner.jar --port ${PORT:-8080} target/*.war"
    );
    assert_eq!(found.ports, [8080]);
}

#[test]
fn the_version_is_what_a_file_names_or_the_compiler_is_told() {
    let properties = |text: &str| pom(&format!("<properties>{text}</properties>"));
    let with = |text: &str, file: (&str, &str)| version(&[("pom.xml", &properties(text)), file]);
    let none = ("a", "");
    assert_eq!(
        with("<java.version>1.8</java.version>", none),
        "8 pom.xml:4"
    );
    assert_eq!(
        with("<maven.compiler.release>21</maven.compiler.release>", none),
        "21 pom.xml:4"
    );
    assert_eq!(
        with(
            "<jdk>11</jdk><maven.compiler.target>${jdk}</maven.compiler.target>",
            none
        ),
        "11 pom.xml:4"
    );
    let eleven = "<java.version>11</java.version>";
    for (file, said) in [
        ((".java-version", "17.0.9\n"), "17.0.9 .java-version:1"),
        (
            (".sdkmanrc", "# x\njava=21.0.1-tem\n"),
            "21.0.1 .sdkmanrc:2",
        ),
        (
            (".tool-versions", "java temurin-17.0.9+9\n"),
            "17.0.9 .tool-versions:1",
        ),
        (("mise.toml", "[tools]\njava = \"21\"\n"), "21 mise.toml:2"),
        (
            ("system.properties", "java.runtime.version=17"),
            "17 system.properties:1",
        ),
        // Java 8 could not compile it.
        (
            ("system.properties", "java.runtime.version=1.8"),
            "11 pom.xml:4",
        ),
    ] {
        assert_eq!(with(eleven, file), said);
    }
    assert_eq!(
        version(&[
            (
                "pom.xml",
                &pom(
                    "<build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId><configuration><source>16</source>\n<release>17</release></configuration></plugin></plugins></build>"
                )
            ),
            MAIN
        ]),
        "17 pom.xml:5"
    );
    assert_eq!(version(&[("pom.xml", &pom(BOOT)), MAIN]), "17 pom.xml:4");
    assert_eq!(
        version(&[("pom.xml", &pom(&BOOT.replace("3.2.1", "2.7.0"))), MAIN]),
        "8 pom.xml:4"
    );
    assert_eq!(version(&[("pom.xml", &pom("")), MAIN]), "17 assumed");
}

#[test]
fn gradle_says_the_version_in_many_ways() {
    let said = |script: &str| version(&[("build.gradle.kts", script), MAIN]);
    for script in [
        "java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }",
        "java { toolchain { languageVersion.set(JavaLanguageVersion.of(\"21\")) } }",
        "kotlin { jvmToolchain(21) }",
        "java.sourceCompatibility = JavaVersion.VERSION_21",
        "sourceCompatibility = '21'",
        "sourceCompatibility '21'",
        "tasks.withType<JavaCompile> { options.release.set(21) }",
        "val java = 21; kotlinOptions { jvmTarget = \"21\" }",
        "// sourceCompatibility = 8\ntargetCompatibility = 21",
    ] {
        assert!(said(script).starts_with("21 build.gradle.kts:"), "{script}");
    }
    assert_eq!(
        version(&[
            ("build.gradle", "sourceCompatibility = javaVersion\n"),
            ("gradle.properties", "a=b\njavaVersion=11\n"),
            MAIN
        ]),
        "11 gradle.properties:2"
    );
    assert_eq!(
        version(&[
            ("build.gradle", "def jdk = 11\nsourceCompatibility = jdk\n"),
            MAIN
        ]),
        "11 build.gradle:1"
    );
    assert_eq!(
        version(&[
            (
                "build.gradle.kts",
                "kotlin { jvmToolchain(libs.versions.java.get().toInt()) }"
            ),
            ("gradle/libs.versions.toml", "[versions]\njava = \"21\"\n"),
            MAIN
        ]),
        "21 gradle/libs.versions.toml:2"
    );
    assert_eq!(
        said("plugins { id(\"org.springframework.boot\") version \"3.1.0\" }"),
        "17 build.gradle.kts:1"
    );
}

#[test]
fn the_wrapper_of_gradle_runs_on_some_versions_only() {
    let said = |gradle: &str, script: &str| {
        version(&[
            ("build.gradle", script),
            (
                "gradle/wrapper/gradle-wrapper.properties",
                &format!(
                    "distributionUrl=https\\://services.gradle.org/distributions/gradle-{gradle}-bin.zip"
                ),
            ),
            MAIN,
        ])
    };
    let from = "gradle/wrapper/gradle-wrapper.properties:1";
    assert_eq!(said("4.10.2", ""), format!("8 {from}"));
    assert_eq!(said("6.7.1", ""), format!("11 {from}"));
    assert_eq!(said("8.5", ""), "17 assumed");
    assert_eq!(
        said("6.7.1", "sourceCompatibility = 1.8"),
        "8 build.gradle:1"
    );
    assert_eq!(
        said("9.0.0", "sourceCompatibility = 11"),
        format!("17 {from}")
    );
}

#[test]
fn gradle_makes_one_file_or_a_script() {
    let start = |script: &str| {
        let found = gradle(script);
        format!(
            "{} | {}",
            found.build_commands.join(" "),
            found.run_command.unwrap()
        )
    };
    assert_eq!(
        start(
            "plugins {\n  id 'org.springframework.boot' version '2.7.1'\n}\ndependencies { implementation 'org.springframework.boot:spring-boot-starter-web' }"
        ),
        "gradle bootJar | java -Dserver.port=${PORT:-8080} $JAVA_OPTS -jar build/libs/*.jar"
    );
    assert_eq!(
        start("plugins { id 'application'\n id 'com.gradleup.shadow' version '8.3.0' }"),
        "gradle shadowJar | java $JAVA_OPTS -jar build/libs/*-all.jar"
    );
    assert_eq!(
        start("plugins { id 'io.ktor.plugin' version '2.3.0' }"),
        "gradle buildFatJar | java $JAVA_OPTS -jar build/libs/*-all.jar"
    );
    assert_eq!(
        start(
            "plugins {\n  application\n}\napplication { mainClass = 'shop.Main' }\ndependencies { implementation 'a:b:1' }"
        ),
        "gradle installDist | ./build/install/shop/bin/shop"
    );
    assert_eq!(
        start("apply plugin: 'java'\njar { manifest { attributes 'Main-Class': 'shop.Main' } }"),
        "gradle jar | java $JAVA_OPTS -jar build/libs/*.jar"
    );
    assert_eq!(
        start(
            "apply plugin: 'java'\ntask fatJar(type: Jar) {\n  manifest { attributes 'Main-Class': 'shop.Main' }\n  from { configurations.runtimeClasspath.collect { zipTree(it) } }\n}"
        ),
        "gradle fatJar | java $JAVA_OPTS -jar build/libs/*.jar"
    );
    assert_eq!(
        start("plugins { id 'io.quarkus' }"),
        "gradle quarkusBuild | java $JAVA_OPTS -jar build/quarkus-app/quarkus-run.jar"
    );
}

#[test]
fn a_wrapper_is_used_where_all_of_it_is_there() {
    let mut files = vec![
        ("build.gradle", "plugins { id 'application' }"),
        ("gradlew", ""),
        MAIN,
    ];
    assert_eq!(detected(&files).build_commands, ["gradle installDist"]);
    files.push(("gradle/wrapper/gradle-wrapper.jar", ""));
    assert_eq!(
        detected(&files).build_commands,
        ["sh ./gradlew installDist"]
    );
    assert_eq!(run_command(&files), "./build/install/app/bin/app");

    let pom = pom("");
    let files = [
        ("pom.xml", pom.as_str()),
        ("mvnw", ""),
        (".mvn/wrapper/maven-wrapper.properties", ""),
        MAIN,
    ];
    assert_eq!(
        detected(&files).build_commands,
        ["sh ./mvnw -B -DskipTests package"]
    );
}

#[test]
fn a_kotlin_program_with_a_version_catalog() {
    let tree = MemoryTree::new([
        (
            "build.gradle.kts",
            "plugins {\n  alias(libs.plugins.ktor)\n  application\n}\n\ndependencies {\n  implementation(libs.ktor.server.netty)\n  testImplementation(\"io.lettuce:lettuce-core:6\")\n}\n",
        ),
        ("settings.gradle.kts", "rootProject.name = \"Chat\"\n"),
        (
            "gradle/libs.versions.toml",
            "[versions]\nktor = \"2.3.7\"\n\n[plugins]\nktor = { id = \"io.ktor.plugin\", version.ref = \"ktor\" }\n\n[libraries]\nktor-server-netty = { module = \"io.ktor:ktor-server-netty\", version.ref = \"ktor\" }\n",
        ),
        (
            "src/main/kotlin/Application.kt",
            "package chat\n\nfun main() {\n  embeddedServer(Netty, port = System.getenv(\"PORT\")?.toInt() ?: 8081) {\n    routing { get(\"/health\") { call.respondText(\"ok\") } }\n  }.start(wait = true)\n}\n",
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    chat · a web service in Kotlin on Java 17
    language: Kotlin [src/main/kotlin/Application.kt:3, certain]
    framework: Ktor 2.3 [build.gradle.kts:2, certain]
    runtime: Java 17 [-, assumed] (nothing in the project says)
    package_manager: Gradle [build.gradle.kts, certain]
    dependencies: 1 library [build.gradle.kts, certain]
    build_command: gradle buildFatJar [build.gradle.kts:2, likely] (makes build/libs)
    run_command: java $JAVA_OPTS -jar build/libs/*-all.jar [build.gradle.kts:2, likely] (Ktor's plugin puts all of it into one file)
    port: 8081 [src/main/kotlin/Application.kt:4, certain] (where PORT is not set)
    environment: PORT [src/main/kotlin/Application.kt:4, certain] (default "8081")
    health: GET /health [src/main/kotlin/Application.kt:5, likely]
    pinned: yes [build.gradle.kts, likely] (build.gradle.kts names each version, and released ones do not change)
    ? Java version? nothing says; 17 assumed. → echo 17 > .java-version
    "#);
}

#[test]
fn a_module_is_built_with_what_it_needs_of_the_others() {
    let root = "<project><artifactId>all</artifactId><version>1</version><packaging>pom</packaging><modules><module>core</module><module>web</module></modules><properties><java.version>21</java.version></properties></project>";
    let parent =
        "<parent><groupId>x</groupId><artifactId>all</artifactId><version>1</version></parent>";
    let core = format!("<project><artifactId>core</artifactId>{parent}</project>");
    let web = format!(
        "<project><artifactId>web</artifactId>{parent}<build><plugins>{BOOT_PLUGIN}</plugins></build></project>"
    );
    let found = detected(&[
        ("pom.xml", root),
        ("core/pom.xml", &core),
        (
            "core/src/main/java/Tool.java",
            "class Tool { public static void main(String[] a) {} }",
        ),
        ("web/pom.xml", &web),
        (
            "web/src/main/java/App.java",
            "@SpringBootApplication class App { public static void main(String[] a) {} }",
        ),
    ]);
    assert_eq!(found.path.as_deref(), Some("web"));
    assert_eq!(
        found.build_commands,
        ["mvn -B -f .. -pl web -am -DskipTests package"]
    );
    assert_eq!(found.artifacts, ["target/web-1.jar"]);
    assert_eq!(found.runtime.unwrap().from.as_deref(), Some("pom.xml:1"));
}

#[test]
fn a_gradle_build_of_several_projects() {
    let found = detected(&[
        (
            "settings.gradle",
            "rootProject.name = 'shop'\ninclude 'app', 'lib'",
        ),
        ("gradlew", ""),
        ("gradle/wrapper/gradle-wrapper.jar", ""),
        (
            "buildSrc/src/main/groovy/shop.application-conventions.gradle",
            "plugins {\n  id 'application'\n}\njava { toolchain { languageVersion = JavaLanguageVersion.of(21) } }\n",
        ),
        (
            "app/build.gradle",
            "plugins { id 'shop.application-conventions' }\napplication { mainClass = 'App' }\n",
        ),
        (
            "app/src/main/java/App.java",
            "class App { public static void main(String[] a) {} }",
        ),
        ("lib/build.gradle", "plugins { id 'java-library' }"),
        ("lib/src/main/java/Lib.java", "class Lib {}"),
    ]);
    assert_eq!(found.path.as_deref(), Some("app"));
    assert_eq!(found.build_commands, ["sh ../gradlew installDist"]);
    assert_eq!(
        found.run_command.as_deref(),
        Some("./build/install/app/bin/app")
    );
    assert_eq!(found.runtime.unwrap().version, "21");
}

#[test]
fn the_health_path_is_what_the_framework_has_or_a_route() {
    let path = |found: Application| found.health.map(|health| health.path);
    let web = "org.springframework.boot:spring-boot-starter-web";
    let with = |libraries: &[&str], code: &str, settings: &str| {
        path(detected(&[
            ("pom.xml", &boot(libraries)),
            MAIN,
            ("src/main/java/shop/Web.java", code),
            ("src/main/resources/application.properties", settings),
        ]))
    };
    let actuator = "org.springframework.boot:spring-boot-starter-actuator";
    assert_eq!(
        with(&[web, actuator], "", "").as_deref(),
        Some("/actuator/health")
    );
    assert_eq!(
        with(&[web, actuator], "", "server.servlet.context-path=/shop").as_deref(),
        Some("/shop/actuator/health")
    );
    let code = "@RequestMapping(\"/api\")\npublic class Web {\n  @PostMapping(\"/health\") void x() {}\n  @GetMapping(\"/health\")\n  String health() {}\n}";
    assert_eq!(with(&[web], code, "").as_deref(), Some("/api/health"));
    let code = "public class Web {\n  @RequestMapping(value = \"/ping\", method = RequestMethod.GET)\n  String ping() {}\n}";
    assert_eq!(with(&[web], code, "").as_deref(), Some("/ping"));
    let code = "@Path(\"/status\")\npublic class Web {\n  @GET\n  @Produces(\"text/plain\")\n  public String get() {}\n}";
    assert_eq!(with(&[web], code, "").as_deref(), Some("/status"));
    let code = "public class Web {\n  void x(Javalin app) { app.get(\"/healthz\", ctx -> {}); }\n}";
    assert_eq!(with(&[web], code, "").as_deref(), Some("/healthz"));
}

#[test]
fn sources_that_are_packed_along_are_not_started() {
    let pom = concat!(
        "<project><artifactId>shop</artifactId><build><plugins>",
        "<plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin>",
        "<plugin><artifactId>maven-source-plugin</artifactId></plugin>",
        "</plugins></build></project>",
    );
    let shop = detected(&[("pom.xml", pom)]);
    let build = shop.build_commands.last().unwrap();
    assert!(
        build.ends_with("package && rm -f target/*-sources.jar target/*-javadoc.jar"),
        "{build}"
    );
}
