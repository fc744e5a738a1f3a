//! What the code of a package says.

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
