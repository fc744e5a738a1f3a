//! What an image takes of a compiled program: the program, and what that reads.

use crate::detected;

fn of_go(body: &str, more: &[(&str, &str)]) -> Vec<String> {
    let main = format!("package main\n\nfunc main() {{\n{body}\n}}\n");
    let own = [("go.mod", "module shop\n\ngo 1.22\n"), ("main.go", &main)];
    let files: Vec<_> = own.into_iter().chain(more.iter().copied()).collect();
    detected(&files).artifacts
}

fn of_rust(body: &str, more: &[(&str, &str)]) -> Vec<String> {
    let main = format!("fn main() {{\n{body}\n}}\n");
    let own = [
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\nedition = \"2021\"\n",
        ),
        ("src/main.rs", main.as_str()),
    ];
    let files: Vec<_> = own.into_iter().chain(more.iter().copied()).collect();
    detected(&files).artifacts
}

const FILES: [(&str, &str); 6] = [
    ("README.md", ""),
    ("config.yaml", ""),
    ("migrations/1.sql", ""),
    ("views/a.html", ""),
    ("internal/pages/pages.go", "package pages\n"),
    ("internal/pages/html/a.html", ""),
];

#[test]
fn the_program_alone_where_it_reads_nothing() {
    assert_eq!(of_go("", &FILES), ["out"]);
    assert_eq!(of_rust("", &FILES), ["bin/shop"]);
}

#[test]
fn what_the_code_names_goes_along() {
    for (line, kept) in [
        ("os.ReadFile(\"config.yaml\")", "config.yaml"),
        ("viper.SetConfigName(\"config\")", "config.yaml"),
        ("migrate.New(\"file://migrations\", url)", "migrations"),
        ("router.LoadHTMLGlob(\"views/*\")", "views"),
        ("template.ParseFiles(\"./views/a.html\")", "views"),
        ("http.Dir(\"internal/pages\")", "internal/pages/html"),
        (
            "dir := \"views\"\n\thttp.Dir(filepath.Join(dir, name))",
            "views",
        ),
    ] {
        assert_eq!(of_go(line, &FILES), ["out", kept], "{line}");
    }
    for (line, kept) in [
        ("ServeDir::new(\"views\")", "views"),
        ("Files::new(\"/assets\", \"./views\")", "views"),
        ("File::with_name(\"config\")", "config.yaml"),
        (
            "Tera::new(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/views/**/*\"))",
            "views",
        ),
    ] {
        assert_eq!(of_rust(line, &FILES), ["bin/shop", kept], "{line}");
    }
}

#[test]
fn all_goes_along_where_a_place_is_computed() {
    for line in [
        "os.Open(where())",
        "http.Dir(\".\")",
        "os.ReadFile(settings.Path)",
        "home, _ := os.Getwd()",
    ] {
        assert!(of_go(line, &FILES).is_empty(), "{line}");
        // Nothing is there that it could read.
        assert_eq!(of_go(line, &FILES[..1]), ["out"], "{line}");
    }
    assert!(of_rust("std::fs::read(place)", &FILES).is_empty());
}

#[test]
fn what_a_function_is_given_is_what_its_callers_say() {
    let function = "}\n\nfunc load(path string) {\n\tos.ReadFile(path)\n}\n\nfunc other() {";
    let told = format!("load(\"config.yaml\"){function}");
    assert_eq!(of_go(&told, &FILES), ["out", "config.yaml"]);
    let computed = format!("load(where()){function}");
    assert!(of_go(&computed, &FILES).is_empty());
}

#[test]
fn what_is_part_of_the_program_stays_behind() {
    let main = "}\n\n//go:embed views/*\nvar pages embed.FS\n\nfunc other() {\n\ttemplate.ParseFS(pages, \"views/a.html\")";
    assert_eq!(of_go(main, &FILES), ["out"]);
    assert_eq!(
        of_rust("let page = include_str!(\"../views/a.html\");", &FILES),
        ["bin/shop"]
    );
}

#[test]
fn another_build_or_start_may_want_more() {
    let of = |procfile: &str| of_go("", &[("Procfile", procfile), ("config.yaml", "")]);
    assert_eq!(of("web: ./out\n"), ["out"]);
    assert!(of("web: ./out -config config.yaml\n").is_empty());
    assert!(of("web: shop\n").is_empty());
}

#[test]
fn who_calls_others_knows_whom_to_trust() {
    let of = |body: &str| {
        let main = format!("package main\n\nfunc main() {{\n{body}\n}}\n");
        detected(&[("go.mod", "module shop\n"), ("main.go", &main)]).system_packages
    };
    assert_eq!(of("http.Get(url)"), ["ca-certificates"]);
    assert!(of("http.ListenAndServe(\":8080\", nil)").is_empty());
}
