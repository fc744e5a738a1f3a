//! What packages need beside themselves.

use ergon_detect::memory::MemoryTree;

use crate::detected;

#[test]
fn prisma_writes_its_client_before_the_build() {
    let of = |scripts: &str, more: &str| {
        let package = format!(
            r#"{{"dependencies": {{"@prisma/client": "5"}}, "devDependencies": {{"prisma": "5"}}, "scripts": {{"start": "node ."{scripts}}}{more}}}"#
        );
        detected(&[("package.json", &package), ("prisma/schema.prisma", "")])
    };
    let built = of(r#", "build": "tsc""#, "");
    assert_eq!(built.system_packages, ["openssl"]);
    assert_eq!(
        built.build_commands,
        [
            "npm install",
            "npx prisma generate",
            "npm run build",
            "npm prune --omit=dev"
        ]
    );
    assert_eq!(
        of(r#", "postinstall": "prisma generate""#, "").build_commands,
        ["npm install", "npm prune --omit=dev"]
    );
}

#[test]
fn puppeteer_takes_the_browser_of_the_system() {
    let package = r#"{"dependencies": {"puppeteer": "24"}, "scripts": {"start": "node ."}}"#;
    let application = detected(&[("package.json", package)]);
    assert_eq!(application.system_packages, ["chromium"]);
    assert_eq!(
        application.build_commands,
        ["PUPPETEER_SKIP_DOWNLOAD=true npm install --omit=dev"]
    );
    let tree = MemoryTree::new([("package.json", package)]);
    let dockerfile = dockerfile(&tree);
    assert!(
        dockerfile.contains("PUPPETEER_EXECUTABLE_PATH=\"/usr/bin/chromium\"")
            || dockerfile.contains("PUPPETEER_EXECUTABLE_PATH=/usr/bin/chromium"),
        "{dockerfile}"
    );
}

#[test]
fn playwright_keeps_its_browser_beside_itself() {
    let package = r#"{"dependencies": {"playwright": "1"}, "scripts": {"start": "node ."}}"#;
    let commands = detected(&[("package.json", package)]).build_commands;
    assert_eq!(
        commands[1],
        "PLAYWRIGHT_BROWSERS_PATH=0 npx playwright install chromium"
    );
}

#[test]
fn what_compiles_stays_in_the_stage_that_builds() {
    let tree = MemoryTree::new([(
        "package.json",
        r#"{"dependencies": {"better-sqlite3": "11"}, "scripts": {"start": "node ."}}"#,
    )]);
    let dockerfile = dockerfile(&tree);
    let (build, last) = dockerfile.rsplit_once("FROM ").unwrap();
    assert!(build.contains("g++ make python3"), "{dockerfile}");
    assert!(!last.contains("python3"), "{dockerfile}");
}

fn dockerfile(tree: &MemoryTree) -> String {
    let manifest = ergon_detect::analyse(tree).manifest;
    let plans = ergon_detect::plan::plan(&manifest, tree).unwrap();
    ergon_detect::dockerfile::render(&plans[0]).text
}
