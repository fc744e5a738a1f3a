//! Clojure programs.

use ergon_detect::memory::MemoryTree;
use ergon_manifest::Application;
use insta::assert_snapshot;

use crate::{detected, report};

const MAIN: (&str, &str) = (
    "src/shop/core.clj",
    "(ns shop.core\n  (:gen-class))\n\n(defn -main [& args])\n",
);

fn lein(rest: &str) -> Application {
    detected(&[
        (
            "project.clj",
            &format!("(defproject org.shop/shop \"1.2\"\n  {rest})\n"),
        ),
        MAIN,
    ])
}

#[test]
fn a_leiningen_program_that_serves() {
    let tree = MemoryTree::new([
        (
            "project.clj",
            "(defproject shop \"0.1.0-SNAPSHOT\" ; ours\n  :dependencies [[org.clojure/clojure \"1.11.1\"]\n                 [compojure \"1.7.0\"]\n                 [environ \"1.2.0\"]\n                 #_[com.novemberain/monger \"3.6.0\"]\n                 [org.postgresql/postgresql \"42.7.1\"]]\n  :main ^:skip-aot shop.core\n  :profiles {:uberjar {:aot :all}})\n",
        ),
        (
            "src/shop/core.clj",
            "(ns shop.core\n  (:require [environ.core :refer [env]])\n  (:gen-class))\n\n(defroutes app\n  (GET \"/health\" [] \"ok\"))\n\n(defn -main []\n  (run-jetty app {:port (Integer/parseInt (or (System/getenv \"PORT\") \"4000\"))\n                  :secret (env :api-key)}))\n",
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    shop · a web service in Clojure on Java 17
    language: Clojure [src/shop/core.clj:8, certain]
    framework: Compojure 1.7 [project.clj:3, certain]
    runtime: Java 17 [-, assumed] (nothing in the project says)
    package_manager: Leiningen [project.clj, certain]
    dependencies: 4 libraries [project.clj, certain]
    build_command: lein deps [project.clj, likely] (gets the libraries before the sources are there)
    build_command: lein uberjar [project.clj:7, likely] (makes target/shop-0.1.0-SNAPSHOT-standalone.jar)
    run_command: java $JAVA_OPTS -jar target/*-standalone.jar [project.clj:7, likely] (Leiningen puts all of it into one file)
    port: 4000 [src/shop/core.clj:9, certain] (where PORT is not set)
    environment: PORT [src/shop/core.clj:9, certain] (default "4000")
    environment: API_KEY [src/shop/core.clj:10, certain] (optional)
    health: GET /health [src/shop/core.clj:6, likely]
    service: PostgreSQL [project.clj:6, likely] (org.postgresql:postgresql in project.clj:6)
    pinned: yes [project.clj, likely] (project.clj names each version, and released ones do not change)
    ? Java version? nothing says; 17 assumed. → echo 17 > .java-version
    "#);
}

#[test]
fn leiningen_puts_it_where_the_project_says() {
    let start = |rest: &str| {
        let found = lein(rest);
        format!(
            "{} | {} | {}",
            found.build_commands.join("; "),
            found.run_command.unwrap(),
            found.artifacts.join(" ")
        )
    };
    assert_eq!(
        start(":main shop.core"),
        "lein uberjar | java $JAVA_OPTS -jar target/*-standalone.jar | target/shop-1.2-standalone.jar"
    );
    assert_eq!(
        start(":main shop.core :uberjar-name \"shop.jar\""),
        "lein uberjar | java $JAVA_OPTS -jar target/shop.jar | target/shop.jar"
    );
    assert_eq!(
        start(":main shop.core :target-path \"out/%s/\""),
        "lein uberjar && find out -mindepth 2 -name '*-standalone.jar' -exec mv '{}' out/ ';' | java $JAVA_OPTS -jar out/*-standalone.jar | out/shop-1.2-standalone.jar"
    );
    assert_eq!(
        start(
            ":dependencies [[a/b \"1\"]] :plugins [[lein-ring \"0.12.6\"]] :ring {:handler shop.core/app}"
        ),
        "lein deps; lein ring uberjar | java $JAVA_OPTS -jar target/*-standalone.jar | target/shop-1.2-standalone.jar"
    );
}

#[test]
fn lein_ring_takes_its_port_from_the_environment() {
    let found = lein(":plugins [[lein-ring \"0.12.6\"]] :ring {:handler shop.core/app :port 5000}");
    assert_eq!(found.ports, [5000]);
    assert_eq!(found.env["PORT"].default.as_deref(), Some("5000"));
}

#[test]
fn the_version_is_what_a_file_names() {
    let version = |file: (&str, &str)| {
        let runtime = detected(&[("deps.edn", "{}"), MAIN, file]).runtime.unwrap();
        format!("{} {}", runtime.version, runtime.from.unwrap())
    };
    assert_eq!(version((".jdk-version", "11\n")), "11 .jdk-version:1");
    assert_eq!(version((".jdk-version", "latest")), "21 .jdk-version:1");
    assert_eq!(version(("a", "")), "17 assumed");
}

#[test]
fn tools_build_makes_the_file_that_its_program_names() {
    let found = |file: &str| {
        let build = format!(
            "(ns build (:require [clojure.tools.build.api :as b]))\n(def uber-file {file})\n(defn uber [_] (b/uber {{:uber-file uber-file}}))\n"
        );
        let found = detected(&[
            (
                "deps.edn",
                "{:paths [\"src\"]\n :deps {org.clojure/clojure {:mvn/version \"1.11.1\"}}\n :aliases {:build {:deps {io.github.clojure/tools.build {:git/tag \"v0.9.6\"}} :ns-default build}}}",
            ),
            ("build.clj", &build),
            MAIN,
        ]);
        assert_eq!(
            found.build_commands,
            ["clojure -P", "clojure -T:build uber"]
        );
        format!(
            "{} | {}",
            found.run_command.unwrap(),
            found.artifacts.join(" ")
        )
    };
    assert_eq!(
        found("\"target/shop.jar\""),
        "java $JAVA_OPTS -jar target/shop.jar | target/shop.jar"
    );
    assert_eq!(
        found("(format \"target/%s-%s-standalone.jar\" lib version)"),
        "java $JAVA_OPTS -jar target/*-standalone.jar | target"
    );
}

#[test]
fn without_a_build_it_is_started_with_its_libraries_beside_it() {
    let found = detected(&[
        (
            "deps.edn",
            "{:paths [\"src\" \"resources\"] :aliases {:run {:main-opts [\"-m\" \"shop.core\"]}}}",
        ),
        MAIN,
    ]);
    assert_eq!(
        found.run_command.as_deref(),
        Some("java $JAVA_OPTS -cp \"$(cat classpath)\" clojure.main -m shop.core")
    );
    assert_eq!(found.artifacts, ["src", "resources", "libs", "classpath"]);
}
