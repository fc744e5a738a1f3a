//! A tree written as one text, for inputs that a fuzzer makes and people keep.

use ergon_detect::memory::MemoryTree;

/// Files that detection reads; a name that is none of them stands for one.
pub const NAMES: [&str; 88] = [
    ".dockerignore",
    ".go-version",
    ".nvmrc",
    ".python-version",
    ".ruby-version",
    ".tool-versions",
    ".env.example",
    "Cargo.lock",
    "Cargo.toml",
    "CMakeLists.txt",
    "Dockerfile",
    "Gemfile",
    "Gemfile.lock",
    "Makefile",
    "Package.swift",
    "Pipfile",
    "Pipfile.lock",
    "Procfile",
    "Program.cs",
    "Staticfile",
    "angular.json",
    "app.csproj",
    "app.json",
    "app.py",
    "astro.config.mjs",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "build.zig",
    "build.zig.zon",
    "bun.lock",
    "cmd/a/main.go",
    "composer.json",
    "composer.lock",
    "config.ru",
    "config/application.rb",
    "config/runtime.exs",
    "cpanfile",
    "deno.json",
    "deps.edn",
    "docker-compose.yml",
    ".devcontainer/devcontainer.json",
    "fly.toml",
    "gleam.toml",
    "global.json",
    "go.mod",
    "go.work",
    "index.html",
    "index.js",
    "index.php",
    "lib/a/application.ex",
    "main.cpp",
    "main.go",
    "main.py",
    "manage.py",
    "meson.build",
    "mise.toml",
    "mix.exs",
    "mysite/settings.py",
    "next.config.js",
    "nx.json",
    "a/package.json",
    "package.json",
    "package-lock.json",
    "pdm.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "poetry.lock",
    "pom.xml",
    "project.clj",
    "pubspec.yaml",
    "pyproject.toml",
    "requirements.txt",
    "runtime.txt",
    "rust-toolchain.toml",
    "server.js",
    "shard.yml",
    "src/main.rs",
    "src/main/java/a/Main.java",
    "src/main/resources/application.properties",
    "stack.yaml",
    "start.sh",
    "system.properties",
    "turbo.json",
    "uv.lock",
    "vite.config.ts",
    "x.cabal",
    "yarn.lock",
];

/// Where a file begins; its name follows in the same line.
const BEGIN: &[u8] = b"\n=== ";

/// `=== NAME`, then the file's content, and so on; any bytes are some tree.
pub fn read(text: &[u8]) -> MemoryTree {
    let mut tree = MemoryTree::default();
    for part in parts(text) {
        let end = part.iter().position(|byte| *byte == b'\n');
        let (name, content) = part.split_at(end.unwrap_or(part.len()));
        let written = NAMES.iter().find(|known| known.as_bytes() == name);
        let sum: usize = name.iter().map(|byte| usize::from(*byte)).sum();
        let name = written.unwrap_or(&NAMES[sum % NAMES.len()]);
        tree = tree.with(*name, content.get(1..).unwrap_or_default());
    }
    tree
}

fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text.strip_prefix(&BEGIN[1..]).unwrap_or(text));
    std::iter::from_fn(move || {
        let text = rest?;
        let found = text.windows(BEGIN.len()).position(|window| window == BEGIN);
        rest = found.map(|at| &text[at + BEGIN.len()..]);
        Some(&text[..found.unwrap_or(text.len())])
    })
}
