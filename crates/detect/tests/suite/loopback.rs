//! Servers that nobody outside their container reaches.

use ergon_detect::memory::MemoryTree;

use crate::plans::{application, planned};
use crate::report;

/// Where somebody is asked who is to reach the program.
fn asked(files: &[(&str, &str)]) -> Option<String> {
    let report = report(&MemoryTree::new(files.iter().copied()));
    let line = report
        .lines()
        .find_map(|line| line.strip_prefix("? Who is to reach it? "))?;
    line.split_once(' ').map(|(from, _)| from.to_owned())
}

#[test]
fn of_node() {
    let of = |package: &str, code: &str| {
        let package = format!(
            r#"{{"scripts": {{"start": "node index.js"}}, "dependencies": {{"{package}": "5"}}}}"#
        );
        asked(&[("package.json", &package), ("index.js", code)])
    };
    for (package, code) in [
        ("express", "app.listen(3000, '127.0.0.1', () => {})"),
        ("express", "app.listen({ port: 3000, host: 'localhost' })"),
        (
            "express",
            "server.listen(3000, name); const name = \"127.0.0.1\";",
        ),
        ("fastify", "app.listen({ port: 3000 }, (error) => {})"),
        ("fastify", "await app.listen(3000)"),
    ] {
        assert_eq!(of(package, code).as_deref(), Some("index.js:1"), "{code}");
    }
    for (package, code) in [
        ("express", "app.listen(3000)"),
        (
            "express",
            "app.listen(3000, () => console.log('http://localhost:3000', 'localhost'))",
        ),
        ("fastify", "app.listen({ port, host: '0.0.0.0' })"),
        ("fastify", "app.listen({ port, host: process.env.HOST })"),
        ("fastify", "app.listen(options)"),
    ] {
        assert_eq!(of(package, code), None, "{code}");
    }
}

#[test]
fn of_go() {
    let of = |code: &str| {
        let main = format!("package main\n\nfunc main() {{\n{code}\n}}\n");
        asked(&[("go.mod", "module shop\n"), ("main.go", &main)])
    };
    for code in [
        "http.ListenAndServe(\"127.0.0.1:8080\", nil)",
        "http.ListenAndServe(\"localhost:\"+port, nil)",
        "http.ListenAndServe(addr, nil); const addr = \"localhost:80\"",
    ] {
        assert_eq!(of(code).as_deref(), Some("main.go:4"), "{code}");
    }
    assert_eq!(of("http.ListenAndServe(\":8080\", nil)"), None);
}

#[test]
fn of_rust_and_python() {
    let main = "fn main() {\n let port = std::env::var(\"PORT\").unwrap_or(\"80\".into());\n TcpListener::bind(format!(\"127.0.0.1:{port}\"));\n}\n";
    let package = "[package]\nname = \"shop\"\n[dependencies]\naxum = \"0.8\"\n";
    assert_eq!(
        asked(&[("Cargo.toml", package), ("src/main.rs", main)]).as_deref(),
        Some("src/main.rs:3")
    );
    let main = "from http.server import HTTPServer\nHTTPServer((\"localhost\", 8000), H).serve_forever()\n";
    assert_eq!(asked(&[("main.py", main)]).as_deref(), Some("main.py:2"));
}

#[test]
fn of_dotnet() {
    let project = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>";
    let code = "var app = WebApplication.Create();\napp.Run(\"http://localhost:5000\");\n";
    let code = [("shop.csproj", project), ("Program.cs", code)];
    assert_eq!(asked(&code).as_deref(), Some("Program.cs:2"));
    let settings =
        "{\"Kestrel\": {\"Endpoints\": {\"Web\": {\n\"Url\": \"http://localhost:5000\"}}}}";
    let settings = [
        ("shop.csproj", project),
        ("Program.cs", "WebApplication.Create().Run();"),
        ("appsettings.json", settings),
    ];
    assert_eq!(asked(&settings).as_deref(), Some("appsettings.json:2"));
}

#[test]
fn a_program_that_reads_where_to_listen_is_told() {
    let variable = |default: &str| ergon_manifest::EnvironmentVariable {
        default: Some(default.to_owned()),
        ..ergon_manifest::EnvironmentVariable::default()
    };
    let mut web = application("javascript", &[]);
    web.ports = vec![3000];
    web.env = [
        ("HOST".to_owned(), variable("127.0.0.1")),
        ("ADDR".to_owned(), variable("localhost:80")),
        ("DB_HOST".to_owned(), variable("localhost")),
        ("SERVER_HOST".to_owned(), variable("localhost.example")),
    ]
    .into();
    let env = planned(web, "node:18-slim", &[]).config.env;
    assert_eq!(env["HOST"], "0.0.0.0");
    assert_eq!(env["ADDR"], "0.0.0.0:80");
    assert!(!env.contains_key("DB_HOST") && !env.contains_key("SERVER_HOST"));
}
