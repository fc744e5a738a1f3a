use std::collections::BTreeMap;
use std::io::Write as _;

use ergon_oci::layer::{Content, EntryKind, LayerEntry, write_layer};
use ergon_oci::{ConfigChange, Layer, assemble};
use proptest::prelude::*;

use super::*;

const EPOCH: u64 = 315_532_800;

fn file(path: &str, content: &[u8]) -> LayerEntry {
    LayerEntry {
        path: path.to_owned(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        kind: EntryKind::File {
            size: content.len() as u64,
            content: Content::Bytes(content.to_vec()),
        },
        xattrs: BTreeMap::new(),
    }
}

fn gone(path: &str) -> LayerEntry {
    LayerEntry {
        kind: EntryKind::Whiteout,
        ..file(path, b"")
    }
}

fn opaque(path: &str) -> LayerEntry {
    LayerEntry {
        kind: EntryKind::OpaqueDirectory,
        ..file(path, b"")
    }
}

fn cache() -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    (folder, cache)
}

fn image(cache: &Cache, layers: Vec<Vec<LayerEntry>>) -> Image {
    let layers: Vec<(Layer, String)> = layers
        .into_iter()
        .map(|entries| {
            let layer = write_layer(entries, EPOCH, cache.blobs()).unwrap();
            (layer, "test".to_owned())
        })
        .collect();
    let change = ConfigChange::default();
    assemble(None, &layers, &change, EPOCH, "linux/amd64", cache.blobs()).unwrap()
}

fn urls(inventory: &Inventory) -> Vec<&str> {
    inventory.packages.keys().map(String::as_str).collect()
}

const DPKG: &[u8] = b"Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1~deb12u2\nDescription: tls\n more\n\nPackage: libssl3\nStatus: install ok installed\nSource: openssl (3.0.11-1)\nArchitecture: amd64\nVersion: 3.0.11-1~deb12u2\n\nPackage: old\nStatus: deinstall ok config-files\nVersion: 1\n";
const SYSTEM: &[u8] = b"ID=debian\nVERSION_ID=\"12\"\nNAME=\"Debian GNU/Linux\"\n";

#[test]
fn packages_of_a_system_have_its_name_and_those_removed_are_not_there() {
    let (_folder, cache) = cache();
    let image = image(
        &cache,
        vec![vec![
            file("etc/os-release", SYSTEM),
            file("var/lib/dpkg/status", DPKG),
        ]],
    );
    let inventory = read(&image, &cache).unwrap();
    assert_eq!(
        urls(&inventory),
        [
            "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl",
            "pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
        ]
    );
    assert!(inventory.gaps.is_empty());
    assert_eq!(inventory.system.unwrap().id, "debian");
}

#[test]
fn what_upper_layers_replace_or_remove_is_not_listed() {
    let (_folder, cache) = cache();
    let metadata = |version: &str| format!("Name: a_B\nVersion: {version}\nLicense: MIT\n\nText");
    let place = "usr/lib/python3/site-packages";
    let lower = vec![
        file(
            &format!("{place}/a-1.dist-info/METADATA"),
            metadata("1").as_bytes(),
        ),
        file(
            &format!("{place}/b-1.dist-info/METADATA"),
            b"Name: b\nVersion: 1\n",
        ),
        file(
            "app/node_modules/left/package.json",
            br#"{"name":"left","version":"1.0.0"}"#,
        ),
        file(
            "app/node_modules/@s/right/package.json",
            br#"{"name":"@s/right","version":"2.0.0","license":{"type":"ISC"}}"#,
        ),
        file(
            "srv/node_modules/c/package.json",
            br#"{"name":"c","version":"1.0.0"}"#,
        ),
    ];
    let upper = vec![
        gone(&format!("{place}/a-1.dist-info")),
        file(
            &format!("{place}/a-2.dist-info/METADATA"),
            metadata("2").as_bytes(),
        ),
        gone("app/node_modules/left"),
        opaque("srv"),
        file(
            "srv/node_modules/d/package.json",
            br#"{"name":"d","version":"1.0.0"}"#,
        ),
    ];
    let both = image(&cache, vec![lower.clone(), upper]);
    let expected = [
        "pkg:npm/%40s/right@2.0.0",
        "pkg:npm/d@1.0.0",
        "pkg:pypi/a-b@2",
        "pkg:pypi/b@1",
    ];
    let inventory = read(&both, &cache).unwrap();
    assert_eq!(urls(&inventory), expected);
    assert_eq!(read(&both, &cache).unwrap(), inventory, "from cache");
    let replaced = image(
        &cache,
        vec![lower, vec![file(&format!("{place}/b-1.dist-info"), b"")]],
    );
    assert!(!urls(&read(&replaced, &cache).unwrap()).contains(&"pkg:pypi/b@1"));
}

#[test]
fn every_kind_of_record_is_read() {
    let (_folder, cache) = cache();
    let apk = b"P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\n\nP:libcrypto3\nV:3.1.4-r1\nA:x86_64\no:openssl\nL:Apache-2.0\n";
    let composer = br#"{"packages":[{"name":"monolog/monolog","version":"v3.5.0","license":["MIT"],"dist":{"shasum":"aa"}}]}"#;
    let gem = b"Gem::Specification.new do |s|\n  s.licenses = [\"MIT\".freeze, \"Ruby\"]\nend\n";
    let mut program = file(
        "usr/bin/hello",
        &go_program(
            "go1.21.5",
            "path\tx\nmod\tx\t(devel)\t\ndep\tgithub.com/a/b\tv1.2.3\th1:x=\ndep\told\tv1.0.0\n=>\tgithub.com/c/d/v2\tv2.0.0\th1:y=\n",
        ),
    );
    program.mode = 0o755;
    let image = image(
        &cache,
        vec![vec![
            file(
                "app/lib/a.jar",
                &jar(&[
                    (
                        "META-INF/maven/g/a/pom.properties",
                        b"groupId=org.g\nartifactId=a\nversion=1.0\n",
                    ),
                    ("BOOT-INF/lib/inner-2.1.jar", &jar(&[("x", b"")])),
                ]),
            ),
            file("lib/apk/db/installed", apk),
            program,
            file("usr/lib/ruby/specifications/rack-3.0.8.gemspec", gem),
            file("var/www/vendor/composer/installed.json", composer),
        ]],
    );
    let inventory = read(&image, &cache).unwrap();
    assert_eq!(
        urls(&inventory),
        [
            "pkg:apk/linux/libcrypto3@3.1.4-r1?arch=x86_64&upstream=openssl",
            "pkg:apk/linux/musl@1.2.4-r2?arch=x86_64",
            "pkg:composer/monolog/monolog@3.5.0",
            "pkg:gem/rack@3.0.8",
            "pkg:golang/github.com/a/b@v1.2.3",
            "pkg:golang/github.com/c/d/v2@v2.0.0",
            "pkg:golang/stdlib@1.21.5",
            "pkg:maven/inner@2.1",
            "pkg:maven/org.g/a@1.0",
        ]
    );
    let licences = &inventory.packages["pkg:gem/rack@3.0.8"].licences;
    assert_eq!(licences.iter().collect::<Vec<_>>(), ["MIT", "Ruby"]);
    assert!(
        inventory.packages["pkg:maven/inner@2.1"]
            .hashes
            .contains_key("SHA-256")
    );
    assert!(inventory.gaps.is_empty(), "{:?}", inventory.gaps);
}

/// Made with SQLite itself: 40 packages and a key, in headers as rpm writes them, one larger than a page.
const RPM_DATABASE: &[u8] = include_bytes!("tests/rpmdb.sqlite");

#[test]
fn packages_of_rpm_are_read_from_its_database() {
    let (_folder, cache) = cache();
    let image = image(
        &cache,
        vec![vec![
            file("etc/os-release", b"ID=fedora\nVERSION_ID=40\n"),
            file("var/lib/rpm/rpmdb.sqlite", RPM_DATABASE),
        ]],
    );
    let inventory = read(&image, &cache).unwrap();
    assert!(inventory.gaps.is_empty(), "{:?}", inventory.gaps);
    assert_eq!(inventory.packages.len(), 40);
    let url = "pkg:rpm/fedora/package7@1.7-2.fc40?arch=x86_64&distro=fedora-40&epoch=1&upstream=package7-1.7-2.fc40.src.rpm";
    assert!(
        inventory.packages[url]
            .licences
            .contains("GPL-2.0-or-later")
    );
    let large = "pkg:rpm/fedora/package30@1.30-2.fc40?arch=x86_64&distro=fedora-40&upstream=package30-1.30-2.fc40.src.rpm";
    assert!(inventory.packages.contains_key(large));

    // Cut short, it says so, and still gives what it can.
    let half = &RPM_DATABASE[..RPM_DATABASE.len() / 2];
    let finding = rpm::database("rpmdb.sqlite", 1, &mut &*half);
    assert_eq!(
        finding.gap.as_deref(),
        Some("rpmdb.sqlite could not be read to its end")
    );
}

#[test]
fn what_cannot_be_read_is_a_gap_and_not_silence() {
    let (_folder, cache) = cache();
    let image = image(
        &cache,
        vec![vec![
            file("a/node_modules/b/package.json", b"{\"name\":"),
            file("app/broken.jar", b"PK\x03\x04 and no more"),
            file(
                "var/lib/dpkg/status",
                b"Package: a b\nVersion: 1\n\nPackage: fine\nVersion: 1\n",
            ),
            file("var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0"),
        ]],
    );
    let inventory = read(&image, &cache).unwrap();
    assert_eq!(urls(&inventory), ["pkg:deb/linux/fine@1"]);
    let gaps: Vec<&str> = inventory.gaps.iter().map(String::as_str).collect();
    assert_eq!(
        gaps,
        [
            "1 records in var/lib/dpkg/status make no sense",
            "a/node_modules/b/package.json is no valid package.json",
            "app/broken.jar is no archive that can be read",
            "var/lib/rpm/rpmdb.sqlite is no database that can be read",
        ]
    );
}

#[test]
fn a_layer_that_breaks_off_is_a_gap() {
    let (_folder, cache) = cache();
    let whole = image(
        &cache,
        vec![vec![
            file("var/lib/dpkg/status", DPKG),
            file("big", &[7; 100_000]),
        ]],
    );
    let layer = whole.layers()[0].digest;
    let path = cache.blobs().path(&layer);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    let inventory = read(&whole, &cache).unwrap();
    let gap = inventory.gaps.first().unwrap();
    assert!(gap.contains("could not be read to its end"), "{gap}");
}

#[test]
fn locks_add_hashes_to_what_is_installed_and_stand_in_where_nothing_is_recorded() {
    let (_folder, cache) = cache();
    let image = image(
        &cache,
        vec![vec![file(
            "app/node_modules/left/package.json",
            br#"{"name":"left","version":"1.0.0"}"#,
        )]],
    );
    let mut inventory = read(&image, &cache).unwrap();
    let hash = "ab".repeat(32);
    for (path, content) in [
        ("package-lock.json", r#"{"lockfileVersion":3,"packages":{"":{"name":"app"},"node_modules/left":{"version":"1.0.0","integrity":"sha512-AAAA sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="},"node_modules/tool":{"version":"9.0.0","dev":true}}}"#.to_owned()),
        ("Cargo.lock", format!("version = 4\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nsource = \"registry+https://x\"\nchecksum = \"{hash}\"\n")),
    ] {
        let lock = LockFile { path: path.to_owned(), content: content.into_bytes() };
        inventory.add_locked(packages_in(&lock).unwrap());
    }
    assert_eq!(
        urls(&inventory),
        ["pkg:cargo/serde@1.0.1", "pkg:npm/left@1.0.0"]
    );
    assert_eq!(
        inventory.packages["pkg:cargo/serde@1.0.1"].hashes["SHA-256"],
        hash
    );
    assert_eq!(
        inventory.packages["pkg:npm/left@1.0.0"].hashes["SHA-1"],
        "0".repeat(40)
    );
}

#[test]
fn lock_files_of_every_tool_are_read() {
    for (path, content, expected) in [
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"app\"\nsource = { virtual = \".\" }\n[[package]]\nname = \"idna\"\nversion = \"3.7\"\nsource = { registry = \"x\" }\n",
            "pkg:pypi/idna@3.7",
        ),
        (
            "poetry.lock",
            "[[package]]\nname = \"idna\"\nversion = \"3.7\"\n[metadata]\nlock-version = \"2.0\"\n",
            "pkg:pypi/idna@3.7",
        ),
        (
            "Pipfile.lock",
            r#"{"default":{"idna":{"version":"==3.7"}},"develop":{"x":{"version":"==1"}}}"#,
            "pkg:pypi/idna@3.7",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    x: y\npackages:\n\n  '@s/a@1.0.0(b@2)':\n    resolution: {integrity: sha512-AA==}\nsnapshots:\n  c@1: {}\n",
            "pkg:npm/%40s/a@1.0.0",
        ),
        (
            "yarn.lock",
            "# yarn lockfile v1\n\n\"@s/a@^1\", \"@s/a@^1.0\":\n  version \"1.0.0\"\n  integrity sha512-AA==\n",
            "pkg:npm/%40s/a@1.0.0",
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n",
            "pkg:npm/a@1.0.0",
        ),
        (
            "Gemfile.lock",
            "GEM\n  remote: x\n  specs:\n    rack (3.0.8)\n      other (>= 1)\n\nPLATFORMS\n    ruby\n",
            "pkg:gem/rack@3.0.8",
        ),
        (
            "composer.lock",
            r#"{"packages":[{"name":"a/b","version":"v1.0"}],"packages-dev":[]}"#,
            "pkg:composer/a/b@1.0",
        ),
        (
            "go.sum",
            "a.org/b v1.0.0 h1:x=\na.org/b v1.0.0/go.mod h1:y=\n",
            "pkg:golang/a.org/b@v1.0.0",
        ),
    ] {
        let lock = LockFile {
            path: path.to_owned(),
            content: content.as_bytes().to_vec(),
        };
        let found: Vec<String> = packages_in(&lock)
            .unwrap()
            .iter()
            .filter_map(|package| package.url(None))
            .collect();
        assert_eq!(found, [expected], "{path}");
    }
}

fn jar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(
                *name,
                zip::write::SimpleFileOptions::default()
                    .compression_method(zip::CompressionMethod::Stored),
            )
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The smallest ELF file with Go's build information in its data segment.
fn go_program(version: &str, modules: &str) -> Vec<u8> {
    let mut elf = vec![0; 64 + 56];
    elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
    elf[32] = 64;
    elf[54] = 56;
    elf[56] = 1;
    elf[64] = 1;
    elf[68] = 6;
    elf[72] = 128;
    elf.resize(144, 0);
    elf.extend_from_slice(b"\xff Go buildinf:\x08\x02");
    elf.resize(144 + 32, 0);
    for text in [
        version.to_owned(),
        format!("{}{modules}{}", "0".repeat(16), "1".repeat(16)),
    ] {
        let mut length = text.len();
        while length >= 0x80 {
            elf.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        elf.push(length as u8);
        elf.extend_from_slice(text.as_bytes());
    }
    elf
}

const PATHS: [&str; 12] = [
    "etc/os-release",
    "var/lib/dpkg/status",
    "lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "x/a.dist-info/METADATA",
    "node_modules/a/package.json",
    "specifications/a-1.gemspec",
    "vendor/composer/installed.json",
    "a.jar",
    "usr/bin/program",
    "x/PKG-INFO.egg-info",
    "var/lib/dpkg/status.d/base",
];

fn valid(path: &str) -> Vec<u8> {
    match path {
        "etc/os-release" => SYSTEM.to_vec(),
        "var/lib/rpm/rpmdb.sqlite" => RPM_DATABASE.to_vec(),
        "a.jar" => jar(&[
            (
                "META-INF/maven/g/a/pom.properties",
                b"groupId=g\nartifactId=a\nversion=1\n",
            ),
            (
                "b.jar",
                &jar(&[(
                    "META-INF/MANIFEST.MF",
                    b"Implementation-Title: b\nImplementation-Version: 1\n",
                )]),
            ),
        ]),
        "usr/bin/program" => go_program("go1.21", "path\tx\ndep\ta\tv1\th1:x\n"),
        "node_modules/a/package.json" => br#"{"name":"a","version":"1","license":"MIT"}"#.to_vec(),
        "vendor/composer/installed.json" => {
            br#"{"packages":[{"name":"a/b","version":"1"}]}"#.to_vec()
        }
        _ => [DPKG, b"P:a\nV:1\nName: a\n"].concat(),
    }
}

proptest! {
    /// Whatever stands in a file, reading it ends, and what it gives can be written down.
    #[test]
    fn no_content_brings_a_reader_down(
        path in 0..PATHS.len(),
        noise in proptest::collection::vec(any::<u8>(), 0..400),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<proptest::sample::Index>(),
        kind in 0..3,
    ) {
        let path = PATHS[path];
        let mut content = valid(path);
        match kind {
            0 => content = noise,
            1 => content.truncate(cut.index(content.len())),
            _ => for (at, byte) in changes {
                let at = at.index(content.len());
                content[at] = byte;
            },
        }
        let reader = reader(path, 0o755).unwrap();
        let finding = reader.read(path, content.len() as u64, &mut content.as_slice());
        for package in &finding.packages {
            prop_assert!(!package.name.chars().any(|letter| letter.is_control() || letter.is_whitespace()));
            package.url(None);
        }
        serde_json::to_vec(&finding).unwrap();
    }

    #[test]
    fn no_lock_file_brings_a_reader_down(name in 0..9_usize, noise in proptest::collection::vec(any::<u8>(), 0..300), text in "[ \\n\"@:a1(){}=,\\[\\]'-]{0,200}") {
        let path = ["Cargo.lock", "uv.lock", "Pipfile.lock", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "Gemfile.lock", "composer.lock", "go.sum"][name];
        for content in [noise, text.into_bytes(), b"GEM\n    a (".to_vec()] {
            packages_in(&LockFile { path: path.to_owned(), content });
        }
    }
}
