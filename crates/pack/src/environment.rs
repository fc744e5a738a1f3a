//! The fixed surroundings of a build step, so that it leaves the same files wherever it runs.

use std::collections::BTreeMap;

/// The host name every step sees.
pub const HOSTNAME: &str = "ergon-build";

/// Scratch space: what is written here is never captured.
pub const SCRATCH: &str = "/tmp";

/// Where a step finds the extra certificate authorities. In `/dev`, a mount leaves no trace in
/// the layer.
pub const AUTHORITY_PATH: &str = "/dev/ca.crt";

/// Variables by which the usual tools find certificate authorities.
const AUTHORITY_VARIABLES: [&str; 9] = [
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
    "GIT_SSL_CAINFO",
    "BUNDLE_SSL_CA_CERT",
    "UV_SSL_CERT_FILE",
];

/// 1980-01-01T00:00:02Z, the earliest time that Maven's archiver takes.
const EARLIEST_IN_MAVEN: u64 = 315_532_802;

/// The environment of a step over the base's own. It is part of the step's cache key.
pub fn step_environment(epoch: u64) -> BTreeMap<String, String> {
    let maven = format!(
        "-Dproject.build.outputTimestamp={}",
        epoch.max(EARLIEST_IN_MAVEN)
    );
    let epoch = epoch.to_string();
    [
        ("HOME", SCRATCH),
        ("TMPDIR", SCRATCH),
        ("LANG", "C.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("SOURCE_DATE_EPOCH", epoch.as_str()),
        // Sets and dictionaries of strings iterate in one order.
        ("PYTHONHASHSEED", "0"),
        ("PIP_NO_CACHE_DIR", "1"),
        ("PIP_NO_INPUT", "1"),
        ("PIP_PROGRESS_BAR", "off"),
        ("PIP_ROOT_USER_ACTION", "ignore"),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ("npm_config_cache", "/tmp/.npm"),
        ("npm_config_update_notifier", "false"),
        ("npm_config_fund", "false"),
        ("npm_config_audit", "false"),
        // Where it is not told, it makes one at the root of the file system the project is on.
        ("npm_config_store_dir", "/tmp/.pnpm-store"),
        ("GOCACHE", "/tmp/go-cache"),
        ("GOPATH", "/tmp/go"),
        // The sources come without their version control; the path they stand at is fixed.
        ("GOFLAGS", "-buildvcs=false"),
        ("CARGO_HOME", "/tmp/cargo"),
        ("CARGO_INCREMENTAL", "0"),
        // Debug information holds build paths.
        ("CFLAGS", "-g0"),
        ("CXXFLAGS", "-g0"),
        // What Maven's archives have for a time; a project that says another is heard first.
        ("MAVEN_OPTS", maven.as_str()),
        ("DEBIAN_FRONTEND", "noninteractive"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// What points tools at the extra authorities. Not part of the cache key: the authority that
/// signs a connection does not change what is fetched.
pub fn authority_environment() -> impl Iterator<Item = (String, String)> {
    AUTHORITY_VARIABLES
        .iter()
        .map(|name| ((*name).to_owned(), AUTHORITY_PATH.to_owned()))
}
