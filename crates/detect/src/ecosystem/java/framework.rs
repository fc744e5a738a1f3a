//! Frameworks of the Java virtual machine, by what a build depends on.

use super::build::Build;
use crate::ecosystem::Claim;

/// A framework, and what a program of it does where nothing is said.
pub struct Framework {
    pub kind: &'static str,
    pub label: &'static str,
    /// `group:artifact`, or the beginning of it; plugins stand for themselves.
    packages: &'static [&'static str],
    /// The port that it takes by itself; none where the program always names one.
    pub port: Option<u16>,
    /// The settings that hold the port.
    pub port_settings: &'static [&'static str],
    /// What has it answer how it is, and the path.
    health: &'static [(&'static str, &'static str)],
}

const NONE: Framework = Framework {
    kind: "",
    label: "",
    packages: &[],
    port: None,
    port_settings: &[],
    health: &[],
};

/// Those that bring another one along stand before it.
const FRAMEWORKS: [Framework; 31] = [
    Framework {
        kind: "spring-boot",
        label: "Spring Boot",
        packages: &["org.springframework.boot"],
        port: Some(8080),
        port_settings: &["server.port"],
        // Its version and settings decide the path.
        health: &[],
    },
    Framework {
        kind: "quarkus",
        label: "Quarkus",
        packages: &["io.quarkus"],
        port: Some(8080),
        port_settings: &["%prod.quarkus.http.port", "quarkus.http.port"],
        health: &[("io.quarkus:quarkus-smallrye-health", "/q/health")],
    },
    Framework {
        kind: "micronaut",
        label: "Micronaut",
        packages: &["io.micronaut"],
        port: Some(8080),
        port_settings: &["micronaut.server.port"],
        health: &[("io.micronaut:micronaut-management", "/health")],
    },
    Framework {
        kind: "helidon",
        label: "Helidon",
        packages: &["io.helidon"],
        port: Some(8080),
        port_settings: &["server.port"],
        health: &[],
    },
    Framework {
        kind: "grails",
        label: "Grails",
        packages: &["org.grails"],
        port: Some(8080),
        port_settings: &["server.port"],
        health: &[],
    },
    Framework {
        kind: "dropwizard",
        label: "Dropwizard",
        packages: &["io.dropwizard:dropwizard-core"],
        port: Some(8080),
        port_settings: &[
            "server.applicationConnectors.port",
            "server.connector.port",
            "server.port",
        ],
        health: &[],
    },
    Framework {
        kind: "ktor",
        label: "Ktor",
        packages: &["io.ktor:ktor-server", "io.ktor.plugin"],
        port: Some(8080),
        port_settings: &["ktor.deployment.port"],
        health: &[],
    },
    Framework {
        kind: "javalin",
        label: "Javalin",
        packages: &["io.javalin"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "spark",
        label: "Spark",
        packages: &["com.sparkjava:spark"],
        port: Some(4567),
        ..NONE
    },
    Framework {
        kind: "http4k",
        label: "http4k",
        packages: &["org.http4k:http4k-server", "org.http4k:http4k-core"],
        port: Some(8000),
        ..NONE
    },
    Framework {
        kind: "ratpack",
        label: "Ratpack",
        packages: &["io.ratpack"],
        port: Some(5050),
        ..NONE
    },
    Framework {
        kind: "jooby",
        label: "Jooby",
        packages: &["io.jooby"],
        port: Some(8080),
        port_settings: &["server.port"],
        health: &[],
    },
    Framework {
        kind: "vertx",
        label: "Vert.x",
        packages: &[
            "io.vertx:vertx-web",
            "io.vertx:vertx-core",
            "io.vertx:vertx-stack",
            "io.vertx.vertx-plugin",
        ],
        ..NONE
    },
    Framework {
        kind: "play",
        label: "Play",
        packages: &[
            "com.typesafe.play:play",
            "org.playframework:play",
            "com.typesafe.play:sbt-plugin",
            "org.playframework:sbt-plugin",
        ],
        port: Some(9000),
        port_settings: &["play.server.http.port", "http.port"],
        health: &[],
    },
    Framework {
        kind: "http4s",
        label: "http4s",
        packages: &["org.http4s:http4s"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "tapir",
        label: "Tapir",
        packages: &["com.softwaremill.sttp.tapir:tapir"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "zio-http",
        label: "ZIO HTTP",
        packages: &["dev.zio:zio-http", "io.d11:zhttp"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "akka-http",
        label: "Akka HTTP",
        packages: &["com.typesafe.akka:akka-http"],
        ..NONE
    },
    Framework {
        kind: "pekko-http",
        label: "Pekko HTTP",
        packages: &["org.apache.pekko:pekko-http"],
        ..NONE
    },
    Framework {
        kind: "cask",
        label: "Cask",
        packages: &["com.lihaoyi:cask"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "scalatra",
        label: "Scalatra",
        packages: &["org.scalatra:scalatra"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "finatra",
        label: "Finatra",
        packages: &["com.twitter:finatra"],
        port: Some(8888),
        ..NONE
    },
    Framework {
        kind: "luminus",
        label: "Luminus",
        packages: &["luminus-"],
        port: Some(3000),
        ..NONE
    },
    Framework {
        kind: "pedestal",
        label: "Pedestal",
        packages: &["io.pedestal:pedestal"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "compojure",
        label: "Compojure",
        packages: &["compojure"],
        port: Some(3000),
        ..NONE
    },
    Framework {
        kind: "reitit",
        label: "Reitit",
        packages: &["metosin:reitit"],
        port: Some(3000),
        ..NONE
    },
    Framework {
        kind: "ring",
        label: "Ring",
        packages: &[
            "ring:ring-jetty-adapter",
            "ring:ring-core",
            "ring:ring",
            "http-kit",
            "info.sunng:ring-jetty9-adapter",
        ],
        port: Some(3000),
        ..NONE
    },
    Framework {
        kind: "armeria",
        label: "Armeria",
        packages: &["com.linecorp.armeria:armeria"],
        ..NONE
    },
    Framework {
        kind: "undertow",
        label: "Undertow",
        packages: &["io.undertow:undertow-core"],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "jetty",
        label: "Jetty",
        packages: &[
            "org.eclipse.jetty:jetty-server",
            "org.eclipse.jetty:jetty-servlet",
            "org.eclipse.jetty.ee10:jetty-ee10-servlet",
        ],
        port: Some(8080),
        ..NONE
    },
    Framework {
        kind: "tomcat",
        label: "Tomcat",
        packages: &["org.apache.tomcat.embed:tomcat-embed-core"],
        port: Some(8080),
        ..NONE
    },
];

/// A framework that a build uses, its version as far as one is written down, and where.
pub struct Used {
    pub framework: &'static Framework,
    pub version: Option<String>,
    pub from: String,
}

/// The framework of a build.
pub fn of(build: &Build) -> Option<Used> {
    FRAMEWORKS.iter().find_map(|framework| {
        let matching: Vec<_> = build
            .uses()
            .filter(|used| {
                framework
                    .packages
                    .iter()
                    .any(|package| used.name.starts_with(package))
            })
            .collect();
        let first = matching.first()?;
        let versioned = matching.iter().find(|used| used.version.is_some());
        Some(Used {
            framework,
            version: versioned.and_then(|used| used.version.clone()),
            from: versioned.unwrap_or(first).from.clone(),
        })
    })
}

impl Used {
    pub fn is_spring_boot(&self) -> bool {
        matches!(self.framework.kind, "spring-boot" | "grails")
    }

    /// The first number of its version.
    pub fn major(&self) -> Option<u32> {
        self.version.as_deref()?.split('.').next()?.parse().ok()
    }

    /// What its own version runs on at least, where that is more than usual.
    pub fn least_java(&self) -> Option<Claim> {
        let least = match (self.framework.kind, self.major()?) {
            ("helidon", 4..) => "21",
            ("spring-boot" | "helidon" | "quarkus" | "micronaut", 3..) => "17",
            _ => return None,
        };
        Some(Claim::range(format!(">={least}"), least, &self.from))
    }

    /// `Spring Boot 3.1`
    pub fn label(&self) -> String {
        let version = self.version.as_deref().map(|version| {
            let numbers: Vec<_> = version.splitn(3, '.').take(2).collect();
            format!(" {}", numbers.join("."))
        });
        format!("{}{}", self.framework.label, version.unwrap_or_default())
    }

    /// What makes a web service of it, where the framework alone does not; none for a program without.
    pub fn serves(&self, build: &Build) -> bool {
        const WEB: [&str; 13] = [
            "spring-boot-starter-web",
            "spring-boot-starter-jersey",
            "spring-boot-starter-jetty",
            "spring-boot-starter-undertow",
            "spring-boot-starter-graphql",
            "spring-boot-starter-data-rest",
            "spring-boot-starter-hateoas",
            "spring-boot-starter-thymeleaf",
            "spring-boot-starter-reactor-netty",
            "spring-cloud-starter-gateway",
            "spring-cloud-starter-netflix-eureka-server",
            "spring-cloud-config-server",
            "spring-boot-admin-starter-server",
        ];
        match self.framework.kind {
            "spring-boot" => build.uses().any(|used| {
                let artifact = used.name.split(':').nth(1).unwrap_or("");
                // What is for tests, or asks others, serves nothing.
                WEB.iter().any(|web| artifact.starts_with(web)) && !artifact.ends_with("client")
            }),
            "quarkus" => build.uses().any(|used| {
                let web = [
                    "rest",
                    "resteasy",
                    "vertx-http",
                    "undertow",
                    "reactive-routes",
                    "smallrye-graphql",
                    "smallrye-health",
                    "qute",
                ];
                used.name
                    .strip_prefix("io.quarkus:quarkus-")
                    .is_some_and(|name| {
                        web.iter().any(|web| name.starts_with(web)) && !name.contains("client")
                    })
            }),
            // Which server it is stands in its plugin's settings; a program for a terminal has Picocli.
            "micronaut" => !build.uses().any(|used| used.name.contains("picocli")),
            "vertx" => build.uses().any(|used| {
                used.name.starts_with("io.vertx:vertx-web") && !used.name.contains("client")
            }),
            _ => true,
        }
    }

    /// The path at which it says how it is, and where it is told to.
    pub fn health(&self, build: &Build) -> Option<(&'static str, String)> {
        if self.is_spring_boot() {
            let actuator = build.uses().find(|used| {
                used.name == "org.springframework.boot:spring-boot-starter-actuator"
            })?;
            let path = if self.major() == Some(1) {
                "/health"
            } else {
                "/actuator/health"
            };
            return Some((path, actuator.from.clone()));
        }
        self.framework.health.iter().find_map(|(package, path)| {
            let used = build.uses().find(|used| used.name == *package)?;
            Some((*path, used.from.clone()))
        })
    }
}
