//! Programs for Deno.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report, run_command};

#[test]
fn a_service_with_tasks() {
    let tree = MemoryTree::new([
        (
            "deno.json",
            "{\n  // what it uses\n  \"imports\": { \"@oak/oak\": \"jsr:@oak/oak@^17.1\" },\n  \"tasks\": { \"start\": \"deno run -A src/app.ts\" }\n}\n",
        ),
        ("deno.lock", "{\"version\": \"4\"}"),
        (".dvmrc", "2.1.4\n"),
        (
            "src/app.ts",
            "import { Application } from \"@oak/oak\";\nrouter.get(\"/healthz\", (c) => {});\nconst port = Number(Deno.env.get(\"PORT\") ?? \"4000\");\napp.listen({ port });\n",
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    app · a web service in Deno 2.1.4
    language: Deno [deno.json, certain] (JavaScript and TypeScript)
    framework: oak 17.1 [deno.json:3, certain]
    runtime: Deno 2.1.4 [.dvmrc:1, certain]
    package_manager: deno [deno.json, certain]
    dependencies: 1 import [deno.json:3, certain]
    lock: locked [deno.lock, certain] (deno.lock has the hash of every import)
    build_command: deno cache src/app.ts [deno.json:3, likely] (fetches what is imported)
    run_command: deno task start [deno.json:4, certain] (runs `deno run -A src/app.ts`)
    port: 4000 [src/app.ts:3, certain] (where PORT is not set)
    environment: PORT [src/app.ts:3, certain] (default "4000")
    health: GET /healthz [src/app.ts:2, likely]
    pinned: yes [deno.lock, certain] (deno.lock pins every import)
    "#);
}

#[test]
fn without_a_task_the_main_file_is_the_program() {
    let with_settings = |file: &str, text: &str| run_command(&[("deno.jsonc", "{}"), (file, text)]);
    assert_eq!(with_settings("main.ts", ""), "deno run --allow-all main.ts");
    assert_eq!(
        with_settings("src/index.ts", ""),
        "deno run --allow-all src/index.ts"
    );
    assert_eq!(
        with_settings(
            "main.ts",
            "export default {\n  fetch(request) { return new Response(); },\n};\n"
        ),
        "deno serve --allow-all --port ${PORT:-8000} main.ts"
    );
    assert_eq!(
        run_command(&[
            ("deno.json", "{}"),
            ("a.ts", ""),
            ("b.ts", "Deno.serve(() => new Response())")
        ]),
        "deno run --allow-all b.ts"
    );
}

#[test]
fn code_for_deno_needs_no_settings() {
    let language = |text: &str| detected(&[("main.ts", text)]).language;
    assert_eq!(
        language("import { say } from \"https://deno.land/x/cowsay/mod.ts\";"),
        "deno"
    );
    assert_eq!(language("import { serve } from 'jsr:@std/http';"), "deno");
    assert_eq!(
        language("Deno.serve(() => new Response(\"hello\"));"),
        "deno"
    );
    // Nothing in it is only Deno's.
    let tree = MemoryTree::new([("main.ts", "console.log(1);")]);
    assert!(
        ergon_detect::analyse(&tree)
            .manifest
            .applications
            .values()
            .all(|application| application.language != "deno")
    );
}

#[test]
fn the_image_is_the_one_there_is() {
    let image = |version: &str| {
        let tree = MemoryTree::new([
            ("deno.json", "{}"),
            ("main.ts", ""),
            (".tool-versions", version),
        ]);
        let analysis = ergon_detect::analyse(&tree);
        analysis.manifest.containers["app"].base_image.clone()
    };
    assert_eq!(image("deno 2.1.4\n"), "denoland/deno:2.1.4");
    assert_eq!(image("deno 1.40\n"), "denoland/deno:1.40.0");
    assert_eq!(image("deno 1\n"), "denoland/deno:1.46.3");
    assert_eq!(image(""), "denoland/deno:debian");
}

#[test]
fn fresh_is_known_by_its_import_map() {
    let application = detected(&[
        ("deno.json", r#"{"importMap": "./import_map.json"}"#),
        (
            "import_map.json",
            r#"{"imports": {"$fresh/": "https://deno.land/x/fresh@1.6.8/"}}"#,
        ),
        (
            "main.ts",
            "import { start } from \"$fresh/server.ts\";\nawait start(manifest);\n",
        ),
    ]);
    assert_eq!(application.kind, "fresh");
    assert_eq!(application.ports, [8000]);
    assert_eq!(application.build_commands, ["deno cache main.ts"]);
}

#[test]
fn services_are_told_by_what_is_imported() {
    let application = detected(&[(
        "main.ts",
        "import { Client } from \"https://deno.land/x/postgres@v0.17.0/mod.ts\";\nimport Redis from \"npm:ioredis@5\";\n",
    )]);
    assert_eq!(application.services, ["postgresql", "redis"]);
}

#[test]
fn a_project_below_stands_for_itself() {
    let found = detected(&[
        ("README.md", ""),
        (
            "shop/deno.json",
            "{\"tasks\": {\"start\": \"deno run -A main.ts\"}}",
        ),
        ("shop/main.ts", "Deno.serve(() => new Response());\n"),
    ]);
    assert_eq!(found.path.as_deref(), Some("shop"));
    assert_eq!(found.run_command.as_deref(), Some("deno task start"));
}

#[test]
fn a_port_is_told_to_the_server() {
    let text = "Deno.serve({ port: 4001 }, handler)";
    let application = detected(&[("deno.json", "{}"), ("main.ts", text)]);
    assert_eq!(application.ports, [4001]);
}
