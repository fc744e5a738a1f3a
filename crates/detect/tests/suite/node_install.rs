//! Which Node a package runs on, and who installs what it lists.

use ergon_detect::analysis::Topic;
use ergon_detect::memory::MemoryTree;

use ergon_detect::dockerfile::render;
use ergon_detect::plan::plan;

use crate::detected;

const START: &str = r#""scripts": {"start": "node index.js"}"#;

fn version(engine: &str) -> String {
    let package = format!(r#"{{{START}, "engines": {{"node": "{engine}"}}}}"#);
    let runtime = detected(&[("package.json", &package)]).runtime;
    runtime.unwrap().version
}

#[test]
fn a_range_that_leaves_the_usual_version_out_is_for_the_newest_with_long_support() {
    for (range, expected) in [
        (">=18", "18"),
        (">=16.0.0", "18"),
        ("*", "18"),
        (">=20", "24"),
        (">=20.9", "24"),
        ("^20 || >=22", "24"),
        ("^20.19.0 || ^22.12.0", "22"),
        (">=20 <23", "22"),
        ("20.x", "20"),
        ("^20.11", "20"),
        ("~20.11.1", "20.11"),
        ("20.11.x", "20.11"),
        ("v20.11.1", "20.11.1"),
        ("21.x", "21"),
        (">=14 <17", "16"),
        ("10.x", "10"),
    ] {
        assert_eq!(version(range), expected, "{range}");
    }
}

#[test]
fn packages_that_leave_the_usual_version_behind_have_another() {
    let version = |dependencies: &str| {
        let package = format!(r#"{{{START}, "devDependencies": {{{dependencies}}}}}"#);
        let runtime = detected(&[("package.json", &package)]).runtime.unwrap();
        (runtime.version, runtime.from.unwrap())
    };
    let from = |version: &str, from: &str| (version.to_owned(), from.to_owned());
    assert_eq!(version(r#""vite": "^7.1.0""#), from("24", "package.json:1"));
    assert_eq!(version(r#""vite": "^6.1.0""#), from("18", "assumed"));
    assert_eq!(version(r#""vite": "latest""#), from("18", "assumed"));
}

/// What brings the manager, and what it installs.
fn installs(package: &str, files: &[(&str, &str)]) -> Vec<String> {
    let package = format!("{{{START}, {package}}}");
    let files: Vec<_> = [("package.json", package.as_str())]
        .into_iter()
        .chain(files.iter().copied())
        .collect();
    detected(&files).build_commands
}

#[test]
fn a_manager_is_the_one_that_wrote_the_lock() {
    let package = r#""description": """#;
    for (lock, expected) in [
        ("lockfileVersion: 5.4\n", "pnpm@7"),
        ("lockfileVersion: 5.3\n", "pnpm@6"),
        ("lockfileVersion: '6.0'\n", "pnpm@8"),
        ("lockfileVersion: '9.0'\n", "pnpm@9"),
    ] {
        let commands = installs(package, &[("pnpm-lock.yaml", lock)]);
        assert_eq!(commands[0], format!("npm install --global {expected}"));
    }
    let settings = ("pnpm-workspace.yaml", "onlyBuiltDependencies: [sharp]\n");
    let lock = ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
    assert_eq!(
        installs(package, &[lock, settings])[0],
        "npm install --global pnpm@10"
    );
    assert_eq!(
        installs(r#""engines": {"pnpm": ">=10"}"#, &[lock])[0],
        "npm install --global pnpm@10"
    );
    assert_eq!(
        installs(r#""packageManager": "pnpm@9.5.0+sha512.0a""#, &[lock])[0],
        "npm install --global pnpm@9.5.0"
    );
    for (lock, expected) in [
        ("__metadata:\n  version: 4\n  cacheKey: 7\n", "2"),
        ("__metadata:\n  version: 6\n  cacheKey: 8\n", "3"),
        ("__metadata:\n  version: 8\n  cacheKey: 10\n", "4.12"),
        ("__metadata:\n  version: 10\n  cacheKey: 10\n", "4"),
    ] {
        assert_eq!(
            installs(package, &[("yarn.lock", lock)]),
            [
                format!("npm install --global --force @yarnpkg/cli-dist@{expected}"),
                "YARN_ENABLE_GLOBAL_CACHE=false yarn install --immutable".to_owned(),
            ]
        );
    }
}

#[test]
fn yarn_with_folders_of_packages_needs_no_cache() {
    let commands = installs(
        r#""packageManager": "yarn@3.8.0""#,
        &[
            ("yarn.lock", "__metadata:\n"),
            (".yarnrc.yml", "nodeLinker: node-modules\n"),
        ],
    );
    assert_eq!(commands[1], "yarn install --immutable");
}

#[test]
fn a_package_of_a_workspace_has_the_manager_of_its_root() {
    let tree = MemoryTree::new([
        ("package.json", r#"{"packageManager": "pnpm@8.1.0"}"#),
        ("pnpm-workspace.yaml", "packages: [apps/*]\n"),
        (
            "apps/api/package.json",
            r#"{"name": "api", "scripts": {"start": "node ."}}"#,
        ),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let api = crate::application(&analysis);
    assert_eq!(api.run_command.as_deref(), Some("pnpm run start"));
    assert_eq!(
        api.build_commands,
        [
            "npm install --global pnpm@8.1.0",
            "cd ../.. && pnpm install",
            "cd ../.. && find . -name node_modules -prune -exec rm -rf {} + && CI=true pnpm install --prod \
             --prefer-offline --frozen-lockfile --filter '{apps/api}...'"
        ]
    );
}

#[test]
fn what_runs_after_installing_finds_its_tools() {
    let commands = |scripts: &str| {
        let package = format!(
            r#"{{"scripts": {{"start": "node .", {scripts}}}, "devDependencies": {{"husky": "9"}}}}"#
        );
        detected(&[("package.json", &package)]).build_commands
    };
    assert_eq!(
        commands(r#""prepare": "husky install""#),
        ["npm install", "npm prune --omit=dev"]
    );
    assert_eq!(commands(r#""test": "husky""#), ["npm install --omit=dev"]);
    assert_eq!(
        commands(r#""heroku-postbuild": "x""#)[1],
        "npm run heroku-postbuild"
    );
}

#[test]
fn a_lock_of_any_manager_may_be_stale() {
    let installs = |dependencies: &str, file: &str, lock: &str| {
        let package = format!(r#""dependencies": {{{dependencies}}}"#);
        let commands = installs(&package, &[(file, lock)]);
        commands.last().unwrap().clone()
    };
    let (old, new) = (r#""x": "^1.0.0""#, r#""x": "^2.0.0""#);
    let sixth = "lockfileVersion: '6.0'\n\ndependencies:\n  x:\n    specifier: ^1.0.0\n    version: 1.0.1\n\npackages:\n  /y@1: {}\n";
    let ninth = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      x:\n        specifier: ^1.0.0\n        version: 1.0.1\n\npackages: {}\n";
    let fifth = "lockfileVersion: 5.4\n\nspecifiers:\n  x: ^1.0.0\n\ndependencies:\n  x: 1.0.1\n";
    for lock in [fifth, sixth, ninth] {
        let file = "pnpm-lock.yaml";
        assert_eq!(
            installs(old, file, lock),
            "pnpm install --frozen-lockfile --prod"
        );
        assert_eq!(installs(new, file, lock), "pnpm install --prod");
    }
    assert_eq!(installs(old, "pnpm-lock.yaml", ""), "pnpm install --prod");
    let yarn = "# yarn lockfile v1\n\n\n\"x@^1.0.0\", x@1:\n  version \"1.0.1\"\n";
    assert_eq!(
        installs(old, "yarn.lock", yarn),
        "yarn install --frozen-lockfile --production"
    );
    assert_eq!(
        installs(new, "yarn.lock", yarn),
        "yarn install --production"
    );
    let berry = "__metadata:\n  version: 8\n\n\"x@npm:^1.0.0\":\n  version: 1.0.1\n";
    assert!(installs(old, "yarn.lock", berry).ends_with("yarn install --immutable"));
    assert!(installs(new, "yarn.lock", berry).ends_with("yarn install"));
    let bun = r#"{"workspaces": {"": {"dependencies": {"x": "^1.0.0",},},}}"#;
    assert!(installs(old, "bun.lock", bun).contains("--frozen-lockfile"));
    assert_eq!(installs(new, "bun.lock", bun), "bun install --production");
}

#[test]
fn a_lock_that_nobody_can_read_is_told() {
    let pnpm =
        "lockfileVersion: '9.0'\n\npackages:\n\n  x@1.0.1:\n    resolution: {integrity: sha5";
    let yarn = "# yarn lockfile v1\n\n\nx@^1.0.0:\n  version \"1.0.1\"\n  resolved \"https://regi";
    let zeros = "\0".repeat(4_096);
    for (file, lock) in [
        ("pnpm-lock.yaml", zeros.as_str()),
        ("pnpm-lock.yaml", pnpm),
        ("yarn.lock", &zeros),
        ("yarn.lock", yarn),
        ("bun.lock", &zeros),
        ("bun.lock", r#"{"lockfileVersion": 1, "packages": {"#),
        ("bun.lockb", &zeros),
        ("package-lock.json", &zeros),
        (
            "package-lock.json",
            r#"{"lockfileVersion": 3, "packages": {"#,
        ),
    ] {
        let at = |folder: &str, program: &str| {
            let package = format!(r#"{{{START}, "dependencies": {{"x": "^1.0.0"}}}}"#);
            let program = format!("{program}package.json");
            let root = r#"{"workspaces": ["apps/*"]}"#;
            let tree = MemoryTree::new([
                ("package.json".to_owned(), root.to_owned()),
                (program, package),
                (format!("{folder}{file}"), lock.to_owned()),
            ]);
            let analysis = ergon_detect::analyse(&tree);
            let told = analysis.questions.iter().any(|question| {
                question.text.starts_with(file) && question.text.contains("cannot be read")
            });
            let state = analysis.facts.iter().find(|fact| fact.topic == Topic::Lock);
            let frozen = crate::application(&analysis)
                .build_commands
                .iter()
                .any(|command| {
                    command.contains("npm ci")
                        || (command.contains("frozen") && !command.contains("prod"))
                });
            (told, state.unwrap().value.clone(), frozen)
        };
        let stale = (true, "stale".to_owned(), false);
        assert_eq!(at("", ""), stale, "{file} {lock:?}");
        if file != "package-lock.json" && file != "bun.lock" {
            assert_eq!(at("", "apps/api/"), stale, "{file} {lock:?}");
        }
    }
    let binary = "#!/usr/bin/env bun\nbun-lockfile-format-v0\n\0\0";
    assert_eq!(
        installs("\"version\": \"1\"", &[("bun.lockb", binary)]),
        ["bun install --frozen-lockfile --production"]
    );
}

#[test]
fn what_only_builds_does_not_go_on_with_any_manager() {
    let of = |lock: &str, package: &str| {
        let tree = MemoryTree::new([("package.json", package), (lock, "")]);
        let manifest = ergon_detect::analyse(&tree).manifest;
        let application = manifest.applications.values().next().unwrap();
        let last = application.build_commands.last().unwrap().clone();
        (last, render(&plan(&manifest, &tree).unwrap()[0]).text)
    };
    let package = r#"{"scripts": {"start": "node .", "build": "x"}}"#;
    let (prune, dockerfile) = of("pnpm-lock.yaml", package);
    assert_eq!(prune, "CI=true pnpm prune --prod --ignore-scripts");
    // Who starts the program is in the image, and has built it in the stage before.
    assert_eq!(
        dockerfile.matches("npm install --global pnpm@10").count(),
        2
    );
    assert_eq!(dockerfile.matches("pnpm run build").count(), 1);
    let (prune, _) = of("yarn.lock", package);
    assert!(prune.starts_with("yarn install --production"), "{prune}");
    let old = r#"{"packageManager": "pnpm@7.1.0", "scripts": {"start": "node .", "build": "x"}}"#;
    assert_eq!(of("pnpm-lock.yaml", old).0, "pnpm run build");
    let hooks = r#"{"scripts": {"start": "node .", "build": "x", "postinstall": "patch-package"}, "devDependencies": {"patch-package": "8"}}"#;
    assert_eq!(of("pnpm-lock.yaml", hooks).0, "pnpm run build");
}

#[test]
fn bun_installs_before_the_sources_come() {
    let tree = MemoryTree::new([
        ("package.json", r#"{"scripts": {"start": "bun ."}}"#),
        ("bun.lock", ""),
        ("index.ts", ""),
    ]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    let dockerfile = render(&plan(&manifest, &tree).unwrap()[0]).text;
    assert!(
        dockerfile.contains(r#"["bun.lock", "package.json", "/app/"]"#),
        "{dockerfile}"
    );
}

#[test]
fn a_manager_is_named_in_many_ways() {
    let first = |package: &str, files: &[(&str, &str)]| installs(package, files)[0].clone();
    let pnpm = |version: &str| format!("npm install --global pnpm@{version}");
    for (said, version) in [
        ("9.5.0", "9.5.0"),
        ("9.5.0+sha512.0a", "9.5.0"),
        ("9.x", "9"),
        ("^9.1.0", "9"),
        ("~9.1.2", "9.1"),
        (">=8.6 <10", "8"),
    ] {
        let package = format!(r#""packageManager": "pnpm@{said}""#);
        assert_eq!(first(&package, &[]), pnpm(version), "{said}");
    }
    assert_eq!(
        first(r#""packageManager": "npm@10.x""#, &[]),
        "npm install --omit=dev"
    );
    let berry = "npm install --global --force @yarnpkg/cli-dist@4";
    assert_eq!(first(r#""packageManager": "yarn@^4.1.0""#, &[]), berry);
    assert_eq!(
        first(r#""engines": {"yarn": "^4.1.0"}"#, &[("yarn.lock", "")]),
        berry
    );
    assert_eq!(
        first(
            r#""engines": {"yarn": ">=1.22", "npm": "please-use-yarn"}"#,
            &[]
        ),
        "npm install --global --force yarn@1.22.22"
    );
    assert_eq!(first(r#""volta": {"pnpm": "9.4.0"}"#, &[]), pnpm("9.4.0"));
    let listed = r#""devEngines": {"packageManager": [{"name": "x"}, {"name": "pnpm", "version": "^9.2.0"}]}"#;
    assert_eq!(first(listed, &[]), pnpm("9"));
}

#[test]
fn a_runtime_is_named_in_many_ways() {
    let runtime = |package: &str, files: &[(&str, &str)]| {
        let package = format!("{{{START}, {package}}}");
        let files: Vec<_> = [("package.json", package.as_str())]
            .into_iter()
            .chain(files.iter().copied())
            .collect();
        detected(&files).runtime.unwrap()
    };
    let version = |package: &str| runtime(package, &[]).version;
    assert_eq!(version(r#""volta": {"node": "20.11.1"}"#), "20.11.1");
    assert_eq!(version(r#""volta": {"node": "lts"}"#), "24");
    assert_eq!(
        version(r#""devEngines": {"runtime": {"name": "node", "version": "^22.4.0"}}"#),
        "22"
    );
    assert_eq!(
        version(
            r#""devEngines": {"runtime": [{"name": "bun", "version": "1"}, {"name": "node", "version": "20.x"}]}"#
        ),
        "20"
    );
    let bun = runtime(
        r#""devEngines": {"runtime": {"name": "bun", "version": "^1.2.0"}}"#,
        &[("bun.lock", "")],
    );
    assert_eq!((bun.name.as_str(), bun.version.as_str()), ("bun", "1"));
}

#[test]
fn an_image_says_which_of_the_versions_that_a_package_needs() {
    let package = r#"{"scripts": {"start": "next start", "build": "next build"}, "dependencies": {"next": "16.2.6"}}"#;
    let image =
        "ARG NODE_VERSION=\"22-alpine\"\nFROM node:${NODE_VERSION}\nCMD [\"npm\", \"start\"]\n";
    let runtime = detected(&[("package.json", package), ("Dockerfile", image)]).runtime;
    let runtime = runtime.unwrap();
    assert_eq!(
        (runtime.version.as_str(), runtime.from.as_deref()),
        ("22", Some("Dockerfile:2"))
    );
}
