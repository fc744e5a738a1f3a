//! Node programs.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report, run_command};

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"express": "^4.18.2"}}, "node_modules/express": {}}}"#;

fn package(rest: &str) -> String {
    format!(
        "{{\n  \"name\": \"@acme/shop\",\n  \"dependencies\": {{ \"express\": \"^4.18.2\" }}{rest}\n}}\n"
    )
}

#[test]
fn a_locked_express_service() {
    let tree = MemoryTree::new([
        (
            "package.json",
            package(
                ",\n  \"engines\": { \"node\": \">=18\" },\n  \"scripts\": { \"start\": \"node server.js\" }",
            ),
        ),
        ("package-lock.json", LOCK.to_owned()),
        (
            "server.js",
            concat!(
                "const app = require('express')();\napp.get('/healthz', (q, r) => r.send('ok'));\n",
                "const port = process.env.PORT || 8080;\napp.listen(port);\n",
            )
            .to_owned(),
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    shop · a web service in JavaScript on Node 18
    language: JavaScript [package.json, certain]
    framework: Express 4.18 [package.json:3, certain]
    runtime: Node 18 [package.json:4, likely] (package.json:4 says >=18)
    package_manager: npm [package-lock.json, certain]
    dependencies: 1 package [package.json:3, certain] (package-lock.json is locked)
    lock: locked [package-lock.json, certain] (package-lock.json pins every package)
    build_command: npm ci --omit=dev [package-lock.json, certain] (npm reads package-lock.json)
    run_command: npm run start [package.json:5, certain] (runs `node server.js`)
    port: 8080 [server.js:3, certain] (where PORT is not set)
    environment: PORT [server.js:3, certain] (default "8080")
    health: GET /healthz [server.js:2, likely]
    pinned: yes [package-lock.json, certain] (package-lock.json pins every package)
    "#);
}

#[test]
fn a_lock_that_is_for_other_dependencies_is_stale() {
    let changed = package("").replace("^4.18.2", "^5.0.0");
    let commands = |json: &str| {
        detected(&[
            ("package.json", json),
            ("package-lock.json", LOCK),
            ("index.js", ""),
        ])
        .build_commands
    };
    assert_eq!(commands(&package("")), ["npm ci --omit=dev"]);
    assert_eq!(commands(&changed), ["npm install --omit=dev"]);
}

#[test]
fn a_build_script_wants_the_development_dependencies() {
    let json = package(",\n  \"scripts\": { \"start\": \"node dist/x.js\", \"build\": \"tsc\" }");
    let commands = detected(&[("package.json", &json), ("package-lock.json", LOCK)]).build_commands;
    assert_eq!(
        commands,
        ["npm ci", "npm run build", "npm prune --omit=dev"]
    );
}

#[test]
fn a_start_script_may_want_them_too() {
    let json = package(
        ",\n  \"devDependencies\": { \"tsx\": \"4\" }, \"scripts\": { \"start\": \"tsx x.ts\" }",
    );
    assert_eq!(
        detected(&[("package.json", &json)]).build_commands,
        ["npm install"]
    );
}

#[test]
fn the_manager_is_the_one_whose_lock_is_there() {
    let json = package(",\n  \"scripts\": { \"start\": \"node x.js\" }");
    assert_eq!(
        run_command(&[("package.json", &json), ("pnpm-lock.yaml", "")]),
        "pnpm run start"
    );
    assert_eq!(
        detected(&[("package.json", &json), ("yarn.lock", "express@^4.18.2:\n")]).build_commands,
        [
            "npm install --global --force yarn@1.22.22",
            "yarn install --frozen-lockfile --production"
        ]
    );
}

#[test]
fn without_a_start_script_the_main_file_is_the_program() {
    assert_eq!(
        run_command(&[
            ("package.json", &package(",\n\"main\": \"./lib/x.js\"")),
            ("lib/x.js", "")
        ]),
        "node lib/x.js"
    );
    assert_eq!(
        run_command(&[("package.json", &package("")), ("server.js", "")]),
        "node server.js"
    );
}

#[test]
fn a_port_in_the_code_is_the_port() {
    let ports = |code: &str| detected(&[("package.json", &package("")), ("index.js", code)]).ports;
    assert_eq!(ports("app.listen(4000)"), [4000]);
    assert_eq!(ports("app.listen({ port: 4001 })"), [4001]);
    assert_eq!(ports("const p = Number(process.env.PORT) || 4002"), [4002]);
    assert_eq!(ports("app.listen(port)"), [3000]);
}

#[test]
fn variables_are_read_in_every_way() {
    let code = concat!(
        "const a = process.env.A ?? 'a';\n",
        "const b = process.env['B'];\n",
        "const { C, D = 'd' } = process.env;\n",
        "if (!process.env.E) {\n  throw new Error('E');\n}\n",
        "process.env.WRITTEN = '1';\n",
        "// process.env.COMMENT\n",
        "const f = process.env.F || `x${a}`;\n",
    );
    let env = detected(&[("package.json", &package("")), ("index.js", code)]).env;
    let said: Vec<_> = env
        .iter()
        .map(|(name, one)| format!("{name} {} {:?}", one.required, one.default))
        .collect();
    assert_eq!(
        said,
        [
            "A false Some(\"a\")",
            "B false None",
            "C false None",
            "D false Some(\"d\")",
            "E true None",
            "F false None"
        ]
    );
}

#[test]
fn what_is_not_json_is_said_with_its_line() {
    let tree = MemoryTree::new([("package.json", "{\n  \"name\": oops\n}\n")]);
    let analysis = ergon_detect::analyse(&tree);
    assert!(analysis.manifest.applications.is_empty());
    assert!(
        analysis.questions[0]
            .text
            .starts_with("package.json:2 cannot be read: ")
    );
}

#[test]
fn a_package_json_that_is_a_folder_is_passed_over() {
    let tree = MemoryTree::new([("package.json/x", "1"), ("main.py", "")]);
    let analysis = ergon_detect::analyse(&tree);
    assert!(
        analysis
            .questions
            .iter()
            .any(|question| question.text.starts_with("package.json is a folder"))
    );
    assert_eq!(crate::application(&analysis).language, "python");
}

#[test]
fn a_lock_of_any_size_is_read() {
    let packages: Vec<_> = (0..40_000)
        .map(|index| format!(r#""node_modules/package-{index}": {{"version": "1.0.0"}}"#))
        .collect();
    let lock = format!(
        r#"{{"packages": {{"": {{"dependencies": {{"express": "^4.18.2"}}}}, {}}}}}"#,
        packages.join(", ")
    );
    assert!(lock.len() > 1 << 20);
    let package = package("");
    let files = [
        ("package.json", package.as_str()),
        ("package-lock.json", &lock),
        ("index.js", ""),
    ];
    assert_eq!(detected(&files).build_commands, ["npm ci --omit=dev"]);
}

#[test]
fn what_a_build_leaves_for_browsers_is_served() {
    let vite = detected(&[
        (
            "package.json",
            r#"{"scripts": {"start": "vite", "build": "vite build"}, "devDependencies": {"vite": "^6.0.0"}}"#,
        ),
        ("index.html", ""),
        (
            "vite.config.ts",
            "export default { build: { outDir: './www' } }\n",
        ),
    ]);
    assert_eq!(vite.kind, "vite");
    assert_eq!(
        vite.run_command.as_deref(),
        Some("caddy run --config Caddyfile --adapter caddyfile")
    );
    assert_eq!(vite.artifacts, ["www", "Caddyfile"]);
    assert!(vite.build_commands[2].contains("root * www"));
    let library = detected(&[(
        "package.json",
        r#"{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^6.0.0"}}"#,
    )]);
    assert_eq!(library.run_command, None);
}

#[test]
fn angular_says_where_it_puts_its_pages() {
    let site = detected(&[
        (
            "package.json",
            r#"{"scripts": {"start": "ng serve", "build": "ng build"}, "dependencies": {"@angular/core": "^19.0.0"}}"#,
        ),
        (
            "angular.json",
            r#"{"projects": {"shop": {"architect": {"build": {"builder": "@angular-devkit/build-angular:application"}}}}}"#,
        ),
    ]);
    assert_eq!(site.artifacts[0], "dist/shop/browser");
}

#[test]
fn frameworks_that_answer_requests_are_no_sites() {
    let start = |dependencies: &str, scripts: &str| {
        let package =
            format!(r#"{{"dependencies": {{{dependencies}}}, "scripts": {{{scripts}}}}}"#);
        run_command(&[("package.json", &package)])
    };
    let build = r#""build": "x""#;
    assert_eq!(
        start(r#""nuxt": "3""#, build),
        "node .output/server/index.mjs"
    );
    assert_eq!(
        start(r#""astro": "5", "@astrojs/node": "9""#, build),
        "node ./dist/server/entry.mjs"
    );
    assert_eq!(
        start(
            r#""vite": "6", "@sveltejs/kit": "2", "@sveltejs/adapter-node": "5""#,
            build
        ),
        "node build"
    );
    assert_eq!(
        start(
            r#""next": "15""#,
            r#""build": "next build", "start": "next start""#
        ),
        "npm run start"
    );
}

#[test]
fn bun_and_the_newer_yarn_are_known_by_their_files() {
    let bun = detected(&[
        ("package.json", r#"{"dependencies": {"hono": "4"}}"#),
        ("bun.lock", ""),
        ("index.ts", "export default { port: 3000 }\n"),
    ]);
    assert_eq!(bun.run_command.as_deref(), Some("bun index.ts"));
    assert_eq!(bun.package_manager.as_deref(), Some("bun"));
    assert_eq!(bun.runtime.unwrap().name, "bun");
    for package in [
        r#"{"scripts": {"start": "bun run x.ts"}}"#,
        r#"{"devDependencies": {"@types/bun": "1"}, "module": "x.ts"}"#,
    ] {
        let bun = detected(&[("package.json", package), ("x.ts", "")]);
        assert_eq!(bun.runtime.unwrap().name, "bun");
    }
    let yarn = detected(&[
        (
            "package.json",
            r#"{"packageManager": "yarn@4.5.0", "scripts": {"start": "node ."}}"#,
        ),
        ("yarn.lock", ""),
    ]);
    assert_eq!(
        yarn.build_commands,
        [
            "npm install --global --force @yarnpkg/cli-dist@4.5.0",
            "YARN_ENABLE_GLOBAL_CACHE=false yarn install --immutable"
        ]
    );
}

#[test]
fn names_of_versions_are_versions() {
    for (written, version) in [
        ("lts/iron", "20"),
        ("v18.17.1", "18.17.1"),
        ("20", "20"),
        ("lts/jod", "22"),
        ("lts/hydrogen", "18"),
        ("lts/Krypton", "24"),
        ("lts/*", "24"),
        ("lts/-1", "22"),
        ("node", "26"),
        ("stable", "26"),
        ("latest", "26"),
        ("current", "26"),
        ("^22.1", "22"),
    ] {
        let application = detected(&[
            ("package.json", "{}"),
            ("index.js", ""),
            (".nvmrc", written),
        ]);
        assert_eq!(application.runtime.unwrap().version, version, "{written}");
    }
    let tree = MemoryTree::new([
        ("package.json", "{}"),
        ("index.js", ""),
        (".nvmrc", "lts/*"),
    ]);
    let facts = ergon_detect::analyse(&tree).facts;
    let runtime = facts.iter().find(|fact| fact.value == "Node 24").unwrap();
    assert_eq!(runtime.note.as_deref(), Some(".nvmrc:1 says lts/*"));
}

#[test]
fn a_package_of_a_workspace_is_installed_with_the_others() {
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"workspaces": ["apps/*"], "engines": {"node": ">=20"}}"#,
        ),
        ("package-lock.json", "{}"),
        (
            "apps/web/package.json",
            r#"{"name": "web", "scripts": {"start": "node ."}}"#,
        ),
        (
            "apps/api/package.json",
            r#"{"name": "api", "scripts": {"start": "node ."}}"#,
        ),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let api = &analysis.manifest.applications["api"];
    assert_eq!(
        api.build_commands,
        ["cd ../.. && npm ci", "cd ../.. && npm prune --omit=dev"]
    );
    let runtime = api.runtime.as_ref().unwrap();
    assert_eq!(
        (runtime.version.as_str(), runtime.from.as_deref()),
        ("24", Some("package.json:1"))
    );
    let report = report(&tree);
    assert!(
        report.contains("lock: locked [package-lock.json, certain]"),
        "{report}"
    );
}
