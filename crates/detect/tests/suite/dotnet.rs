//! .NET's projects and solutions.

use ergon_detect::memory::MemoryTree;

use crate::{detected, report};

const WEB: &str = "<Project Sdk=\"Microsoft.NET.Sdk.Web\">\n<PropertyGroup><TargetFramework>net6.0</TargetFramework></PropertyGroup>\n</Project>";

fn version(files: &[(&str, &str)]) -> (String, String) {
    let runtime = detected(files).runtime.unwrap();
    (runtime.version, runtime.from.unwrap())
}

fn dockerfile(files: &[(&str, &str)]) -> String {
    let tree = MemoryTree::new(files.iter().copied());
    let analysis = ergon_detect::analyse(&tree);
    let plans = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
    ergon_detect::dockerfile::render(&plans[0]).text
}

#[test]
fn the_tools_that_are_asked_for_build_it_and_its_framework_runs_it() {
    let files = [
        ("shop.csproj", WEB),
        (
            "global.json",
            "{ // tools\n  \"sdk\": { \"version\": \"7.0.100\" }\n}",
        ),
    ];
    assert_eq!(
        version(&files),
        ("7.0".to_owned(), "global.json:2".to_owned())
    );
    let shop = detected(&files);
    assert_eq!(shop.build_commands[0], "rm -f global.json");
    let report = report(&MemoryTree::new(files));
    assert!(report.contains("shop.csproj:2 says 6.0"), "{report}");
    let rolls = [
        files[0],
        (
            "global.json",
            "{\"sdk\": {\"version\": \"7.0.100\", \"rollForward\": \"latestFeature\"}}",
        ),
    ];
    assert_eq!(detected(&rolls).build_commands.len(), 2);
    let old = [
        files[0],
        ("global.json", "{\"sdk\": {\"version\": \"5.0.100\"}}"),
    ];
    assert_eq!(version(&old).0, "6.0");
}

#[test]
fn the_newest_of_several_frameworks_is_published() {
    let tool = detected(&[(
        "tool.vbproj",
        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType><TargetFrameworks>netstandard2.0;net10.0;net8.0</TargetFrameworks></PropertyGroup></Project>",
    )]);
    assert_eq!(tool.language, "visualbasic");
    assert_eq!(
        tool.build_commands[1],
        "dotnet publish tool.vbproj --no-restore -c Release -f net10.0 -o out"
    );
    assert_eq!(tool.runtime.unwrap().version, "10.0");
    assert!(tool.ports.is_empty());
}

#[test]
fn settings_and_code_say_where_it_listens() {
    let settings = "{\n  // as deployed\n  \"Kestrel\": { \"Endpoints\": { \"Http\": { \"Url\": \"http://*:5005\" } } }\n}";
    let by_settings = detected(&[("shop.csproj", WEB), ("appsettings.json", settings)]);
    assert_eq!(by_settings.ports, [5005]);
    let by_code = detected(&[
        ("shop.csproj", WEB),
        ("Program.cs", "app.Run(\"http://0.0.0.0:5000\");\n"),
    ]);
    assert_eq!(by_code.ports, [5000]);
    let image = dockerfile(&[("shop.csproj", WEB)]);
    assert!(
        image.contains("ASPNETCORE_URLS=\"http://+:8080\""),
        "{image}"
    );
    assert!(
        image.contains("ASPNETCORE_CONTENTROOT=\"/app/out\""),
        "{image}"
    );
    assert!(
        image.contains("mcr.microsoft.com/dotnet/aspnet:6.0"),
        "{image}"
    );
}

#[test]
fn what_runs_in_the_browser_is_a_site() {
    let page = detected(&[(
        "page.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk.BlazorWebAssembly\"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>",
    )]);
    assert_eq!(page.kind, "blazor");
    assert_eq!(page.artifacts, ["out/wwwroot", "Caddyfile"]);
    assert!(page.run_command.unwrap().starts_with("caddy run"));
}

#[test]
fn a_solution_has_its_one_program() {
    let library = "<Project Sdk=\"Microsoft.NET.Sdk\" />";
    let tests = "<Project Sdk=\"Microsoft.NET.Sdk\"><ItemGroup><PackageReference Include=\"xunit.v3\" /></ItemGroup></Project>";
    let shop = detected(&[
        ("Shop.slnx", ""),
        ("src/Shop.Core/Shop.Core.csproj", library),
        ("src/Shop.Web/Shop.Web.csproj", WEB),
        ("src/Shop.Checks/Shop.Checks.csproj", tests),
    ]);
    assert_eq!(shop.run_command.as_deref(), Some("./out/Shop.Web"));
    assert_eq!(
        shop.build_commands[0],
        "dotnet restore src/Shop.Web/Shop.Web.csproj"
    );
}

#[test]
fn what_only_windows_runs_is_not_started() {
    let files = [(
        "old.csproj",
        "<Project ToolsVersion=\"15.0\"><PropertyGroup><OutputType>Exe</OutputType><TargetFrameworkVersion>v4.8</TargetFrameworkVersion></PropertyGroup></Project>",
    )];
    assert_eq!(detected(&files).run_command, None);
    let report = report(&MemoryTree::new(files));
    assert!(report.contains("runs on Windows alone"), "{report}");
}

#[test]
fn pages_that_npm_builds_bring_it_into_the_build() {
    let project = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup><Target Name=\"Pages\"><Exec Command=\"npm ci\" /></Target></Project>";
    let image = dockerfile(&[("shop.csproj", project)]);
    let (build, last) = image.split_once("aspnet:8.0").unwrap();
    assert!(build.contains("nodejs npm"), "{image}");
    assert!(!last.contains("npm"), "{image}");
}

#[test]
fn saturn_is_told_its_address() {
    let found = detected(&[
        (
            "App.fsproj",
            "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>",
        ),
        (
            "Program.fs",
            "let app = application {\n  url \"http://0.0.0.0:8085\"\n}\n",
        ),
    ]);
    assert_eq!(found.ports, [8085]);
}

#[test]
fn what_is_published_already_is_started_as_it_is() {
    let settings = |framework: &str| {
        format!(
            "{{\"runtimeOptions\": {{\"{framework}\": [{{\"name\": \"Microsoft.NETCore.App\", \"version\": \"8.0.4\"}}, {{\"name\": \"Microsoft.AspNetCore.App\", \"version\": \"8.0.4\"}}]}}}}"
        )
    };
    let found = detected(&[
        ("shop.runtimeconfig.json", &settings("frameworks")),
        ("shop.dll", ""),
    ]);
    assert_eq!(found.run_command.as_deref(), Some("dotnet shop.dll"));
    assert_eq!(found.runtime.unwrap().version, "8.0");
    assert_eq!(found.ports, [8080]);
    let tree = MemoryTree::new([
        ("shop.runtimeconfig.json", settings("includedFrameworks")),
        ("shop", String::new()),
    ]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    let container = manifest.containers.values().next().unwrap();
    assert_eq!(
        container.base_image,
        "mcr.microsoft.com/dotnet/runtime-deps:8.0"
    );
}

#[test]
fn a_framework_under_a_condition_is_not_the_usual_one() {
    let found = detected(&[(
        "Shop.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup Condition=\"'$(Old)' == 'true'\"><TargetFramework>net6.0</TargetFramework></PropertyGroup><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>",
    )]);
    assert_eq!(found.runtime.unwrap().version, "8.0");
}

#[test]
fn what_runs_on_a_desk_or_only_starts_the_others_is_no_service() {
    let project = |sdk: &str, more: &str| {
        format!(
            "<Project Sdk=\"{sdk}\"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net9.0</TargetFramework>{more}</PropertyGroup><ItemGroup><PackageReference Include=\"Aspire.StackExchange.Redis.OutputCaching\" Version=\"9.0.0\" /></ItemGroup></Project>"
        )
    };
    let tree = MemoryTree::new([
        (
            "src/Api/Api.csproj",
            project("Microsoft.NET.Sdk.Web", "").as_str(),
        ),
        (
            "src/Host/Host.csproj",
            project("Aspire.AppHost.Sdk/9.0.0", "").as_str(),
        ),
        (
            "src/Phone/Phone.csproj",
            project("Microsoft.NET.Sdk", "<UseMaui>true</UseMaui>").as_str(),
        ),
        (
            "src/Desk/Desk.csproj",
            project("Microsoft.NET.Sdk", "<UseWPF>true</UseWPF>").as_str(),
        ),
    ]);
    let applications = ergon_detect::analyse(&tree).manifest.applications;
    assert_eq!(applications.keys().collect::<Vec<_>>(), ["api"]);
    assert_eq!(applications["api"].services, ["redis"]);
}

#[test]
fn a_function_is_served_like_any_web_program() {
    let found = detected(&[(
        "Greet.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net8.0</TargetFramework></PropertyGroup><ItemGroup><PackageReference Include=\"Google.Cloud.Functions.Hosting\" Version=\"2.2.1\" /></ItemGroup></Project>",
    )]);
    assert_eq!(found.ports, [8080]);
}

#[test]
fn a_program_may_be_one_file() {
    let found = detected(&[(
        "greet.cs",
        "#!/usr/bin/env dotnet\n#:sdk Microsoft.NET.Sdk.Web\nvar app = WebApplication.Create(args);\napp.Run(\"http://0.0.0.0:5000\");\n",
    )]);
    assert_eq!(found.run_command.as_deref(), Some("./out/greet"));
    assert_eq!(found.runtime.unwrap().version, "10.0");
    assert_eq!(found.ports, [5000]);
    let tree = MemoryTree::new([("greet.cs", "class Greet {}\n")]);
    assert!(
        ergon_detect::analyse(&tree)
            .manifest
            .applications
            .is_empty()
    );
}
