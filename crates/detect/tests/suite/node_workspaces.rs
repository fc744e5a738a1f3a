//! Packages and applications of one workspace.

use ergon_detect::memory::MemoryTree;

use crate::detected;

#[test]
fn every_application_of_an_nx_workspace_is_one() {
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"scripts": {"start": "nx serve", "build": "nx build"}, "dependencies": {"next": "15"}, "devDependencies": {"nx": "20"}}"#,
        ),
        ("package-lock.json", "{}"),
        ("nx.json", "{}"),
        (
            "apps/api/project.json",
            r#"{"name": "api", "targets": {"build": {"executor": "@nx/webpack:webpack", "options": {"target": "node", "outputPath": "dist/apps/api", "main": "apps/api/src/main.ts"}, "configurations": {"production": {}}}}}"#,
        ),
        (
            "apps/api/src/main.ts",
            "app.listen(process.env.PORT || 3333)",
        ),
        (
            "apps/web/project.json",
            r#"{"name": "web", "targets": {"build": {"executor": "@nx/vite:build", "options": {"outputPath": "dist/apps/web"}}}}"#,
        ),
        ("apps/web/index.html", ""),
        (
            "apps/shop/project.json",
            r#"{"targets": {"build": {"executor": "@nx/next:build"}}}"#,
        ),
        ("apps/web-e2e/project.json", r#"{"name": "web-e2e"}"#),
        ("libs/ui/project.json", r#"{"projectType": "library"}"#),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let applications = &analysis.manifest.applications;
    let names: Vec<_> = applications.keys().collect();
    assert_eq!(names, ["api", "shop", "web"]);
    let api = &applications["api"];
    assert_eq!(api.path.as_deref(), Some("."));
    assert_eq!(
        api.run_command.as_deref(),
        Some("node dist/apps/api/main.js")
    );
    assert_eq!(
        api.build_commands,
        [
            "npm ci",
            "npx nx run api:build:production",
            "npm prune --omit=dev"
        ]
    );
    assert_eq!(api.ports, [3333]);
    let shop = &applications["shop"];
    assert_eq!(
        shop.run_command.as_deref(),
        Some("npx next start dist/apps/shop")
    );
    assert_eq!(applications["web"].artifacts[0], "dist/apps/web");
}

#[test]
fn the_project_that_nx_takes_by_itself_is_the_program() {
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"scripts": {"start": "nx serve"}, "devDependencies": {"nx": "20"}}"#,
        ),
        ("nx.json", r#"{"defaultProject": "api"}"#),
        (
            "apps/api/project.json",
            r#"{"targets": {"build": {"executor": "@nx/esbuild:esbuild"}}}"#,
        ),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let api = crate::application(&analysis);
    assert_eq!(
        api.run_command.as_deref(),
        Some("node dist/apps/api/main.js")
    );
    assert_eq!(api.build_commands[1], "npx nx run api:build");
}

/// What builds `web`, which depends on the package `ui`.
fn builds(root: &str, more: &[(&str, &str)]) -> Vec<String> {
    let web = r#"{"name": "web", "dependencies": {"@acme/ui": "*"}, "scripts": {"start": "node .", "build": "tsc"}}"#;
    let files: Vec<_> = [
        ("package.json", root),
        ("apps/web/package.json", web),
        (
            "packages/ui/package.json",
            r#"{"name": "@acme/ui", "scripts": {"build": "tsc"}}"#,
        ),
    ]
    .into_iter()
    .chain(more.iter().copied())
    .collect();
    let tree = MemoryTree::new(files);
    let analysis = ergon_detect::analyse(&tree);
    analysis.manifest.applications["web"].build_commands.clone()
}

#[test]
fn packages_that_one_depends_on_are_built_before_it() {
    let workspaces = r#"{"workspaces": ["apps/*", "packages/*"]}"#;
    assert_eq!(
        builds(workspaces, &[]),
        [
            "cd ../.. && npm install",
            "cd ../../packages/ui && npm run build",
            "npm run build",
            "cd ../.. && npm prune --omit=dev"
        ]
    );
    let turbo = r#"{"workspaces": ["apps/*", "packages/*"], "devDependencies": {"turbo": "2"}}"#;
    assert_eq!(
        builds(turbo, &[("turbo.json", "{}")]),
        [
            "cd ../.. && npm install",
            "cd ../.. && npx turbo run build --filter=web",
            "cd ../.. && npm prune --omit=dev"
        ]
    );
}

#[test]
fn a_task_of_moon_may_start_a_package() {
    let tree = MemoryTree::new([
        ("package.json", r#"{"workspaces": ["apps/*"]}"#),
        ("apps/api/package.json", r#"{"name": "api"}"#),
        (
            "apps/api/moon.yml",
            "tasks:\n  build:\n    command: tsc\n  start:\n    command: node dist/index.js\n",
        ),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let api = crate::application(&analysis);
    assert_eq!(api.run_command.as_deref(), Some("node dist/index.js"));
    assert_eq!(
        api.build_commands,
        [
            "cd ../.. && npm install",
            "npx tsc",
            "cd ../.. && npm prune --omit=dev"
        ]
    );
}

#[test]
fn a_root_that_only_starts_another_package_leaves_it_to_that() {
    let paths = |root: &str| {
        let tree = MemoryTree::new([
            ("package.json", root),
            (
                "server/package.json",
                r#"{"scripts": {"start": "node index.js"}, "dependencies": {"express": "4"}}"#,
            ),
        ]);
        let analysis = ergon_detect::analyse(&tree);
        crate::application(&analysis).path.clone()
    };
    let folder = Some("server".to_owned());
    assert_eq!(
        paths(r#"{"scripts": {"start": "npm start --prefix server"}}"#),
        folder
    );
    assert_eq!(
        paths(r#"{"scripts": {"start": "cd server && node index.js"}}"#),
        folder
    );
    assert_eq!(
        paths(
            r#"{"scripts": {"start": "cd server && npm start", "postinstall": "cd server && npm install"}}"#
        ),
        None
    );
}

#[test]
fn packages_that_leave_the_rest_to_nx_are_its_projects() {
    let root = |folder: &str| {
        format!(
            r#"{{"workspaces": ["{folder}/*"], "dependencies": {{"express": "4"}}, "devDependencies": {{"nx": "20", "vite": "6"}}}}"#
        )
    };
    let root = root("apps");
    let page = detected(&[
        ("package.json", root.as_str()),
        ("nx.json", "{}"),
        (
            "apps/web/package.json",
            r#"{"name": "@x/web", "nx": {"name": "web"}}"#,
        ),
        ("apps/web/index.html", ""),
        (
            "apps/web/vite.config.ts",
            "export default { build: { outDir: './dist' } }\n",
        ),
    ]);
    assert_eq!(page.build_commands[1], "npx nx run web:build");
    assert_eq!(page.artifacts[0], "apps/web/dist");
    let server = detected(&[
        ("package.json", root.as_str()),
        ("nx.json", "{}"),
        ("apps/api/package.json", r#"{"name": "@x/api"}"#),
        ("apps/api/project.json", r#"{"name": "api"}"#),
        (
            "apps/api/webpack.config.js",
            "module.exports = { output: { path: join(__dirname, 'dist') }, plugins: [new Nx({ target: 'node' })] }\n",
        ),
        ("apps/api/src/main.ts", ""),
    ]);
    assert_eq!(
        server.run_command.as_deref(),
        Some("node apps/api/dist/main.js")
    );
    // Targets may be in the package itself.
    let named = detected(&[
        ("package.json", root.as_str()),
        ("nx.json", "{}"),
        (
            "apps/job/package.json",
            r#"{"name": "@x/job", "nx": {"name": "job", "targets": {"build": {"executor": "@nx/esbuild:esbuild", "options": {"outputPath": "apps/job/out", "main": "apps/job/src/job.ts"}}}}}"#,
        ),
        ("apps/job/src/job.ts", ""),
    ]);
    assert_eq!(
        named.run_command.as_deref(),
        Some("node apps/job/out/job.js")
    );
}

#[test]
fn redwood_has_commands_of_its_own() {
    let shop = detected(&[
        (
            "package.json",
            r#"{"workspaces": ["api", "web"], "devDependencies": {"@redwoodjs/core": "8"}, "packageManager": "yarn@4.6.0"}"#,
        ),
        (".yarnrc.yml", "nodeLinker: node-modules\n"),
        ("api/package.json", r#"{"name": "api"}"#),
        ("web/package.json", r#"{"name": "web"}"#),
    ]);
    assert_eq!(shop.run_command.as_deref(), Some("npx rw serve"));
    assert_eq!(shop.build_commands[2], "npx rw build");
    assert_eq!(shop.ports, [8910]);
}
