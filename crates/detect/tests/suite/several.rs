//! Projects of several programs.

use std::fmt::Write as _;

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::report;

const EXPRESS: &str =
    "{\"dependencies\": {\"express\": \"4\"}, \"scripts\": {\"start\": \"node server.js\"}}";

fn express(name: &str) -> String {
    EXPRESS.replacen('{', &format!("{{\"name\": \"{name}\", "), 1)
}

/// Each container: its tier, where its program lies, how it is started and what must be there first.
fn containers(tree: &MemoryTree) -> String {
    let manifest = ergon_detect::analyse(tree).manifest;
    let checked = ergon_manifest::check(&ergon_manifest::to_pretty_json(&manifest));
    assert!(checked.is_ok(), "{checked:?}");
    ergon_detect::plan::plan(&manifest, tree).unwrap();
    let mut lines = String::new();
    for name in &manifest.packaging.build_order {
        let container = &manifest.containers[name];
        let application = &manifest.applications[&container.applications[0]];
        let tier = container.tier.map(|tier| format!("{tier:?}"));
        let _ = writeln!(
            lines,
            "{name} ({}): {} in {}{}",
            tier.unwrap_or_default().to_lowercase(),
            application.run_command.as_deref().unwrap_or("-"),
            application.path.as_deref().unwrap_or("."),
            if container.depends_on.is_empty() {
                String::new()
            } else {
                format!(" after {}", container.depends_on.join(", "))
            }
        );
    }
    lines
}

#[test]
fn one_program_to_a_folder() {
    let tree = MemoryTree::new([
        ("backend/requirements.txt", "flask==3.0.0\n"),
        (
            "backend/app.py",
            "from flask import Flask\napp = Flask(__name__)\n",
        ),
        (
            "frontend/index.html",
            "<script>fetch('http://backend:5000/api')</script>",
        ),
    ]);
    let text = containers(&tree);
    assert!(text.starts_with("backend (backend): "), "{text}");
    assert!(
        text.ends_with("frontend (frontend): caddy run --config Caddyfile --adapter caddyfile in frontend after backend\n"),
        "{text}"
    );
}

#[test]
fn a_workspace_is_its_programs_without_its_libraries() {
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"name": "all", "private": true, "workspaces": ["apps/*", "packages/*"]}"#
                .to_owned(),
        ),
        ("apps/web/package.json", express("web")),
        (
            "apps/web/server.js",
            "fetch(process.env.ORDERS_URL)".to_owned(),
        ),
        ("apps/orders/package.json", express("@acme/orders")),
        ("apps/orders/server.js", String::new()),
        (
            "packages/colours/package.json",
            r#"{"name": "colours", "main": "index.js"}"#.to_owned(),
        ),
        ("packages/colours/index.js", String::new()),
    ]);
    assert_snapshot!(containers(&tree), @r"
    orders (backend): npm run start in apps/orders
    web (backend): npm run start in apps/web after orders
    ");
}

#[test]
fn a_compose_file_names_what_it_builds_and_what_waits_for_what() {
    let compose = "\
services:
  site:
    build: ./pages
    ports: ['80:3000']
    depends_on:
      api: {condition: service_healthy}
  api:
    build: {context: ./server}
    environment:
      DATABASE_URL: postgres://user:secret@db/shop
      SESSIONS: redis://cache:6379
    volumes: ['uploads:/var/uploads', './server:/app']
    healthcheck:
      test: curl -f http://localhost:3000/alive
  mail:
    build: server
    command: node mail.js
    depends_on: [queue]
  db: {image: 'postgres:16'}
  cache: {image: 'redis:7-alpine'}
  queue: {image: rabbitmq}
";
    let tree = MemoryTree::new([
        ("compose.yaml", compose.to_owned()),
        ("pages/package.json", express("pages")),
        ("pages/server.js", String::new()),
        ("server/package.json", express("server")),
        ("server/server.js", String::new()),
        ("server/mail.js", String::new()),
    ]);
    assert_snapshot!(containers(&tree), @r"
    api (backend): npm run start in server
    site (backend): npm run start in pages after api
    mail (middleware): node mail.js in server
    ");
    let manifest = ergon_detect::analyse(&tree).manifest;
    let api = &manifest.applications["api"];
    assert_eq!(api.services, ["postgresql", "redis"]);
    assert_eq!(api.volumes, ["/var/uploads"]);
    assert_eq!(api.health.as_ref().unwrap().path, "/alive");
    assert_eq!(manifest.applications["mail"].services, ["rabbitmq"]);
    // Nobody's password becomes a default.
    assert_eq!(api.env["DATABASE_URL"].default, None);
    let text = report(&tree);
    for line in [
        "service: api [compose.yaml:6, certain] (part of this project; the compose file starts it first)",
        "service: PostgreSQL [compose.yaml:19, certain]",
        "environment: SESSIONS [compose.yaml:11, certain] (the compose file sets it)",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_root_that_starts_by_itself_stays_one_beside_what_compose_builds() {
    let tree = MemoryTree::new([
        ("package.json", express("shop")),
        ("server.js", "app.listen(3000)".to_owned()),
        ("tools/package.json", express("tools")),
        ("images/package.json", express("images")),
        ("images/server.js", String::new()),
        (
            "docker-compose.yml",
            "services:\n  app:\n    build: .\n    links: [resize]\n  resize:\n    build: images\n"
                .to_owned(),
        ),
    ]);
    assert_snapshot!(containers(&tree), @r"
    resize (backend): npm run start in images
    app (backend): npm run start in . after resize
    ");
}

#[test]
fn one_program_of_a_compose_file_keeps_its_name() {
    let tree = MemoryTree::new([
        ("package.json", express("shop")),
        ("server.js", String::new()),
        (
            "compose.yaml",
            "services:\n  web:\n    build: .\n    ports:\n      - 127.0.0.1:80:4000\n  db:\n    image: postgis/postgis:16\n".to_owned(),
        ),
    ]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    let shop = &manifest.applications["shop"];
    assert_eq!(shop.ports, [4000]);
    assert_eq!(shop.services, ["postgresql"]);
    assert_eq!(manifest.containers["shop"].tier, None);
}

#[test]
fn who_is_called_need_not_call_back() {
    // The service says from where it may be called; that does not put it behind the site.
    let tree = MemoryTree::new([
        ("api/package.json", express("api")),
        (
            "api/server.js",
            "cors({ origin: 'http://localhost:8080' })\napp.listen(4000)".to_owned(),
        ),
        (
            "web/index.html",
            "<script>fetch('http://localhost:4000')</script>".to_owned(),
        ),
    ]);
    assert_snapshot!(containers(&tree), @r"
    api (backend): npm run start in api
    web (frontend): caddy run --config Caddyfile --adapter caddyfile in web after api
    ");
}

#[test]
fn what_waits_for_each_other_waits_for_one_only() {
    let tree = MemoryTree::new([
        ("one/package.json", express("one")),
        ("one/server.js", "fetch('http://two/x')".to_owned()),
        ("two/package.json", express("two")),
        ("two/server.js", "fetch('http://one/x')".to_owned()),
    ]);
    assert_snapshot!(containers(&tree), @r"
    two (backend): npm run start in two
    one (backend): npm run start in one after two
    ");
}

#[test]
fn names_are_made_different() {
    let tree = MemoryTree::new([
        ("a/package.json", express("shop")),
        ("a/server.js", String::new()),
        ("b/package.json", express("shop")),
        ("b/server.js", String::new()),
    ]);
    assert_snapshot!(containers(&tree), @r"
    shop (backend): npm run start in a
    shop-2 (backend): npm run start in b
    ");
}

#[test]
fn what_stands_between_others_is_middleware() {
    let tree = MemoryTree::new([
        ("gateway/package.json", express("gateway")),
        (
            "gateway/server.js",
            "proxy({ target: 'http://users:3000' })".to_owned(),
        ),
        ("users/package.json", express("users")),
        ("users/server.js", String::new()),
    ]);
    assert_snapshot!(containers(&tree), @r"
    users (backend): npm run start in users
    gateway (middleware): npm run start in gateway after users
    ");
}

#[test]
fn a_platform_names_the_folder_of_each_service() {
    let tree = MemoryTree::new([
        ("api/package.json", express("api")),
        ("api/server.js", String::new()),
        ("web/package.json", express("web")),
        ("web/server.js", String::new()),
        (
            "render.yaml",
            "services:\n  - type: web\n    rootDir: api\n    startCommand: node server.js --api\n  - type: web\n    rootDir: ./web/\n    startCommand: node server.js --web\n".to_owned(),
        ),
    ]);
    assert_snapshot!(containers(&tree), @r"
    api (backend): node server.js --api in api
    web (backend): node server.js --web in web
    ");
    assert!(report(&tree).contains("run_command: node server.js --api [render.yaml:4, certain]"));
}

#[test]
fn contexts_outside_of_the_project_are_passed_over() {
    let tree = MemoryTree::new([
        ("package.json", express("shop")),
        ("server.js", String::new()),
        (
            "compose.yaml",
            "services:\n  a: {build: ../other}\n  b: {build: /etc}\n  c: {build: 'https://x.test/y.git'}\n  d: {build: missing}\n  e: 3\n  f: {build: {context: [1]}}\n".to_owned(),
        ),
    ]);
    assert_snapshot!(containers(&tree), @"shop (): npm run start in .");
}

#[test]
fn aliases_without_end_are_not_followed() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (one, next) in ('a'..'j').zip('b'..) {
        let all = vec![format!("*{one}"); 9].join(", ");
        let _ = writeln!(bomb, "{next}: &{next} [{all}]");
    }
    bomb.push_str("services:\n  x: {build: .}\n");
    let tree = MemoryTree::new([
        ("package.json", express("shop")),
        ("server.js", String::new()),
        ("compose.yaml", bomb.clone()),
        ("render.yaml", bomb),
    ]);
    assert!(report(&tree).contains("compose.yaml:"));
    assert_snapshot!(containers(&tree), @"shop (): npm run start in .");
}

#[test]
fn beside_a_program_at_the_root_others_are_asked_about() {
    let pages = "{\"name\": \"pages\", \"scripts\": {\"build\": \"vite build\"}, \"devDependencies\": {\"vite\": \"5\"}}";
    let tree = MemoryTree::new([
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("frontend/package.json", pages),
        ("frontend/index.html", "<p>"),
    ]);
    let asked = "? Is frontend a program of its own? It looks like a site in JavaScript on Node 18, but only what is at the root was taken.";
    assert!(report(&tree).contains(asked), "{}", report(&tree));
    let tree = tree.with(
        "Procfile",
        "web: npm --prefix frontend run build && flask run\n",
    );
    assert!(!report(&tree).contains("of its own?"));
}

#[test]
fn programs_are_spoken_of_with_and_without_dashes() {
    let tree = MemoryTree::new([
        (
            "go.work",
            "go 1.21\n\nuse (\n\t./front\n\t./productcatalogservice\n)\n",
        ),
        ("front/go.mod", "module front\n"),
        (
            "front/main.go",
            "package main\n\nfunc main() {\n\tmustMap(&address, \"PRODUCT_CATALOG_SERVICE_ADDR\")\n}\n",
        ),
        ("productcatalogservice/go.mod", "module catalog\n"),
        (
            "productcatalogservice/main.go",
            "package main\n\nfunc main() {}\n",
        ),
    ]);
    assert_snapshot!(containers(&tree), @r"
    catalog (backend): ./out in productcatalogservice
    front (backend): ./out in front after catalog
    ");
}

#[test]
fn a_program_deep_in_what_is_built_has_the_services_name() {
    let tree = MemoryTree::new([
        ("web/package.json", express("web")),
        ("web/server.js", String::new()),
        ("cart/src/package.json", express("inner")),
        ("cart/src/server.js", String::new()),
        (
            "compose.yaml",
            "services:\n  web:\n    build: web\n    environment:\n      CART: http://cart:3000\n  cart:\n    build: cart\n".to_owned(),
        ),
    ]);
    assert_snapshot!(containers(&tree), @r"
    cart (backend): npm run start in cart/src
    web (backend): npm run start in web after cart
    ");
}

#[test]
fn pages_that_are_built_are_no_finished_site() {
    let tree = MemoryTree::new([
        ("api/package.json", express("api")),
        ("api/server.js", String::new()),
        (
            "site/package.json",
            "{\"scripts\": {\"build\": \"vite build\"}, \"devDependencies\": {\"vite\": \"5\"}}"
                .to_owned(),
        ),
        ("site/index.html", "<p>".to_owned()),
    ]);
    let text = containers(&tree);
    assert!(text.starts_with("api (backend): "), "{text}");
    assert!(text.contains("site (frontend): caddy run"), "{text}");
}

#[test]
fn databases_and_servers_that_are_built_stand_in_their_tiers() {
    let tree = MemoryTree::new([
        ("api/package.json", express("api")),
        ("api/server.js", String::new()),
        ("db/Dockerfile", "FROM postgres:15\nCOPY init.sql /docker-entrypoint-initdb.d/\nRUN apt-get update\n".to_owned()),
        ("db/init.sql", String::new()),
        ("proxy/Dockerfile", "FROM nginx:1.25\nCOPY shop.conf /etc/nginx/conf.d/default.conf\n".to_owned()),
        (
            "proxy/shop.conf",
            "upstream shop { \n  server api:3000;\n}\nserver {\n  listen 80;\n}\n".to_owned(),
        ),
        (
            "compose.yaml",
            "services:\n  api: {build: api, depends_on: [db]}\n  db: {build: db}\n  proxy: {build: proxy}\n".to_owned(),
        ),
    ]);
    assert_snapshot!(containers(&tree), @r"
    db (database): docker-entrypoint.sh postgres in db
    api (backend): npm run start in api after db
    proxy (middleware): nginx -g 'daemon off;' in proxy after api
    ");
    let analysis = ergon_detect::analyse(&tree);
    let applications = analysis.manifest.applications;
    assert_eq!(
        applications["db"].build_commands,
        ["install -D -m 644 init.sql /docker-entrypoint-initdb.d/init.sql"]
    );
    assert_eq!(
        (&applications["proxy"].ports, &applications["db"].ports),
        (&vec![8080], &vec![5432])
    );
    assert!(
        report(&tree).contains("? What does db/Dockerfile:3 do for it?"),
        "{}",
        report(&tree)
    );
}

#[test]
fn a_server_that_listens_higher_stays_there() {
    let tree = MemoryTree::new([
        (
            "Dockerfile",
            "FROM nginx\nCOPY conf/ /etc/nginx/conf.d/\nCOPY a.conf b.conf ./\nCMD [\"nginx-debug\", \"-g\", \"daemon off;\"]\n",
        ),
        ("conf/x.conf", ""),
        ("a.conf", "server { listen [::]:9000; }\n"),
    ]);
    let server = ergon_detect::analyse(&tree).manifest.applications["app"].clone();
    assert_eq!(server.ports, [9000]);
    assert_eq!(
        server.run_command.as_deref(),
        Some("nginx-debug -g 'daemon off;'")
    );
    assert_eq!(
        server.build_commands[..2],
        [
            "mkdir -p /etc/nginx/conf.d && cp -r conf/. /etc/nginx/conf.d",
            "install -D -m 644 a.conf /a.conf"
        ]
    );
}

#[test]
fn clients_name_whom_they_call() {
    let page = |proxy: &str| {
        format!(
            "{{\"proxy\": \"{proxy}\", \"scripts\": {{\"build\": \"vite build\"}}, \"devDependencies\": {{\"vite\": \"5\"}}}}"
        )
    };
    let server = "require('express')().listen(8080);\n";
    let tree = MemoryTree::new([
        ("api/package.json", express("api")),
        ("api/server.js", server.to_owned()),
        ("page/package.json", page("http://localhost:8080")),
        ("page/index.html", String::new()),
        ("caller/package.json", express("caller")),
        (
            "caller/server.js",
            "dial('page-api:1', \"api:50051\");\n".to_owned(),
        ),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let after = |name: &str| analysis.manifest.containers[name].depends_on.clone();
    assert_eq!(after("caller"), ["api"]);
    // A page in a browser never means the port of its own server.
    assert_eq!(after("page"), ["api"]);
}

#[test]
fn a_package_that_starts_several_side_by_side_is_none_itself() {
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"scripts": {"start": "concurrently \"npm:api\" \"npm run web\"", "api": "cd api && npm start", "web": "npm --prefix web start"}, "devDependencies": {"concurrently": "8"}}"#.to_owned(),
        ),
        ("api/package.json", express("api")),
        ("api/server.js", String::new()),
        ("web/package.json", express("web")),
        ("web/server.js", String::new()),
    ]);
    assert_snapshot!(containers(&tree), @r"
    api (backend): npm run start in api
    web (backend): npm run start in web
    ");
}

#[test]
fn tools_are_no_programs_of_the_project() {
    let main = "package main\n\nfunc main() {}\n";
    let tree = MemoryTree::new([
        ("api/go.mod", "module api\n"),
        ("api/main.go", main),
        ("tools/gen/go.mod", "module gen\n"),
        ("tools/gen/main.go", main),
    ]);
    assert_snapshot!(containers(&tree), @"api (): ./out in api");
}

#[test]
fn the_projects_dockerfile_names_the_version_for_its_folders() {
    let tree = MemoryTree::new([
        (
            "Dockerfile",
            "FROM php:8.1-apache\nCOPY src /var/www/html\n",
        ),
        ("src/index.php", "<?php echo 1;\n"),
    ]);
    let text = report(&tree);
    assert!(
        text.contains("runtime: PHP 8.1 [Dockerfile:1, certain]"),
        "{text}"
    );
}

#[test]
fn an_address_may_stand_in_brackets() {
    let tree = MemoryTree::new([
        ("shop/package.json", express("shop")),
        ("shop/server.js", String::new()),
        ("data/Dockerfile", "FROM mysql:8\nCOPY . /docker-entrypoint-initdb.d\n".to_owned()),
        (
            "compose.yaml",
            "services:\n  shop:\n    build: shop\n    environment:\n      DSN: 'root@tcp(data:3306)/shop'\n  data: {build: data}\n".to_owned(),
        ),
    ]);
    assert_snapshot!(containers(&tree), @r"
    data (database): docker-entrypoint.sh mysqld in data
    shop (backend): npm run start in shop after data
    ");
}

#[test]
fn a_library_that_vite_builds_is_no_site() {
    let library = r#"{"name": "ui", "exports": {".": "./dist/index.js"}, "scripts": {"dev": "vite build --watch", "build": "vite build"}, "devDependencies": {"vite": "7"}}"#;
    let site = r#"{"name": "web", "scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "7"}}"#;
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"private": true, "workspaces": ["packages/*", "apps/*"]}"#,
        ),
        ("packages/ui/package.json", library),
        ("packages/ui/vite.config.ts", ""),
        ("apps/web/package.json", site),
        ("apps/web/index.html", ""),
        ("apps/api/package.json", express("api").as_str()),
    ]);
    let applications = ergon_detect::analyse(&tree).manifest.applications;
    assert_eq!(applications.keys().collect::<Vec<_>>(), ["api", "web"]);
}

#[test]
fn what_is_open_for_many_is_asked_at_once() {
    let package = |name: &str| express(name);
    let packages = ["basket", "catalog", "orders", "payment"].map(package);
    let tree = MemoryTree::new([
        ("basket/package.json", packages[0].as_str()),
        ("catalog/package.json", packages[1].as_str()),
        ("orders/package.json", packages[2].as_str()),
        ("payment/package.json", packages[3].as_str()),
    ]);
    let questions = ergon_detect::analyse(&tree).questions;
    let versions: Vec<_> = questions
        .iter()
        .filter(|question| question.text.starts_with("Node version?"))
        .collect();
    assert_eq!(versions.len(), 1);
    assert_eq!(
        versions[0].text,
        "Node version? nothing says; 18 assumed. So it is with basket, catalog and 2 more."
    );
}

#[test]
fn a_workspace_of_one_program_is_one_beside_those_of_other_languages() {
    let page = "{\"scripts\": {\"build\": \"vite build\"}, \"devDependencies\": {\"vite\": \"5\"}}";
    let workspace = [
        ("Cargo.toml", "[workspace]\nmembers = [\"api\"]\n"),
        ("api/Cargo.toml", "[package]\nname = \"api\"\n"),
        ("api/src/main.rs", "fn main() {}\n"),
    ];
    let tree = MemoryTree::new(workspace);
    assert_snapshot!(containers(&tree), @"api (): ./bin/api in .");
    let tree = tree.with("ui/package.json", page).with("ui/index.html", "");
    let text = containers(&tree);
    assert!(
        text.starts_with("api (backend): ./bin/api in api\nui (frontend): caddy run"),
        "{text}"
    );
}

#[test]
fn a_folder_with_the_image_of_the_others_is_no_program() {
    let tree = MemoryTree::new([
        ("crates/server/package.json", express("server").as_str()),
        (
            "docker/Dockerfile",
            "FROM rust AS build\nRUN cargo build\nFROM debian\nCOPY --from=build /app/server /bin/server\nCMD [\"server\"]\n",
        ),
    ]);
    let applications = ergon_detect::analyse(&tree).manifest.applications;
    assert_eq!(applications.keys().collect::<Vec<_>>(), ["server"]);
}
