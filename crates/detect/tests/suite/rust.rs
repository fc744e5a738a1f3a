//! Rust programs.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report};

#[test]
fn an_axum_service() {
    let tree = MemoryTree::new([
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\nrust-version = \"1.75\"\n\n[dependencies]\naxum = \"0.7.4\"\n",
        ),
        ("Cargo.lock", ""),
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
    runtime: Rust 1.75 [Cargo.toml:3, certain]
    package_manager: cargo [Cargo.toml, certain]
    dependencies: 1 crate [Cargo.toml:5, certain] (Cargo.lock is locked)
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
    let cargo = "[package]\nname = \"shop\"\ndefault-run = \"b\"\n";
    let application = detected(&[
        ("Cargo.toml", cargo),
        ("src/bin/a.rs", ""),
        ("src/bin/b.rs", ""),
    ]);
    assert_eq!(application.run_command.as_deref(), Some("./bin/b"));
}

#[test]
fn an_address_says_the_port() {
    let application = detected(&[
        ("Cargo.toml", "[package]\nname = \"shop\"\n"),
        (
            "src/main.rs",
            "fn main() { TcpListener::bind(\"0.0.0.0:4000\"); }",
        ),
    ]);
    assert_eq!(application.ports, [4000]);
}
