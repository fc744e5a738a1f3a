//! Rust programs.

use ergon_detect::memory::MemoryTree;
use ergon_detect::plan::{Selection, Step};
use insta::assert_snapshot;

use crate::{detected, report, run_command};

pub const MAIN: &str = "fn main() {}\n";

pub fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\n{rest}")
}

/// What is said of the version.
fn runtime(files: &[(&str, &str)]) -> String {
    let report = report(&MemoryTree::new(files.iter().copied()));
    let line = report.lines().find(|line| line.starts_with("runtime:"));
    line.unwrap().to_owned()
}

#[test]
fn an_axum_service() {
    let tree = MemoryTree::new([
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\nrust-version = \"1.75\"\n\n[dependencies]\naxum = \"0.7.4\"\n",
        ),
        (
            "Cargo.lock",
            "version = 3\n\n[[package]]\nname = \"axum\"\nversion = \"0.7.9\"\n",
        ),
        (
            "src/main.rs",
            concat!(
                "fn main() {\n    let port = std::env::var(\"PORT\").unwrap_or_else(|_| \"8080\".into());\n",
                "    let url = std::env::var(\"DATABASE_URL\").expect(\"DATABASE_URL\");\n",
                "    let app = Router::new().route(\"/healthz\", get(well));\n}\n",
            ),
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    shop · a web service in Rust 1.75
    language: Rust [Cargo.toml, certain]
    framework: Axum 0.7 [Cargo.toml:6, certain]
    runtime: Rust 1.75 [Cargo.toml:3, likely] (the least that the package allows)
    package_manager: cargo [Cargo.toml, certain]
    dependencies: 1 crate [Cargo.toml:5, certain]
    lock: locked [Cargo.lock, certain] (every crate is in it)
    build_command: cargo fetch --locked [src/main.rs, likely]
    build_command: cargo build --release --offline --locked --bin shop [src/main.rs, likely]
    build_command: install -D target/release/shop bin/shop [src/main.rs, likely]
    run_command: ./bin/shop [src/main.rs, likely] (built from src/main.rs)
    port: 8080 [src/main.rs:2, certain] (where PORT is not set)
    environment: PORT [src/main.rs:2, certain] (default "8080")
    environment: DATABASE_URL [src/main.rs:3, certain] (required)
    health: GET /healthz [src/main.rs:4, likely]
    pinned: yes [Cargo.lock, certain] (Cargo.lock pins every crate)
    "#);
}

#[test]
fn of_several_programs_the_named_one_is_taken() {
    let bins = [("src/bin/a.rs", ""), ("src/bin/b/main.rs", "")];
    let taken = |cargo: &str, more: &[(&str, &str)]| {
        let mut files = vec![("Cargo.toml", cargo)];
        files.extend(bins);
        files.extend(more);
        run_command(&files)
    };
    let default = package("shop", "default-run = \"b\"\n");
    assert_eq!(taken(&default, &[]), "./bin/b");
    let plain = package("shop", "");
    assert_eq!(taken(&plain, &[("src/main.rs", MAIN)]), "./bin/shop");
    let listed = package("shop", "[[bin]]\nname = \"web\"\npath = \"src/web.rs\"\n");
    let web = (
        "src/web.rs",
        "fn main() { TcpListener::bind(\"0.0.0.0:80\"); }",
    );
    assert_eq!(taken(&listed, &[web]), "./bin/web");
    assert_eq!(
        taken(
            "[package]\nname = \"c\"\nautobins = false\n[[bin]]\nname = \"b\"\n",
            &[]
        ),
        "./bin/b"
    );
}

#[test]
fn where_nothing_names_one_of_several_programs_it_is_asked_for() {
    let cargo = package("shop", "");
    let tree = MemoryTree::new([
        ("Cargo.toml", cargo.as_str()),
        ("src/bin/a.rs", ""),
        ("src/bin/b.rs", ""),
    ]);
    assert!(report(&tree).contains(
        "? Which program? a, b are programs; a taken. → add default-run = \"a\" to [package] in Cargo.toml"
    ));
}

#[test]
fn what_a_program_needs_to_be_built_at_all_is_asked_for() {
    let cargo = package(
        "shop",
        "[features]\ndefault = [\"a\"]\n[[bin]]\nname = \"shop\"\nrequired-features = [\"a\", \"b\"]\n",
    );
    let commands = detected(&[("Cargo.toml", &cargo), ("src/main.rs", MAIN)]).build_commands;
    assert_eq!(
        commands,
        [
            "cargo build --release --offline --locked --bin shop --features b",
            "install -D target/release/shop bin/shop"
        ]
        .map(|command| command.replace(" --locked", ""))
    );
}

#[test]
fn the_program_of_a_workspace_is_built_from_its_root() {
    let (api, core) = (package("api", ""), package("core", ""));
    let application = detected(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
        ("crates/api/Cargo.toml", &api),
        ("crates/api/src/main.rs", MAIN),
        ("crates/core/Cargo.toml", &core),
        (
            "crates/core/src/lib.rs",
            "fn key() { std::env::var(\"KEY\"); }",
        ),
    ]);
    assert_eq!(
        application.build_commands,
        [
            "cargo build --release --offline --package api --bin api",
            "install -D target/release/api bin/api"
        ]
    );
    assert_eq!(application.run_command.as_deref(), Some("./bin/api"));
    assert_eq!(
        application.dependencies.as_deref(),
        Some("crates/api/Cargo.toml")
    );
    assert!(application.path.is_none());
    assert!(application.env.contains_key("KEY"));
}

#[test]
fn of_a_workspaces_programs_the_one_that_answers_is_taken() {
    let (api, cli, xtask) = (
        package("api", "[dependencies]\naxum.workspace = true\n"),
        package("cli", ""),
        package("xtask", ""),
    );
    let tree = MemoryTree::new([
        (
            "Cargo.toml",
            concat!(
                "[workspace]\nmembers = [\"cli\", \"api\", \"xtask\"]\n[workspace.package]\nrust-version = \"1.80\"\n",
                "[workspace.dependencies]\naxum = \"0.8\"\n",
            ),
        ),
        ("cli/Cargo.toml", &cli),
        ("cli/src/main.rs", "fn main() { std::env::var(\"CLI\"); }"),
        (
            "api/Cargo.toml",
            &api.replace("[dep", "rust-version.workspace = true\n[dep"),
        ),
        ("api/src/main.rs", MAIN),
        ("xtask/Cargo.toml", &xtask),
        ("xtask/src/main.rs", MAIN),
    ]);
    let report = report(&tree);
    assert!(report.contains("run_command: ./bin/api"), "{report}");
    assert!(
        report.contains("framework: Axum 0.8 [api/Cargo.toml:5"),
        "{report}"
    );
    assert!(
        report.contains("runtime: Rust 1.80 [Cargo.toml:4"),
        "{report}"
    );
    assert!(!report.contains("CLI"), "{report}");
}

#[test]
fn each_service_of_a_workspace_is_a_program_of_its_own() {
    let (a, b) = (
        package("one", "[dependencies]\naxum = \"0.8\"\n"),
        package("two", "[dependencies]\nrocket = \"0.5\"\n"),
    );
    let tree = MemoryTree::new([
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n"),
        ("Cargo.lock", ""),
        ("one/Cargo.toml", &a),
        ("one/src/main.rs", MAIN),
        ("two/Cargo.toml", &b),
        ("two/src/main.rs", MAIN),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let applications = &analysis.manifest.applications;
    let said: Vec<_> = applications
        .values()
        .map(|application| {
            (
                application.path.as_deref().unwrap_or(""),
                application.build_commands.last().unwrap().as_str(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("one", "install -D target/release/one bin/one"),
            ("two", "install -D target/release/two bin/two")
        ]
    );
    assert_eq!(
        applications["one"].build_commands[1],
        "cargo build --release --offline --bin one --target-dir target"
    );
}

#[test]
fn a_library_is_not_a_program_nor_is_what_goes_to_browsers() {
    let library = package("shop", "");
    let page = package("shop", "[dependencies]\nyew = \"0.21\"\n");
    for files in [
        vec![("Cargo.toml", library.as_str()), ("src/lib.rs", "")],
        vec![
            ("Cargo.toml", page.as_str()),
            ("src/main.rs", MAIN),
            ("index.html", ""),
        ],
        vec![
            ("Cargo.toml", library.as_str()),
            ("src/main.rs", MAIN),
            (
                ".cargo/config.toml",
                "[build]\ntarget = \"wasm32-wasip1\"\n",
            ),
        ],
    ] {
        let tree = MemoryTree::new(files);
        let analysis = ergon_detect::analyse(&tree);
        let commands = analysis.manifest.applications.values();
        assert_eq!(
            commands.filter_map(|one| one.run_command.clone()).count(),
            0
        );
    }
}

#[test]
fn what_is_built_for_another_target_lies_elsewhere() {
    let cargo = package("shop", "");
    let commands = detected(&[
        ("Cargo.toml", &cargo),
        ("src/main.rs", MAIN),
        (
            ".cargo/config.toml",
            "[build]\ntarget = \"x86_64-unknown-linux-musl\"\n",
        ),
    ])
    .build_commands;
    assert_eq!(
        commands,
        [
            "rustup target add x86_64-unknown-linux-musl",
            "cargo build --release --offline --bin shop",
            "install -D target/x86_64-unknown-linux-musl/release/shop bin/shop"
        ]
    );
}

#[test]
fn toolchain_files_go_before_what_is_the_least() {
    let cargo = package("shop", "edition = \"2024\"\n");
    let main = ("src/main.rs", MAIN);
    assert_eq!(
        runtime(&[
            ("Cargo.toml", &cargo),
            main,
            ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.80.1\"\n")
        ]),
        "runtime: Rust 1.80.1 [rust-toolchain.toml:2, certain] (an exact version goes before a range; Cargo.toml:3 says >=1.85)"
    );
    assert_eq!(
        runtime(&[("Cargo.toml", &cargo), main]),
        "runtime: Rust 1.85 [Cargo.toml:3, likely] (the first that knows edition 2024)"
    );
    let cargo = package("shop", "rust-version = \"1.56.0\"\n");
    assert_eq!(
        runtime(&[("Cargo.toml", &cargo), main]),
        "runtime: Rust 1.56.0 [Cargo.toml:3, likely] (the least that the package allows)"
    );
    assert_eq!(
        runtime(&[
            ("Cargo.toml", &cargo),
            main,
            ("Cargo.lock", "version = 4\n")
        ]),
        "runtime: Rust 1.78 [Cargo.lock:1, likely] (the first that reads this form of Cargo.lock)"
    );
    let old = [
        ("rust-toolchain", "1.70.0\n", "1.70.0 [rust-toolchain:1"),
        (
            "rust-toolchain",
            "[toolchain]\nchannel = \"1.71\"\n",
            "1.71 [rust-toolchain:2",
        ),
        (
            "rust-toolchain",
            "nightly-2024-08-12-x86_64-unknown-linux-gnu\n",
            "nightly-2024-08-12 [rust-toolchain:1",
        ),
        (
            ".tool-versions",
            "rust 1.72.0\n",
            "1.72.0 [.tool-versions:1",
        ),
        (
            "mise.toml",
            "[tools]\nrust = \"1.73\"\n",
            "1.73 [mise.toml:2",
        ),
    ];
    for (file, text, said) in old {
        let said_now = runtime(&[("Cargo.toml", &cargo), main, (file, text)]);
        assert!(
            said_now.starts_with(&format!("runtime: Rust {said}")),
            "{said_now}"
        );
    }
}

#[test]
fn a_channel_is_taken_by_the_newest_image() {
    let cargo = package("shop", "");
    let files = [
        ("Cargo.toml", cargo.as_str()),
        ("src/main.rs", MAIN),
        ("rust-toolchain", "nightly\n"),
    ];
    let tree = MemoryTree::new(files);
    let analysis = ergon_detect::analyse(&tree);
    let plan = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
    assert_eq!(plan[0].stages[0].base, "rust:1-slim-bookworm");
    assert_eq!(plan[0].stages[0].env["RUSTUP_TOOLCHAIN"], "nightly");
}

#[test]
fn a_lock_file_holds_what_is_depended_on_or_is_stale() {
    let cargo = package(
        "shop",
        "[dependencies]\nserde_json = \"1\"\nweb = { package = \"axum\", version = \"0.7\" }\ncore = { path = \"core\" }\n",
    );
    let lock = |crates: &[(&str, &str)]| {
        crates
            .iter()
            .map(|(name, version)| {
                format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
            })
            .collect::<String>()
    };
    let said = |text: &str| {
        let tree = MemoryTree::new([
            ("Cargo.toml", cargo.as_str()),
            ("src/main.rs", MAIN),
            ("Cargo.lock", text),
        ]);
        let report = report(&tree);
        let fetch = report.contains("cargo fetch --locked");
        let line = report.lines().find(|line| line.starts_with("lock:"));
        (line.unwrap().to_owned(), fetch)
    };
    assert_eq!(
        said(&lock(&[("serde_json", "1.0.1"), ("axum", "0.7.1")])),
        (
            "lock: locked [Cargo.lock, certain] (every crate is in it)".to_owned(),
            true
        )
    );
    assert_eq!(
        said(&lock(&[("serde_json", "1.0.1"), ("axum", "0.6.1")])),
        (
            "lock: stale [Cargo.lock, certain] (axum 0.7 of Cargo.toml:5 is not in it)".to_owned(),
            false
        )
    );
}

#[test]
fn crates_that_stand_for_libraries_bring_them() {
    let main = ("src/main.rs", MAIN);
    let packages = |rest: &str, lock: Option<&str>| {
        let cargo = package("shop", rest);
        let mut files = vec![("Cargo.toml", cargo.as_str()), main];
        files.extend(lock.map(|lock| ("Cargo.lock", lock)));
        detected(&files).system_packages
    };
    let openssl = ["libssl-dev", "pkg-config", "ca-certificates", "libssl3"];
    assert_eq!(
        packages("[dependencies]\nreqwest = \"0.12\"\n", None),
        openssl
    );
    assert_eq!(
        packages("[dependencies]\nopenssl = \"0.10\"\n", None),
        openssl
    );
    assert_eq!(
        packages(
            "[dependencies]\nreqwest = \"0.12\"\n",
            Some(
                "[[package]]\nname = \"reqwest\"\nversion = \"0.12.1\"\n\n[[package]]\nname = \"openssl-sys\"\n"
            )
        ),
        openssl
    );
    assert_eq!(
        packages(
            "[dependencies]\nreqwest = \"0.12\"\n",
            Some("[[package]]\nname = \"reqwest\"\nversion = \"0.12.1\"\n")
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        packages(
            "[dependencies]\nreqwest = { version = \"0.12\", default-features = false }\n",
            None
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        packages(
            "[dependencies]\ndiesel = { version = \"2\", features = [\"postgres\"] }\n",
            None
        ),
        ["libpq-dev", "libpq5"]
    );
    assert_eq!(
        packages(
            "[dependencies]\nrusqlite = { version = \"0.31\", features = [\"bundled\"] }\n",
            None
        ),
        Vec::<String>::new()
    );
}

#[test]
fn crates_are_fetched_by_what_lists_them() {
    let copied = |files: &[(&str, &str)]| {
        let tree = MemoryTree::new(files.iter().copied());
        let analysis = ergon_detect::analyse(&tree);
        let plan = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
        match &plan[0].stages[0].steps[0] {
            Step::CopySources {
                files: Selection::Only(files),
                ..
            } => files.join(" "),
            _ => "all".to_owned(),
        }
    };
    let cargo = package("shop", "[dependencies]\nserde = \"1\"\n");
    let base = [
        ("Cargo.toml", cargo.as_str()),
        ("src/main.rs", MAIN),
        ("src/bin/more.rs", ""),
        ("src/shop.rs", ""),
        ("rust-toolchain", "1.80"),
        ("other/Cargo.toml", ""),
    ];
    assert_eq!(
        copied(&base),
        "Cargo.toml rust-toolchain src/bin/more.rs src/main.rs"
    );
    let patched = format!("{cargo}[patch.crates-io]\n");
    let mut files = base;
    files[0].1 = &patched;
    assert_eq!(copied(&files), "all");
    let one = package("one", "[dependencies]\nserde = \"1\"\n");
    assert_eq!(
        copied(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"one\"]\n"),
            ("one/Cargo.toml", &one),
            ("one/src/main.rs", MAIN),
            ("one/src/more.rs", ""),
        ]),
        "Cargo.toml one/Cargo.toml one/src/main.rs"
    );
}

#[test]
fn of_several_programs_the_server_is_taken_without_a_question() {
    let cargo = package("shop", "[dependencies]\naxum = \"0.8\"\n");
    for other in ["migrate", "jobs"] {
        let other = format!("src/bin/{other}.rs");
        let tree = MemoryTree::new([
            ("Cargo.toml", cargo.as_str()),
            ("Cargo.lock", ""),
            (other.as_str(), MAIN),
            ("src/bin/server.rs", MAIN),
        ]);
        let report = report(&tree);
        assert!(report.contains("run_command: ./bin/server"), "{report}");
        assert!(!report.contains("Which program"), "{report}");
    }
}

#[test]
fn what_else_a_workspace_has_is_a_program_too_or_asked_for() {
    let of = |other: &str| {
        let api = package("api", "[dependencies]\naxum = \"0.8\"\n");
        let (worker, cli) = (package(other, ""), package("cli", ""));
        let tree = MemoryTree::new([
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"api\", \"other\", \"cli\"]\n",
            ),
            ("api/Cargo.toml", &api),
            ("api/src/main.rs", MAIN),
            ("other/Cargo.toml", &worker),
            ("other/src/main.rs", MAIN),
            ("cli/Cargo.toml", &cli),
            ("cli/src/main.rs", MAIN),
        ]);
        let analysis = ergon_detect::analyse(&tree);
        let names: Vec<_> = analysis.manifest.applications.keys().cloned().collect();
        (names, report(&tree))
    };
    assert_eq!(of("worker").0, ["api", "worker"]);
    let (names, report) = of("other");
    assert_eq!(names, ["api"]);
    assert!(
        report.contains("? Which program? api, other are programs; api taken."),
        "{report}"
    );
}
