//! How a package is started.

use ergon_detect::analyse;
use ergon_detect::memory::MemoryTree;

use crate::{detected, report, run_command};

#[test]
fn a_start_script_may_lead_to_another() {
    let start = |dev: &str| {
        let package = format!(
            r#"{{"scripts": {{"start": "npm run dev", "dev": "{dev}", "build": "vite build"}}, "devDependencies": {{"vite": "6"}}}}"#
        );
        run_command(&[("package.json", &package), ("index.html", "")])
    };
    assert!(start("vite --host").starts_with("caddy run"));
    assert_eq!(start("node server.js"), "npm run start");
    assert_eq!(start("npm run start"), "npm run start");
}

#[test]
fn what_the_build_leaves_is_started_where_the_script_is_for_working_on_it() {
    let start = |dependencies: &str, start: &str, files: &[(&str, &str)]| {
        let package = format!(
            r#"{{"dependencies": {{{dependencies}}}, "scripts": {{"start": "{start}", "build": "x"}}}}"#
        );
        let files: Vec<_> = [("package.json", package.as_str())]
            .into_iter()
            .chain(files.iter().copied())
            .collect();
        run_command(&files)
    };
    let next = r#""next": "15""#;
    assert_eq!(start(next, "next dev", &[]), "npx next start");
    assert_eq!(start(next, "next start", &[]), "npm run start");
    let exported = ("next.config.js", "module.exports = { output: 'export' }\n");
    assert!(start(next, "next start", &[exported]).starts_with("caddy run"));
    assert_eq!(start(next, "serve out", &[exported]), "npm run start");
    let standalone = (
        "next.config.mjs",
        "export default { output: 'standalone' }\n",
    );
    assert_eq!(
        start(next, "next dev", &[standalone]),
        "node .next/standalone/server.js"
    );
    let remix = r#""@remix-run/serve": "2""#;
    assert_eq!(
        start(remix, "remix dev", &[]),
        "npx remix-serve ./build/index.js"
    );
    let kit = r#""@sveltejs/kit": "2", "vite": "6""#;
    let svelte = ("svelte.config.js", "adapter({ out: 'www' })\n");
    assert_eq!(
        start(
            &format!(r#"{kit}, "@sveltejs/adapter-node": "5""#),
            "vite dev",
            &[svelte]
        ),
        "node www"
    );
    assert_eq!(
        start(
            &format!(r#"{kit}, "@sveltejs/adapter-auto": "5""#),
            "vite dev",
            &[]
        ),
        "npx vite preview --host 0.0.0.0 --port ${PORT:-3000}"
    );
    let angular = r#"{"projects": {"shop": {"architect": {"build": {"builder": "@angular-devkit/build-angular:application"}}}}}"#;
    assert_eq!(
        start(
            r#""@angular/core": "19", "@angular/ssr": "19""#,
            "ng serve",
            &[("angular.json", angular)]
        ),
        "node dist/shop/server/server.mjs"
    );
}

#[test]
fn a_script_for_production_goes_before_one_that_watches() {
    let package = r#"{"scripts": {"start": "nodemon x.js", "start:prod": "node dist/x.js"}}"#;
    assert_eq!(
        run_command(&[("package.json", package)]),
        "npm run start:prod"
    );
    let package = r#"{"scripts": {"start": "nodemon x.js"}}"#;
    assert_eq!(run_command(&[("package.json", package)]), "npm run start");
    let package = r#"{"scripts": {"serve": "node x.js"}}"#;
    assert_eq!(
        run_command(&[("package.json", package), ("index.js", "")]),
        "node index.js"
    );
}

#[test]
fn a_main_file_may_come_of_the_build() {
    let package = r#"{"main": "dist/index.js", "scripts": {"build": "x"}}"#;
    assert_eq!(
        run_command(&[("package.json", package), ("src/index.ts", "")]),
        "node dist/index.js"
    );
    let library = r#"{"main": "dist/x.js", "types": "dist/x.d.ts", "scripts": {"build": "x"}}"#;
    assert_eq!(detected(&[("package.json", library)]).run_command, None);
}

#[test]
fn typescript_is_run_by_what_takes_it() {
    let start = |rest: &str, more: &[(&str, &str)]| {
        let package = format!(r#"{{"name": "x"{rest}}}"#);
        let files: Vec<_> = [("package.json", package.as_str()), ("src/index.ts", "")]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let application = detected(&files);
        let version = application.runtime.unwrap().version;
        (application.run_command.unwrap(), version)
    };
    let started = |command: &str, version: &str| (command.to_owned(), version.to_owned());
    let tsc = r#", "scripts": {"build": "tsc"}, "devDependencies": {"typescript": "5"}"#;
    let settings = "{\n  // compiled\n  \"compilerOptions\": {\"outDir\": \"./dist\"}\n}";
    assert_eq!(
        start(tsc, &[("tsconfig.json", settings)]),
        started("node dist/index.js", "18")
    );
    assert_eq!(
        start(tsc, &[("tsconfig.json", "{}")]),
        started("node src/index.js", "18")
    );
    assert_eq!(
        start(r#", "devDependencies": {"tsx": "4"}"#, &[]),
        started("npx tsx src/index.ts", "18")
    );
    assert_eq!(
        start(r#", "engines": {"node": ">=22.18"}"#, &[]),
        started("node src/index.ts", "24")
    );
    assert_eq!(
        start("", &[("bun.lock", "")]),
        started("bun src/index.ts", "1")
    );
}

#[test]
fn typescript_is_compiled_where_the_compiler_is_there_and_nothing_else() {
    let package = r#"{"devDependencies": {"typescript": "5"}}"#;
    let settings = r#"{"extends": "./base", "compilerOptions": {"rootDir": "."}}"#;
    let compiled = detected(&[
        ("package.json", package),
        ("index.ts", ""),
        ("tsconfig.json", settings),
        ("base.json", r#"{"compilerOptions": {"outDir": "out"}}"#),
    ]);
    assert_eq!(compiled.run_command.as_deref(), Some("node out/index.js"));
    assert_eq!(
        compiled.build_commands,
        ["npm install", "npx tsc", "npm prune --omit=dev"]
    );
    let checked = detected(&[
        ("package.json", package),
        ("index.ts", ""),
        ("tsconfig.json", r#"{"compilerOptions": {"noEmit": true}}"#),
    ]);
    assert_eq!(checked.run_command, None);
}

#[test]
fn typescript_on_a_node_that_does_not_take_it_is_asked_about() {
    let tree = MemoryTree::new([
        ("package.json", r#"{"engines": {"node": "20.x"}}"#),
        ("index.ts", ""),
    ]);
    let analysis = analyse(&tree);
    assert!(
        analysis
            .questions
            .iter()
            .any(|question| question.text.starts_with("What runs index.ts?"))
    );
}

#[test]
fn a_root_that_only_holds_its_packages_together_is_no_program() {
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"workspaces": ["apps/*"], "scripts": {"build": "turbo run build"}, "dependencies": {"next": "15"}}"#,
        ),
        (
            "apps/web/package.json",
            r#"{"name": "web", "dependencies": {"next": "15"}, "scripts": {"build": "next build", "start": "next start"}}"#,
        ),
    ]);
    let analysis = analyse(&tree);
    let web = crate::application(&analysis);
    assert_eq!(web.path.as_deref(), Some("apps/web"));
}

#[test]
fn a_site_may_be_built_without_a_script_for_it() {
    let commands = |package: &str, files: &[(&str, &str)]| {
        let files: Vec<_> = [("package.json", package)]
            .into_iter()
            .chain(files.iter().copied())
            .collect();
        let site = detected(&files);
        (site.build_commands[1].clone(), site.artifacts[0].clone())
    };
    let expo = r#"{"scripts": {"start": "expo start"}, "dependencies": {"expo": "52", "react-native-web": "0.19"}}"#;
    assert_eq!(
        commands(expo, &[]),
        (
            "npx expo export --platform web".to_owned(),
            "dist".to_owned()
        )
    );
    let documents = r#"{"scripts": {"docs:build": "vitepress build docs"}, "devDependencies": {"vitepress": "1"}}"#;
    assert_eq!(
        commands(documents, &[]),
        (
            "npm run docs:build".to_owned(),
            "docs/.vitepress/dist".to_owned()
        )
    );
    let vite = r#"{"scripts": {"start": "vite"}, "devDependencies": {"vite": "6"}}"#;
    assert_eq!(
        commands(vite, &[("index.html", "")]),
        ("npx vite build".to_owned(), "dist".to_owned())
    );
}

#[test]
fn a_bundle_with_a_page_is_a_site() {
    let start = |tools: &str| {
        let package = format!(
            r#"{{"scripts": {{"start": "webpack serve", "build": "webpack"}}, "devDependencies": {{{tools}}}}}"#
        );
        run_command(&[("package.json", &package)])
    };
    assert!(start(r#""webpack": "5", "html-webpack-plugin": "5""#).starts_with("caddy run"));
    assert_eq!(start(r#""webpack": "5""#), "npm run start");
}

#[test]
fn ports_are_those_of_the_command() {
    let ports = |start: &str| {
        let package =
            format!(r#"{{"dependencies": {{"next": "15"}}, "scripts": {{"start": "{start}"}}}}"#);
        detected(&[("package.json", &package)]).ports
    };
    assert_eq!(ports("next start -p 4000"), [4000]);
    assert_eq!(ports("next start --port=4001"), [4001]);
    assert_eq!(ports("PORT=4002 next start"), [4002]);
    assert_eq!(ports("next start -p ${PORT:-4003}"), [4003]);
    assert_eq!(ports("next start -p $PORT"), [3000]);
    let astro = r#"{"dependencies": {"astro": "5", "@astrojs/node": "9"}, "scripts": {"build": "astro build"}}"#;
    assert_eq!(detected(&[("package.json", astro)]).ports, [4321]);
}

#[test]
fn a_file_without_a_package_is_a_program_unless_it_is_a_pages() {
    let server = "require('http').createServer(answer).listen(process.env.PORT || 8080)\n";
    let tree = MemoryTree::new([("server.js", server), (".nvmrc", "20\n")]);
    let analysis = analyse(&tree);
    let application = &analysis.manifest.applications["app"];
    assert_eq!(application.run_command.as_deref(), Some("node server.js"));
    assert_eq!(application.language, "javascript");
    assert_eq!(application.runtime.as_ref().unwrap().version, "20");
    assert_eq!(application.ports, [8080]);
    assert!(application.build_commands.is_empty());

    let page = MemoryTree::new([("main.js", "document.title = 'x'\n")]);
    assert!(analyse(&page).manifest.applications.is_empty());
    let page = MemoryTree::new([("index.html", "<p>"), ("main.js", server)]);
    assert_eq!(
        analyse(&page).manifest.applications["app"].language,
        "static"
    );
}

#[test]
fn what_no_server_is_built_for_is_shown_by_vite() {
    let preview = "npx vite preview --host 0.0.0.0 --port ${PORT:-3000}";
    let qwik = detected(&[(
        "package.json",
        r#"{"scripts": {"start": "vite --open --mode ssr", "build": "qwik build"},
            "devDependencies": {"@builder.io/qwik-city": "1", "vite": "5"}}"#,
    )]);
    assert_eq!(qwik.run_command.as_deref(), Some(preview));
    assert_eq!(
        qwik.build_commands,
        ["npm install", "npx qwik build preview"]
    );
    let tanstack = |more: &str| {
        let package = format!(
            r#"{{"scripts": {{"build": "vite build"}},
                "dependencies": {{{more}, "vite": "7"}}}}"#
        );
        run_command(&[("package.json", &package)])
    };
    let leaves = "node .output/server/index.mjs";
    assert_eq!(tanstack(r#""@tanstack/react-start": "1.169.5""#), preview);
    assert_eq!(
        tanstack(r#""@tanstack/react-start": "1.169.5", "nitro": "3""#),
        leaves
    );
    assert_eq!(tanstack(r#""@tanstack/react-start": "^1.120.0""#), leaves);
}

#[test]
fn a_package_for_others_is_not_started() {
    let package = |more: &str| {
        let text = format!(r#"{{"exports": "./index.js", "files": ["index.js"]{more}}}"#);
        detected(&[("package.json", &text), ("index.js", "")]).run_command
    };
    assert_eq!(package(""), None);
    assert!(package(r#", "dependencies": {"express": "4"}"#).is_some());
    assert!(package(r#", "scripts": {"start": "node index.js"}"#).is_some());
}

#[test]
fn the_front_page_says_how_pages_are() {
    let health = |settings: &str| {
        detected(&[
            (
                "package.json",
                r#"{"dependencies": {"next": "15"}, "scripts": {"start": "next start", "build": "next build"}}"#,
            ),
            ("app/page.tsx", ""),
            ("next.config.ts", settings),
        ])
        .health
        .map(|health| health.path)
    };
    assert_eq!(health("").as_deref(), Some("/"));
    assert_eq!(health("export default { basePath: '/docs' }\n"), None);
}

#[test]
fn what_the_build_moves_is_started_where_it_lies() {
    let adonis = detected(&[
        (
            "package.json",
            r#"{"scripts": {"start": "node bin/server.js", "build": "node ace build"}, "dependencies": {"@adonisjs/core": "6"}}"#,
        ),
        ("bin/server.ts", ""),
        (
            "start/env.ts",
            "export default await Env.create({\n  PORT: Env.schema.number(),\n  APP_KEY: Env.schema.string(),\n  MAIL: Env.schema.string.optional(),\n})\n",
        ),
    ]);
    assert_eq!(
        adonis.run_command.as_deref(),
        Some("cd build && npm run start")
    );
    assert!(adonis.env["APP_KEY"].required);
    assert!(!adonis.env["MAIL"].required);
    assert!(!adonis.env.contains_key("PORT"));
    let medusa = detected(&[(
        "package.json",
        r#"{"scripts": {"start": "medusa start", "build": "medusa build"}, "dependencies": {"@medusajs/medusa": "2"}}"#,
    )]);
    assert_eq!(
        medusa.run_command.as_deref(),
        Some("cd .medusa/server && npm run start")
    );
    assert_eq!(medusa.services, ["postgresql"]);
}

#[test]
fn builders_of_sites_leave_them_in_folders_of_their_own() {
    let root = |development: &str, build: &str, page: &str| {
        let package = format!(
            r#"{{"scripts": {{"build": "{build}"}}, "devDependencies": {{{development}}}}}"#
        );
        let site = detected(&[("package.json", &package), (page, "")]);
        format!("{}: {}", site.kind, site.artifacts[0])
    };
    assert_eq!(
        root(r#""rspress": "1""#, "rspress build", "docs/index.md"),
        "rspress: doc_build"
    );
    assert_eq!(
        root(
            r#""@quasar/app-vite": "2", "vite": "6""#,
            "quasar build",
            "index.html"
        ),
        "quasar: dist/spa"
    );
    assert_eq!(
        root(r#""@stencil/core": "4""#, "stencil build", "src/index.html"),
        "stencil: www"
    );
    assert_eq!(
        root(
            r#""create-elm-app": "5""#,
            "elm-app build",
            "public/index.html"
        ),
        "elm: build"
    );
}

#[test]
fn vike_without_a_server_is_shown_with_all_that_it_takes() {
    let vike = detected(&[(
        "package.json",
        r#"{"scripts": {"build": "vike build"}, "dependencies": {"vike": "0.4"}, "devDependencies": {"vite": "6"}}"#,
    )]);
    assert_eq!(
        vike.run_command.as_deref(),
        Some("npx vike preview --host 0.0.0.0 --port ${PORT:-3000}")
    );
    assert_eq!(vike.build_commands, ["npm install", "npm run build"]);
}

#[test]
fn what_a_platform_publishes_is_a_site() {
    let package = (
        "package.json",
        "{\"scripts\": {\"build\": \"node build.js\"}}",
    );
    let build = ("build.js", "write();\n");
    for file in [
        ("vercel.json", "{\"outputDirectory\": \"out\"}"),
        ("netlify.toml", "[build]\npublish = \"./out/\"\n"),
    ] {
        let site = detected(&[package, build, file]);
        assert_eq!(
            site.run_command.as_deref(),
            Some("caddy run --config Caddyfile --adapter caddyfile"),
            "{}",
            file.0
        );
        assert_eq!(site.artifacts, ["out", "Caddyfile"]);
    }
    let outside = ("vercel.json", "{\"outputDirectory\": \"../out\"}");
    assert_eq!(detected(&[package, build, outside]).run_command, None);
}

#[test]
fn a_script_whose_file_is_nowhere_gives_way_to_a_file_that_is_there() {
    let package = |scripts: &str| format!("{{\"scripts\": {{{scripts}}}}}");
    let server = ("server.js", "require('http').createServer().listen(3000)");
    let missing = package("\"start\": \"node dist/server.js\"");
    let tree = MemoryTree::new([("package.json", missing.as_str()), server]);
    let said = report(&tree);
    assert!(
        said.contains(
            "run_command: node server.js [server.js, likely] (package.json:1 starts dist/server.js, which is not there; \
             server.js is)"
        ),
        "{said}"
    );
    assert!(
        said.contains("? Where is dist/server.js? package.json:1 starts it"),
        "{said}"
    );
    // A build may make it.
    let built = package("\"start\": \"node dist/server.js\", \"build\": \"make\"");
    assert_eq!(
        run_command(&[("package.json", &built), server]),
        "npm run start"
    );
    // Nothing else can be started.
    let said = report(&MemoryTree::new([("package.json", missing.as_str())]));
    assert!(
        said.contains("run_command: npm run start [package.json:1, likely]"),
        "{said}"
    );
    // The compiler makes it, where it is there.
    let compiled = "{\"scripts\": {\"start\": \"node dist/index.js\"}, \"devDependencies\": {\"typescript\": \"5\"}}";
    let program = detected(&[
        ("package.json", compiled),
        (
            "tsconfig.json",
            "{\"compilerOptions\": {\"outDir\": \"dist\"}}",
        ),
        ("src/index.ts", "console.log(1)"),
    ]);
    assert_eq!(program.run_command.as_deref(), Some("npm run start"));
    assert!(
        program.build_commands.contains(&"npx tsc".to_owned()),
        "{:?}",
        program.build_commands
    );
}
