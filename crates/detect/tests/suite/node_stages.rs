//! What of a Node program goes into its image, and what stays in the stage that built it.

use ergon_detect::dockerfile::render;
use ergon_detect::memory::MemoryTree;
use ergon_detect::plan::{Step, plan};

/// What takes away what only building needed, and the last stage of the Dockerfile.
fn last(files: &[(&str, &str)], name: &str) -> (Option<String>, String) {
    let tree = MemoryTree::new(files.iter().copied());
    let manifest = ergon_detect::analyse(&tree).manifest;
    let application = &manifest.applications[name];
    let plans = plan(&manifest, &tree).unwrap();
    let container = manifest
        .containers
        .iter()
        .find(|(_, container)| container.applications.iter().any(|one| one == name))
        .unwrap();
    let plan = plans
        .iter()
        .find(|plan| plan.container == *container.0)
        .unwrap();
    let text = render(plan).text;
    let (_, last) = text.rsplit_once("FROM ").unwrap();
    let pruned = text.contains(" AS build");
    let command = application.build_commands.last().cloned();
    (command.filter(|_| pruned), last.to_owned())
}

const API: &str = r#"{"name": "api", "scripts": {"build": "tsc", "start": "node dist/index.js"}, "dependencies": {"db": "workspace:*"}, "devDependencies": {"typescript": "5"}}"#;
const BERRY: (&str, &str) = ("yarn.lock", "__metadata:\n  version: 8\n");

#[test]
fn packages_of_a_workspace_leave_behind_what_built_them() {
    let of = |lock: &[(&str, &str)], root: &str| {
        let files: Vec<_> = [("package.json", root), ("apps/api/package.json", API)]
            .into_iter()
            .chain(lock.iter().copied())
            .collect();
        let (command, last) = last(&files, "api");
        assert!(last.contains("COPY --from=build"), "{last}");
        assert!(!last.contains("run build"), "{last}");
        command.unwrap()
    };
    let root = r#"{"workspaces": ["apps/*"], "scripts": {"prepare": "husky"}, "devDependencies": {"husky": "9"}}"#;
    assert_eq!(
        of(&[("package-lock.json", "{}")], root),
        "cd ../.. && npm prune --omit=dev"
    );
    assert_eq!(
        of(&[("yarn.lock", "# yarn lockfile v1\n")], root),
        "cd ../.. && yarn install --production --ignore-scripts --prefer-offline --frozen-lockfile"
    );
    let folders = (".yarnrc.yml", "nodeLinker: node-modules\n");
    assert_eq!(
        of(&[BERRY, folders], root),
        "yarn workspaces focus --production && yarn cache clean"
    );
    let pnpm = [
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
        ("pnpm-workspace.yaml", "packages: [apps/*]\n"),
    ];
    assert_eq!(
        of(&pnpm, "{}"),
        "cd ../.. && find . -name node_modules -prune -exec rm -rf {} + && CI=true pnpm install --prod --prefer-offline \
         --frozen-lockfile --filter '{apps/api}...'"
    );
    assert_eq!(
        of(&[("bun.lock", "{}")], root),
        "cd ../.. && find . -name node_modules -prune -exec rm -rf {} + && bun install --production \
         --frozen-lockfile --ignore-scripts"
    );
}

#[test]
fn a_package_alone_leaves_behind_what_built_it_with_bun_and_yarn() {
    let of = |files: &[(&str, &str)]| {
        let package = r#"{"name": "api", "scripts": {"build": "tsc", "start": "node ."}, "devDependencies": {"typescript": "5"}}"#;
        let files: Vec<_> = [("package.json", package)]
            .into_iter()
            .chain(files.iter().copied())
            .collect();
        last(&files, "api")
    };
    let (command, _) = of(&[("bun.lock", "{}")]);
    assert_eq!(
        command.as_deref(),
        Some("rm -rf node_modules && bun install --production --frozen-lockfile")
    );
    // Without folders of packages they are run out of the cache, by Yarn.
    let tree = MemoryTree::new([BERRY, ("package.json", API)]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    let plan = plan(&manifest, &tree).unwrap().remove(0);
    // What it throws away of its cache it may have to get again.
    let focus = plan.stages[0].steps.last().unwrap();
    assert!(
        matches!(focus, Step::Run { network: true, .. }),
        "{focus:?}"
    );
    let (command, last) = of(&[BERRY]);
    assert_eq!(
        command.as_deref(),
        Some(
            "YARN_ENABLE_GLOBAL_CACHE=false yarn cache clean && \
             YARN_ENABLE_GLOBAL_CACHE=false yarn workspaces focus --production"
        )
    );
    assert!(last.contains("@yarnpkg/cli-dist"), "{last}");
    // Before its fourth version, Yarn does it only where the project has a plugin for that.
    let third = ("yarn.lock", "__metadata:\n  version: 6\n  cacheKey: 8\n");
    assert_eq!(of(&[third]).0, None);
    let plugin = (
        ".yarnrc.yml",
        "plugins:\n  - path: .yarn/plugins/@yarnpkg/plugin-workspace-tools.cjs\n",
    );
    assert!(of(&[third, plugin]).0.is_some());
}

#[test]
fn what_starts_with_development_tools_keeps_them() {
    let api = r#"{"name": "api", "scripts": {"start": "tsx src/index.ts"}}"#;
    let root = r#"{"workspaces": ["apps/*"], "devDependencies": {"tsx": "4"}}"#;
    let files = [("package.json", root), ("apps/api/package.json", api)];
    assert_eq!(last(&files, "api").0, None);
    // The root's start is that of a package.
    let own = api.replace("}}", r#"}, "devDependencies": {"tsx": "4"}}"#);
    let root = r#"{"name": "all", "workspaces": ["apps/*"], "scripts": {"build": "x", "start": "node --run serve", "serve": "cd apps/api && tsx src/index.ts"}}"#;
    let files = [
        ("package.json", root),
        ("apps/api/package.json", own.as_str()),
    ];
    let tree = MemoryTree::new(files);
    for application in ergon_detect::analyse(&tree).manifest.applications.values() {
        let last = application.build_commands.last().unwrap();
        assert!(!last.contains("prune"), "{last}");
    }
}

#[test]
fn what_is_written_among_the_packages_is_not_thrown_away_with_them() {
    let db = r#"{"name": "db", "dependencies": {"@prisma/client": "5"}, "scripts": {"build": "prisma generate"}}"#;
    let files = [
        ("package.json", "{}"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"),
        ("pnpm-workspace.yaml", "packages: [apps/*, packages/*]\n"),
        ("apps/api/package.json", API),
        ("packages/db/package.json", db),
    ];
    assert_eq!(last(&files, "api").0, None);
    let client = r#"{"name": "api", "scripts": {"build": "prisma generate", "start": "node ."}, "dependencies": {"@prisma/client": "5"}, "devDependencies": {"prisma": "5"}}"#;
    for (lock, prunes) in [
        ("pnpm-lock.yaml", false),
        ("bun.lock", false),
        ("package-lock.json", true),
    ] {
        let schema = ("prisma/schema.prisma", "");
        let files = [("package.json", client), (lock, ""), schema];
        assert_eq!(last(&files, "api").0.is_some(), prunes, "{lock}");
    }
    let native = r#"{"name": "api", "scripts": {"build": "x", "start": "node .", "prepare": "husky"}, "dependencies": {"bcrypt": "5"}, "devDependencies": {"husky": "9"}}"#;
    let tree = MemoryTree::new([("package.json", native), ("bun.lock", "{}")]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    assert_eq!(
        manifest.applications["api"].build_commands[1],
        "bun run build"
    );
    assert_eq!(manifest.applications["api"].build_commands.len(), 2);
}

#[test]
fn what_only_starts_a_file_needs_no_manager() {
    let package = r#"{"name": "api", "main": "dist/index.js", "scripts": {"build": "tsc"}}"#;
    let files = [("package.json", package), ("pnpm-lock.yaml", "")];
    let (command, last) = last(&files, "api");
    assert!(command.is_some());
    assert!(last.contains("node dist/index.js"), "{last}");
    assert!(!last.contains("npm install --global"), "{last}");
}
