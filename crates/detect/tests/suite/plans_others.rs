//! What the smaller package managers get, and what they read for that.

use ergon_manifest::Application;

use crate::plans::{application, planned, steps};

fn of(language: &str, commands: &[&str], files: &[(&str, &str)]) -> Vec<String> {
    let built: Application = application(language, commands);
    steps(&planned(built, "base:1", files))
        .into_iter()
        .filter(|step| step.starts_with("copy") || step.starts_with("run"))
        .map(|step| step.split(" for ").next().unwrap_or("").to_owned())
        .collect()
}

fn is_online(language: &str, command: &str, files: &[(&str, &str)]) -> bool {
    let steps = of(language, &[command], files);
    steps.iter().any(|step| step.starts_with("run online"))
}

#[test]
fn what_lists_dependencies_comes_before_the_sources() {
    let mix = [
        ("mix.exs", "{:plug, \"~> 1\"}"),
        ("mix.lock", ""),
        ("lib/a.ex", ""),
    ];
    assert_eq!(
        of("elixir", &["mix local.hex --force", "mix deps.get"], &mix)[..3],
        [
            "run online in /app: mix local.hex --force",
            "copy mix.exs mix.lock",
            "run online in /app: mix deps.get",
        ]
    );
    let local = [("mix.exs", "{:plug, path: \"plug\"}")];
    assert_eq!(of("elixir", &["mix deps.get"], &local)[0], "copy all");
    let dotnet = [
        (
            "web/web.csproj",
            "<Project><ProjectReference Include=\"..\\core\\core.csproj\" /></Project>",
        ),
        ("core/core.csproj", "<Project />"),
        ("Directory.Build.props", "<Project />"),
        ("web/Program.cs", ""),
    ];
    assert_eq!(
        of("csharp", &["dotnet restore web/web.csproj"], &dotnet)[0],
        "copy Directory.Build.props core/core.csproj web/web.csproj"
    );
    let shards = [("shard.yml", "name: shop\n"), ("src/shop.cr", "")];
    assert_eq!(
        of("crystal", &["shards install --production"], &shards)[0],
        "copy shard.yml"
    );
    let dart = |dependency: &str| {
        let pubspec = format!("dependencies:\n  {dependency}\n");
        let files = [("pubspec.yaml", pubspec.as_str()), ("bin/shop.dart", "")];
        of("dart", &["dart pub get"], &files)[0].clone()
    };
    assert_eq!(dart("path: ^1.8.0"), "copy pubspec.yaml");
    assert_eq!(dart("web:\n    path: ../web"), "copy all");
    let cpan = [("cpanfile", "requires 'Plack';\n"), ("app.psgi", "")];
    assert_eq!(
        of("perl", &["cpanm --installdeps ."], &cpan)[0],
        "copy cpanfile"
    );
}

#[test]
fn only_builds_that_get_something_are_online() {
    let fetches = "FetchContent_Declare(json)";
    assert!(is_online(
        "cpp",
        "cmake -S . -B build",
        &[("CMakeLists.txt", ""), ("lib/CMakeLists.txt", fetches)]
    ));
    assert!(!is_online(
        "cpp",
        "cmake -S . -B build",
        &[("CMakeLists.txt", "")]
    ));
    let zon = ".{ .dependencies = .{ .a = .{ .url = \"https://example.com\" } } }";
    assert!(is_online("zig", "zig build", &[("build.zig.zon", zon)]));
    assert!(!is_online("zig", "zig build", &[("build.zig", "")]));
    assert!(is_online(
        "c",
        "meson setup build",
        &[("subprojects/json.wrap", "")]
    ));
    assert!(!is_online("c", "meson setup build", &[("meson.build", "")]));
}

#[test]
fn what_the_packages_of_a_workspace_list_comes_before_its_sources() {
    let mut api = application("node", &["cd ../.. && npm ci", "npm run build"]);
    api.path = Some("apps/api".to_owned());
    let built = |library: &str| {
        let files = [
            ("package.json", r#"{"workspaces": ["apps/*", "libs/*"]}"#),
            ("package-lock.json", "{}"),
            (
                "apps/api/package.json",
                r#"{"dependencies": {"names": "*"}}"#,
            ),
            ("apps/api/index.js", ""),
            ("libs/names/package.json", library),
        ];
        let plan = planned(api.clone(), "base:1", &files);
        steps(&plan).into_iter().skip(1).take(4).collect::<Vec<_>>()
    };
    assert_eq!(
        built("{}"),
        [
            "copy apps/api/package.json libs/names/package.json package-lock.json package.json for 65532",
            "run online in /app: npm ci",
            "copy all for 65532",
            "run in /app/apps/api: npm run build",
        ]
    );
    // A script may read anything, and a program is linked only when it is there.
    for library in [
        r#"{"scripts": {"prepare": "tsc"}}"#,
        r#"{"bin": "names.js"}"#,
        r#"{"dependencies": {"more": "file:../more"}}"#,
        "not json",
    ] {
        assert_eq!(built(library)[0], "copy all for 65532", "{library}");
    }
}

#[test]
fn a_command_that_goes_too_far_out_is_run_as_it_is() {
    let mut api = application("node", &["cd ../.. && npm ci"]);
    api.path = Some("api".to_owned());
    let plan = planned(api, "base:1", &[("api/package.json", "{}")]);
    let lines = steps(&plan);
    assert!(
        lines.contains(&"run online in /app/api: cd ../.. && npm ci".to_owned()),
        "{lines:?}"
    );
}
