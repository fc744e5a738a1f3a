//! What crates need of the system: libraries, and what builds them.

use super::lock::Lock;
use super::package::Dependency;
use crate::analysis::Topic;
use crate::ecosystem::Report;

/// A crate that stands for a library of the system, and its Debian packages.
struct Native {
    name: &'static str,
    /// A crate that it is built with where it brings the library itself.
    brought_by: &'static str,
    builds: &'static [&'static str],
    runs: &'static [&'static str],
}

impl Native {
    const fn new(
        name: &'static str,
        builds: &'static [&'static str],
        runs: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            brought_by: "",
            builds,
            runs,
        }
    }

    const fn unless(self, brought_by: &'static str) -> Self {
        Self { brought_by, ..self }
    }
}

const NATIVES: [Native; 15] = [
    Native::new(
        "openssl-sys",
        &["libssl-dev", "pkg-config"],
        &["ca-certificates", "libssl3"],
    )
    .unless("openssl-src"),
    Native::new("openssl-src", &["make", "perl"], &["ca-certificates"]),
    Native::new("rustls-native-certs", &[], &["ca-certificates"]),
    Native::new("rustls-platform-verifier", &[], &["ca-certificates"]),
    Native::new("pq-sys", &["libpq-dev"], &["libpq5"]).unless("pq-src"),
    Native::new(
        "mysqlclient-sys",
        &["default-libmysqlclient-dev", "pkg-config"],
        &["libmariadb3"],
    )
    .unless("mysqlclient-src"),
    Native::new(
        "libsqlite3-sys",
        &["libsqlite3-dev", "pkg-config"],
        &["libsqlite3-0"],
    )
    .unless("cc"),
    Native::new("rdkafka-sys", &["g++", "make"], &[]),
    Native::new("aws-lc-sys", &["cmake", "make"], &[]),
    Native::new("prost-build", &["protobuf-compiler"], &[]),
    Native::new(
        "librocksdb-sys",
        &["clang", "g++", "libclang-dev", "make"],
        &["libstdc++6"],
    ),
    Native::new("zmq-sys", &["libzmq3-dev", "pkg-config"], &["libzmq5"]),
    Native::new(
        "alsa-sys",
        &["libasound2-dev", "pkg-config"],
        &["libasound2"],
    ),
    Native::new(
        "yeslogic-fontconfig-sys",
        &["libfontconfig-dev", "pkg-config"],
        &["libfontconfig1"],
    ),
    Native::new("cmake", &["cmake", "g++", "make"], &[]),
];

/// Crates that bring one of these along, by a feature; an empty one is on by itself.
const BRINGERS: [(&str, &str, &str); 26] = [
    ("openssl", "", "openssl-sys"),
    ("native-tls", "", "openssl-sys"),
    ("tokio-native-tls", "", "openssl-sys"),
    ("hyper-tls", "", "openssl-sys"),
    ("postgres-native-tls", "", "openssl-sys"),
    ("postgres-openssl", "", "openssl-sys"),
    ("actix-web", "openssl", "openssl-sys"),
    ("reqwest", "default", "openssl-sys"),
    ("reqwest", "default-tls", "openssl-sys"),
    ("lettre", "default", "openssl-sys"),
    ("sentry", "default", "openssl-sys"),
    ("teloxide", "default", "openssl-sys"),
    ("elasticsearch", "default", "openssl-sys"),
    ("git2", "default", "openssl-sys"),
    ("surf", "default", "openssl-sys"),
    ("isahc", "default", "openssl-sys"),
    ("aws-config", "", "rustls-native-certs"),
    ("octocrab", "", "rustls-native-certs"),
    ("reqwest", "rustls-tls-native-roots", "rustls-native-certs"),
    ("reqwest", "rustls", "rustls-platform-verifier"),
    ("diesel", "postgres", "pq-sys"),
    ("diesel", "mysql", "mysqlclient-sys"),
    ("diesel", "sqlite", "libsqlite3-sys"),
    ("rusqlite", "", "libsqlite3-sys"),
    ("tonic-build", "", "prost-build"),
    ("rdkafka", "", "rdkafka-sys"),
];

/// The Debian packages that the program is built and run with, reported.
pub(super) fn packages(
    lock: Option<(&Lock<'_>, &str)>,
    dependencies: &[&Dependency],
    release: &str,
    report: &mut Report,
) -> Vec<String> {
    let mut packages: Vec<String> = Vec::new();
    for native in &NATIVES {
        let found = match &lock {
            Some((lock, file)) => lock
                .find(native.name)
                .filter(|locked| native.brought_by.is_empty() || !locked.needs(native.brought_by))
                .map(|locked| (format!("{file}:{}", locked.line), native.name.to_owned())),
            None => bringer(native, dependencies),
        };
        let Some((from, because)) = found else {
            continue;
        };
        for package in native.builds.iter().chain(native.runs) {
            let package = match *package {
                "libssl3" if release != super::RELEASE => "libssl1.1",
                package => package,
            };
            if !packages.iter().any(|known| known == package) {
                packages.push(package.to_owned());
                report
                    .likely(Topic::SystemPackage, package, &from)
                    .note(format!("{because} needs it"));
            }
        }
    }
    packages
}

/// What brings a library along, where no lock file says.
fn bringer(native: &Native, dependencies: &[&Dependency]) -> Option<(String, String)> {
    let vendored = || {
        dependencies.iter().any(|dependency| {
            ["vendored", "native-tls-vendored", "bundled"]
                .iter()
                .any(|feature| dependency.has_feature(feature))
        })
    };
    let found = dependencies.iter().find(|dependency| {
        let direct = dependency.name == native.name;
        let brought = BRINGERS.iter().any(|(name, feature, brings)| {
            *brings == native.name
                && *name == dependency.name
                && match *feature {
                    "" => true,
                    "default" => dependency.default_features && by_default(dependency),
                    feature => dependency.has_feature(feature),
                }
        });
        let tls = native.name == "openssl-sys"
            && dependency
                .features
                .iter()
                .any(|feature| feature.ends_with("native-tls"));
        direct || brought || tls
    })?;
    let brings_itself = !native.brought_by.is_empty() && vendored();
    (!brings_itself).then(|| (found.from.clone(), found.name.clone()))
}

/// Whether a crate's own choice is the system's TLS.
fn by_default(dependency: &Dependency) -> bool {
    let requirement = dependency.requirement.as_deref().unwrap_or("");
    let numbers =
        super::version::numbers(requirement.trim_start_matches(['^', '=', '~', '>', ' ']));
    // It chose rustls then.
    dependency.name != "reqwest" || numbers.is_empty() || numbers < vec![0, 13]
}
