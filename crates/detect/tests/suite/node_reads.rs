//! What the code of a package says.

use ergon_detect::memory::MemoryTree;

use crate::detected;

fn health(dependencies: &str, files: &[(&str, &str)]) -> Option<String> {
    let package =
        format!(r#"{{"dependencies": {{{dependencies}}}, "scripts": {{"start": "node x"}}}}"#);
    let files: Vec<_> = [("package.json", package.as_str())]
        .into_iter()
        .chain(files.iter().copied())
        .collect();
    detected(&files).health.map(|health| health.path)
}

#[test]
fn frameworks_say_in_their_ways_what_they_answer() {
    let said = |dependencies: &str, file: &str, text: &str| health(dependencies, &[(file, text)]);
    let next = r#""next": "15""#;
    let path = |path: &str| Some(path.to_owned());
    assert_eq!(
        said(next, "app/api/health/route.ts", ""),
        path("/api/health")
    );
    assert_eq!(said(next, "pages/api/health.ts", ""), path("/api/health"));
    assert_eq!(said(next, "app/health/page.tsx", ""), None);
    assert_eq!(
        said(r#""nuxt": "3""#, "server/api/health.get.ts", ""),
        path("/api/health")
    );
    assert_eq!(
        said(
            r#""@sveltejs/kit": "2""#,
            "src/routes/healthz/+server.js",
            ""
        ),
        path("/healthz")
    );
    assert_eq!(
        said(
            r#""elysia": "1""#,
            "src/index.ts",
            "new Elysia()\n  .get('/health', () => 'ok')\n"
        ),
        path("/health")
    );
    let controller = "@Controller('health')\nexport class A {\n  @Get()\n  check() {}\n}\n";
    let main = "app.setGlobalPrefix('api');\n";
    assert_eq!(
        health(
            r#""@nestjs/core": "11""#,
            &[("src/a.controller.ts", controller), ("src/main.ts", main)]
        ),
        path("/api/health")
    );
}

#[test]
fn variables_are_read_from_every_environment() {
    let code = concat!(
        "const a = import.meta.env.A || 'a';\n",
        "if (!Bun.env.B) {\n  throw new Error('B');\n}\n",
        "const { C } = Bun.env;\n",
        "const d = import.meta.env.DEV;\n",
    );
    let env = detected(&[
        ("package.json", r#"{"scripts": {"start": "bun x.ts"}}"#),
        ("x.ts", code),
    ])
    .env;
    let said: Vec<_> = env
        .iter()
        .map(|(name, one)| format!("{name} {} {:?}", one.required, one.default))
        .collect();
    assert_eq!(said, ["A false Some(\"a\")", "B true None", "C false None"]);
}

#[test]
fn bun_serves_where_it_is_told_or_at_its_default() {
    let ports = |code: &str| {
        let files = [
            ("package.json", "{\"module\": \"index.ts\"}"),
            ("bun.lock", ""),
            ("index.ts", code),
        ];
        detected(&files).ports
    };
    assert_eq!(ports("Bun.serve({ fetch() {} });"), [3000]);
    assert_eq!(
        ports("Bun.serve({\n  port: 8080,\n  fetch() {} });"),
        [8080]
    );
}

#[test]
fn a_lone_script_that_prints_is_a_program() {
    let tree = |text: &str| MemoryTree::new([("index.js", text)]);
    let found = |text: &str| {
        !ergon_detect::analyse(&tree(text))
            .manifest
            .applications
            .is_empty()
    };
    assert!(found("console.log(1)\n"));
    assert!(!found("document.title = 'x'; console.log(1)\n"));
}

#[test]
fn what_yarn_keeps_is_not_the_program() {
    let reads = "process.env.WRITTEN_BY_A_TOOL;";
    let found = detected(&[
        ("package.json", r#"{"scripts": {"start": "node index.js"}}"#),
        ("index.js", "process.env.TOKEN;"),
        (".pnp.cjs", reads),
        (".yarn/releases/yarn-4.1.0.cjs", reads),
        ("assets/page.min.js", reads),
    ]);
    let names: Vec<_> = found.env.keys().collect();
    assert_eq!(names, ["TOKEN"]);
}

#[test]
fn prismas_schema_says_which_database() {
    let schema = |provider: &str| {
        let text = format!(
            "generator client {{\n  provider = \"prisma-client-js\"\n}}\ndatasource db {{\n  provider = \"{provider}\"\n  url = env(\"DATABASE_URL\")\n}}\n"
        );
        detected(&[
            (
                "package.json",
                r#"{"dependencies": {"@prisma/client": "6"}, "scripts": {"start": "node index.js"}}"#,
            ),
            ("prisma/schema.prisma", &text),
            ("index.js", ""),
        ])
    };
    let mysql = schema("mysql");
    assert_eq!(mysql.services, ["mysql"]);
    assert!(mysql.env["DATABASE_URL"].required);
    assert!(schema("sqlite").services.is_empty());
}

#[test]
fn strapi_reads_by_a_function_of_its_own() {
    let strapi = detected(&[
        (
            "package.json",
            r#"{"scripts": {"start": "strapi start", "build": "strapi build"}, "dependencies": {"@strapi/strapi": "5"}}"#,
        ),
        (
            "config/server.ts",
            "export default ({ env }) => ({\n  host: env('HOST', '0.0.0.0'),\n  port: env.int('PORT', 1338),\n  keys: env.array('APP_KEYS'),\n  url: env('PUBLIC_URL'),\n});\n",
        ),
    ]);
    assert_eq!(strapi.env["HOST"].default.as_deref(), Some("0.0.0.0"));
    assert_eq!(strapi.env["PORT"].default.as_deref(), Some("1338"));
    assert!(strapi.env["APP_KEYS"].required);
    assert!(!strapi.env["PUBLIC_URL"].required);
}

#[test]
fn servers_are_told_their_port_in_an_object() {
    let ports = |lock: &str, text: &str| {
        let package = r#"{"scripts": {"start": "bun index.ts"}}"#;
        detected(&[("package.json", package), (lock, ""), ("index.ts", text)]).ports
    };
    for (text, port) in [
        (
            "Bun.serve({ port: 4001, fetch() { return x({ port: 1 }) } })",
            4001,
        ),
        (
            "Bun.serve<Data>({\n  // port: 1\n  routes: { \"/\": page },\n  port: 4002,\n})",
            4002,
        ),
        (
            "const port: number = 4003\nBun.serve({ fetch, port })",
            4003,
        ),
        (
            "import { serve } from '@hono/node-server'\nserve({ fetch: app.fetch, port: 4004 }, log)",
            4004,
        ),
        (
            "export default {\n  port: 4005,\n  fetch: app.fetch,\n}",
            4005,
        ),
        (
            "const PORT = 4006\nexport default { fetch: app.fetch, port: PORT }",
            4006,
        ),
        ("Bun.serve({ port: process.env.PORT ?? 4007, fetch })", 4007),
        ("const PORT = 4008\napp.listen(PORT)", 4008),
        ("app.listen({ host: '0.0.0.0', port: 4009 })", 4009),
    ] {
        assert_eq!(ports("bun.lock", text), [port], "{text}");
    }
    assert_eq!(ports("bun.lock", "Bun.serve({ fetch })"), [3000]);
    // Neither is a server's.
    for text in [
        "export default { port: 4010 }",
        "serve({ port: 4011 })",
        "export default { fetch",
    ] {
        assert_eq!(ports("bun.lock", text), Vec::<u16>::new(), "{text}");
    }
}

#[test]
fn apollos_own_server_has_a_port() {
    let package = (
        "package.json",
        "{\"dependencies\": {\"@apollo/server\": \"4\"}}",
    );
    let port = |code: &str| detected(&[package, ("index.js", code)]).ports;
    assert_eq!(
        port("await startStandaloneServer(server, { listen: { port: 4100 } });\n"),
        [4100]
    );
    assert_eq!(port("startStandaloneServer(server);\n"), [4000]);
}
