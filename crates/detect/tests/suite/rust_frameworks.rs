//! Frameworks of Rust: where they listen, and what builds their pages.

use ergon_detect::memory::MemoryTree;

use crate::detected;
use crate::rust::{MAIN, package};

#[test]
fn rocket_is_made_reachable() {
    let cargo = package("shop", "[dependencies]\nrocket = \"0.5\"\n");
    let files = [
        ("Cargo.toml", cargo.as_str()),
        ("src/main.rs", "#[launch]\nfn rocket() {}\n"),
        (
            "Rocket.toml",
            "[default]\naddress = \"0.0.0.0\"\nport = 9000\n",
        ),
    ];
    let application = detected(&files);
    assert_eq!(application.kind, "rocket");
    assert_eq!(application.ports, [9000]);
    assert_eq!(
        application.env["ROCKET_PORT"].from.as_deref(),
        Some("Rocket.toml:3")
    );
    let alone = detected(&files[..2]);
    assert_eq!(alone.ports, [8000]);
    assert_eq!(
        alone.env["ROCKET_ADDRESS"].default.as_deref(),
        Some("127.0.0.1")
    );
    let tree = MemoryTree::new(files);
    let analysis = ergon_detect::analyse(&tree);
    let plan = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
    assert_eq!(plan[0].config.env["ROCKET_ADDRESS"], "0.0.0.0");
}

#[test]
fn an_address_says_the_port() {
    let cargo = package("shop", "");
    for code in [
        "TcpListener::bind(\"0.0.0.0:4000\")",
        "SocketAddr::from(([0, 0, 0, 0], 4000))",
        "HttpServer::new(app).bind((\"0.0.0.0\", 4000))",
        "warp::serve(x).run(([127, 0, 0, 1], 4000))",
    ] {
        let code = format!("fn main() {{ {code}; }}\n");
        let application = detected(&[("Cargo.toml", &cargo), ("src/main.rs", &code)]);
        assert_eq!(application.ports, [4000], "{code}");
    }
}

#[test]
fn a_variables_default_is_read_wherever_it_is_written() {
    let cargo = package("shop", "");
    for code in [
        "    #[arg(long, env = \"PORT\", default_value_t = 4000)]\n",
        "    #[clap(env = \"PORT\", default_value = \"4000\")]\n",
        "let port = match env::var(\"PORT\") {\n    Ok(port) => port,\n    Err(_) => \"4000\".into(),\n};\n",
        "let port = env::var(\"PORT\").ok().and_then(|port| port.parse().ok()).unwrap_or(4000);\n",
    ] {
        let application = detected(&[("Cargo.toml", &cargo), ("src/main.rs", code)]);
        let default = application.env["PORT"].default.as_deref();
        assert_eq!(default, Some("4000"), "{code}");
    }
}

#[test]
fn trunk_builds_pages_for_browsers() {
    let yew = "[package]\nname = \"shop\"\nedition = \"2021\"\n\n[dependencies]\nyew = \"0.21\"\n";
    let main = ("src/main.rs", "fn main() {}\n");
    let tree = MemoryTree::new([
        ("Cargo.toml", yew),
        main,
        ("Trunk.toml", "[build]\ndist = \"www\"\n"),
        ("index.html", "<p>"),
    ]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    let site = &manifest.applications["shop"];
    assert_eq!(site.kind, "yew");
    assert_eq!(site.artifacts, ["www", "Caddyfile"]);
    let plan = ergon_detect::plan::plan(&manifest, &tree).unwrap();
    let text = ergon_detect::dockerfile::render(&plan[0]).text;
    let order = [
        "FROM rust:1-slim-bookworm",
        "cargo install --locked trunk",
        "COPY [\".\"",
        "trunk build --release",
        "FROM caddy:2",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|part| text.find(part).expect(part))
        .collect();
    assert!(places.is_sorted(), "{text}");
    // Without a word of Trunk, nobody knows.
    let unknown = detected(&[("Cargo.toml", yew), main, ("index.html", "<p>")]);
    assert_eq!(unknown.run_command, None);
}

#[test]
fn leptos_builds_its_server_and_its_pages_with_its_own_tool() {
    let tree = MemoryTree::new([
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\nedition = \"2021\"\n\n[dependencies]\naxum = \"0.7\"\nleptos = \"0.6\"\n\n[package.metadata.leptos]\noutput-name = \"pages\"\nsite-addr = \"127.0.0.1:3100\"\n",
        ),
        ("src/main.rs", "fn main() {}\n"),
    ]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    let program = &manifest.applications["shop"];
    assert_eq!(
        (program.kind.as_str(), &program.ports),
        ("leptos", &vec![3100])
    );
    assert_eq!(program.run_command.as_deref(), Some("./bin/shop"));
    assert!(
        program
            .build_commands
            .contains(&"cargo leptos build --release".to_owned())
    );
    let plan = ergon_detect::plan::plan(&manifest, &tree).unwrap();
    let text = ergon_detect::dockerfile::render(&plan[0]).text;
    for variable in [
        "LEPTOS_OUTPUT_NAME=\"pages\"",
        "LEPTOS_SITE_ADDR=\"0.0.0.0:3100\"",
        "LEPTOS_SITE_ROOT=\"site\"",
    ] {
        assert!(text.contains(variable), "{text}");
    }
}

#[test]
fn loco_serves_by_a_command_of_its_program() {
    let manifest = package(
        "shop",
        "[dependencies]\nloco-rs = \"0.15\"\naxum = \"0.8\"\n",
    );
    let shop = detected(&[("Cargo.toml", &manifest), ("src/main.rs", MAIN)]);
    assert_eq!(shop.kind, "loco");
    assert_eq!(
        shop.run_command.as_deref(),
        Some("./bin/shop start --binding 0.0.0.0 --port ${PORT:-5150}")
    );
    assert_eq!(shop.ports, [5150]);
}
