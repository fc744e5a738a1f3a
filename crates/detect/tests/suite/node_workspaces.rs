//! Packages and applications of one workspace.

use ergon_detect::memory::MemoryTree;

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
