//! Packages of the system that Python packages are built with or load when they run.

use super::dependencies::Dependencies;
use crate::analysis::Topic;
use crate::ecosystem::Report;

/// What one Python package wants of the system.
struct Wants {
    /// Normalised names.
    packages: &'static [&'static str],
    /// Only where one of these extras is asked for.
    extras: &'static [&'static str],
    /// Debian packages that build it.
    build: &'static [&'static str],
    /// Debian packages that it loads or calls.
    run: &'static [&'static str],
}

const COMPILER: [&str; 2] = ["gcc", "libc6-dev"];

const fn runs(packages: &'static [&'static str], run: &'static [&'static str]) -> Wants {
    Wants {
        packages,
        extras: &[],
        build: &[],
        run,
    }
}

const fn builds(
    packages: &'static [&'static str],
    build: &'static [&'static str],
    run: &'static [&'static str],
) -> Wants {
    Wants {
        packages,
        extras: &[],
        build,
        run,
    }
}

/// Packages that bring all they need in a wheel are not here.
const ALL: &[Wants] = &[
    builds(
        &["psycopg2"],
        &["gcc", "libc6-dev", "libpq-dev"],
        &["libpq5"],
    ),
    builds(
        &["psycopg-c"],
        &["gcc", "libc6-dev", "libpq-dev"],
        &["libpq5"],
    ),
    Wants {
        packages: &["psycopg"],
        extras: &["c"],
        build: &["gcc", "libc6-dev", "libpq-dev"],
        run: &["libpq5"],
    },
    runs(&["psycopg"], &["libpq5"]),
    builds(
        &["mysqlclient"],
        &[
            "gcc",
            "libc6-dev",
            "default-libmysqlclient-dev",
            "pkg-config",
        ],
        &["libmariadb3"],
    ),
    builds(
        &["mariadb"],
        &["gcc", "libc6-dev", "libmariadb-dev"],
        &["libmariadb3"],
    ),
    builds(
        &["pycairo"],
        &["gcc", "libc6-dev", "libcairo2-dev", "pkg-config"],
        &["libcairo2"],
    ),
    builds(
        &["pygobject"],
        &[
            "gcc",
            "libc6-dev",
            "libcairo2-dev",
            "libgirepository1.0-dev",
            "pkg-config",
        ],
        &["libgirepository-1.0-1", "libcairo2"],
    ),
    builds(
        &["pyaudio"],
        &["gcc", "libc6-dev", "portaudio19-dev"],
        &["libportaudio2"],
    ),
    builds(
        &["python-ldap"],
        &["gcc", "libc6-dev", "libldap2-dev", "libsasl2-dev"],
        &["ldap-utils"],
    ),
    builds(
        &["gssapi", "kerberos", "pykerberos"],
        &["gcc", "libc6-dev", "libkrb5-dev"],
        &["libgssapi-krb5-2"],
    ),
    builds(
        &["pygraphviz"],
        &["gcc", "libc6-dev", "libgraphviz-dev"],
        &["graphviz"],
    ),
    builds(
        &["pycups"],
        &["gcc", "libc6-dev", "libcups2-dev"],
        &["libcups2"],
    ),
    builds(
        &["systemd-python"],
        &["gcc", "libc6-dev", "libsystemd-dev", "pkg-config"],
        &["libsystemd0"],
    ),
    builds(
        &["dbus-python"],
        &[
            "build-essential",
            "libdbus-1-dev",
            "libglib2.0-dev",
            "pkg-config",
        ],
        &["libdbus-1-3", "libglib2.0-0"],
    ),
    builds(&["gdal"], &["g++", "libgdal-dev"], &["gdal-bin"]),
    builds(
        &["pysqlite3"],
        &["gcc", "libc6-dev", "libsqlite3-dev"],
        &["libsqlite3-0"],
    ),
    builds(
        &["uwsgi", "netifaces", "pycrypto", "pysha3"],
        &COMPILER,
        &[],
    ),
    builds(
        &["dlib", "face-recognition", "llama-cpp-python"],
        &["build-essential", "cmake"],
        &["libgomp1"],
    ),
    runs(&["lightgbm"], &["libgomp1"]),
    runs(&["cairosvg", "cairocffi"], &["libcairo2"]),
    runs(
        &["weasyprint"],
        &["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"],
    ),
    runs(&["pydub", "ffmpeg-python", "openai-whisper"], &["ffmpeg"]),
    runs(
        &["opencv-python", "opencv-contrib-python"],
        &["libgl1", "libglib2.0-0"],
    ),
    runs(&["pdf2image"], &["poppler-utils"]),
    runs(
        &["pytesseract", "tesserocr", "ocrmypdf"],
        &["tesseract-ocr"],
    ),
    runs(&["camelot-py"], &["ghostscript", "libgl1", "libglib2.0-0"]),
    runs(&["python-magic"], &["libmagic1"]),
    runs(&["graphviz"], &["graphviz"]),
    runs(&["pyzbar"], &["libzbar0"]),
    runs(&["pyodbc"], &["unixodbc"]),
    runs(&["selenium"], &["chromium", "chromium-driver"]),
    runs(&["pdfkit", "imgkit"], &["wkhtmltopdf"]),
    runs(&["gitpython"], &["git"]),
    runs(
        &["playwright", "pytest-playwright", "crawl4ai"],
        &[
            // Its sound library has another name in each Debian.
            "alsa-utils",
            "fonts-liberation",
            "libatk-bridge2.0-0",
            "libatk1.0-0",
            "libatspi2.0-0",
            "libcairo2",
            "libcups2",
            "libdbus-1-3",
            "libdrm2",
            "libgbm1",
            "libglib2.0-0",
            "libnspr4",
            "libnss3",
            "libpango-1.0-0",
            "libx11-6",
            "libxcb1",
            "libxcomposite1",
            "libxdamage1",
            "libxext6",
            "libxfixes3",
            "libxkbcommon0",
            "libxrandr2",
        ],
    ),
];

/// The Debian packages that the dependencies want, reported, and whether some of them only build.
pub(super) fn packages(dependencies: &Dependencies, report: &mut Report) -> (Vec<String>, bool) {
    let mut wanted: Vec<String> = Vec::new();
    let mut compiles = false;
    let mut add = |package: &str, from: String, note: String, wanted: &mut Vec<String>| {
        if !wanted.iter().any(|known| known == package) {
            report
                .likely(Topic::SystemPackage, package, from)
                .note(note);
            wanted.push(package.to_owned());
        }
    };
    let mut settled: Vec<&str> = Vec::new();
    for wants in ALL {
        let Some(dependency) = wants
            .packages
            .iter()
            .find_map(|package| dependencies.get(package))
        else {
            continue;
        };
        let name = dependency.requirement.name.as_str();
        let extras = &dependency.requirement.extras;
        let asked = |extra: &&str| extras.iter().any(|known| known == extra);
        let binary = asked(&"binary") || dependencies.get("psycopg-binary").is_some();
        let fits = wants.extras.is_empty() || wants.extras.iter().any(asked);
        // The binary package brings the library with it.
        if !fits || settled.contains(&name) || (name == "psycopg" && binary) {
            continue;
        }
        settled.push(name);
        compiles |= !wants.build.is_empty();
        for package in wants.build {
            add(
                package,
                dependency.from(),
                format!("{name} is built with it"),
                &mut wanted,
            );
        }
        for package in wants.run {
            add(
                package,
                dependency.from(),
                format!("{name} loads it"),
                &mut wanted,
            );
        }
    }
    if let Some(from) = &dependencies.from_git {
        compiles = true;
        add(
            "git",
            from.clone(),
            "it fetches a package".to_owned(),
            &mut wanted,
        );
    }
    (wanted, compiles)
}
