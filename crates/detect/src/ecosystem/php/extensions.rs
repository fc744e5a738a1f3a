//! Extensions of PHP, and how the official image gets them.

use super::composer::Composer;
use super::source::Use;
use crate::analysis::Topic;
use crate::ecosystem::Report;

/// What the image has without asking.
const BUILT_IN: [&str; 32] = [
    "core",
    "ctype",
    "curl",
    "date",
    "dom",
    "fileinfo",
    "filter",
    "ftp",
    "hash",
    "iconv",
    "json",
    "libxml",
    "mbstring",
    "mysqlnd",
    "openssl",
    "pcre",
    "pdo",
    "pdo_sqlite",
    "phar",
    "posix",
    "random",
    "readline",
    "reflection",
    "session",
    "simplexml",
    "sodium",
    "spl",
    "sqlite3",
    "standard",
    "tokenizer",
    "xml",
    "zlib",
];
const ALSO_BUILT_IN: [&str; 2] = ["xmlreader", "xmlwriter"];

/// An extension that is built for the image.
struct Extension {
    name: &'static str,
    /// The Debian packages with what it is built against.
    packages: &'static [&'static str],
    /// What `docker-php-ext-configure` is told.
    configure: &'static str,
    /// It comes from PECL, not with PHP.
    pecl: bool,
}

const fn core(name: &'static str, packages: &'static [&'static str]) -> Extension {
    Extension {
        name,
        packages,
        configure: "",
        pecl: false,
    }
}

const fn pecl(name: &'static str, packages: &'static [&'static str]) -> Extension {
    Extension {
        name,
        packages,
        configure: "",
        pecl: true,
    }
}

const EXTENSIONS: [Extension; 42] = [
    core("bcmath", &[]),
    core("bz2", &["libbz2-dev"]),
    core("calendar", &[]),
    core("dba", &[]),
    core("exif", &[]),
    core("ffi", &["libffi-dev"]),
    Extension {
        name: "gd",
        packages: &[
            "libfreetype6-dev",
            "libjpeg62-turbo-dev",
            "libpng-dev",
            "libwebp-dev",
        ],
        configure: "--with-freetype --with-jpeg --with-webp",
        pecl: false,
    },
    core("gettext", &[]),
    core("gmp", &["libgmp-dev"]),
    core("intl", &["libicu-dev"]),
    core("ldap", &["libldap2-dev"]),
    core("mysqli", &[]),
    core("opcache", &[]),
    core("pcntl", &[]),
    core("pdo_mysql", &[]),
    core("pdo_pgsql", &["libpq-dev"]),
    core("pgsql", &["libpq-dev"]),
    core("shmop", &[]),
    core("snmp", &["libsnmp-dev"]),
    core("soap", &["libxml2-dev"]),
    core("sockets", &[]),
    core("sysvmsg", &[]),
    core("sysvsem", &[]),
    core("sysvshm", &[]),
    core("tidy", &["libtidy-dev"]),
    core("xsl", &["libxslt1-dev"]),
    core("zip", &["libzip-dev"]),
    pecl("amqp", &["librabbitmq-dev"]),
    pecl("apcu", &[]),
    pecl("ds", &[]),
    pecl("grpc", &["zlib1g-dev"]),
    pecl("igbinary", &[]),
    pecl("imagick", &["libmagickwand-dev"]),
    pecl(
        "memcached",
        &["libmemcached-dev", "libssl-dev", "zlib1g-dev"],
    ),
    pecl("mongodb", &["libssl-dev"]),
    pecl("msgpack", &[]),
    pecl("protobuf", &[]),
    pecl("rdkafka", &["librdkafka-dev"]),
    pecl("redis", &[]),
    pecl("swoole", &["libssl-dev"]),
    pecl("uuid", &["uuid-dev"]),
    pecl("yaml", &["libyaml-dev"]),
];

/// An extension that is wanted: `ext-redis`, and where.
pub(super) struct Wanted {
    pub name: String,
    pub from: String,
    note: String,
}

/// Every extension that the project asks for or uses.
pub(super) fn wanted(composer: Option<&Composer>, uses: &[Use]) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    let mut add = |name: &str, from: String, note: &str| {
        let name = name.to_ascii_lowercase();
        if !all.iter().any(|known| known.name == name) {
            all.push(Wanted {
                name,
                from,
                note: note.to_owned(),
            });
        }
    };
    if let Some(composer) = composer {
        for (name, from) in composer
            .required()
            .filter(|(name, _)| name.starts_with("ext-"))
        {
            add(name, from, "composer.json requires it");
        }
        for (name, from) in composer.locked_extensions() {
            add(&name, from, "a locked package requires it");
        }
    }
    for one in uses {
        add(&format!("ext-{}", one.extension), one.from.clone(), one.why);
    }
    all
}

/// The command that builds those that the image does not have, reported; none where it has all.
pub(super) fn command(wanted: &[Wanted], report: &mut Report) -> Option<String> {
    let mut first = None;
    let (mut core, mut from_pecl, mut packages, mut configured) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in wanted {
        let name = one.name.trim_start_matches("ext-");
        if BUILT_IN.contains(&name) || ALSO_BUILT_IN.contains(&name) {
            continue;
        }
        let name = if name == "zend-opcache" {
            "opcache"
        } else {
            name
        };
        let Some(extension) = EXTENSIONS.iter().find(|known| known.name == name) else {
            report.ask(
                format!(
                    "How is the extension {name} installed? {} wants it.",
                    one.from
                ),
                "write the command into build_commands of ergon.json",
            );
            continue;
        };
        report
            .likely(
                Topic::SystemPackage,
                format!("PHP's extension {name}"),
                &one.from,
            )
            .note(&one.note);
        first.get_or_insert(&one.from);
        packages.extend_from_slice(extension.packages);
        if !extension.configure.is_empty() {
            configured.push(format!(
                "docker-php-ext-configure {name} {}",
                extension.configure
            ));
        }
        if extension.pecl {
            from_pecl.push(name);
        } else {
            core.push(name);
        }
    }
    core.sort_unstable();
    from_pecl.sort_unstable();
    packages.sort_unstable();
    packages.dedup();
    let mut steps = Vec::new();
    if !packages.is_empty() {
        let packages = packages.join(" ");
        steps.push(format!(
            "apt-get update && apt-get install -y --no-install-recommends {packages}"
        ));
    }
    steps.extend(configured);
    if !core.is_empty() {
        steps.push(format!("docker-php-ext-install {}", core.join(" ")));
    }
    if !from_pecl.is_empty() {
        let names = from_pecl.join(" ");
        steps.push(format!(
            "pecl install {names} && docker-php-ext-enable {names}"
        ));
    }
    if !packages.is_empty() {
        steps.push("rm -rf /var/lib/apt/lists/*".to_owned());
    }
    let command = steps.join(" && ");
    report
        .likely(Topic::BuildCommand, &command, first?)
        .note("extensions that the image does not have");
    Some(command)
}
