//! Where programs of compiled languages listen, as their code says it.

use crate::detected;

#[test]
fn go_says_it_in_many_ways() {
    for (code, port) in [
        (
            "var port = flag.Int(\"port\", 50051, \"\")\nfunc main() {\n\tnet.Listen(\"tcp\", fmt.Sprintf(\":%d\", *port))\n\tgrpc.NewServer()\n}\n",
            50051,
        ),
        (
            "var port = \"3550\"\nfunc main() {\n\tif os.Getenv(\"PORT\") != \"\" {\n\t\tport = os.Getenv(\"PORT\")\n\t}\n\tnet.Listen(\"tcp\", \":\"+port)\n\tgrpc.NewServer()\n}\n",
            3550,
        ),
        (
            "func main() {\n\tport := \"9000\"\n\tif p := os.Getenv(\"PORT\"); p != \"\" {\n\t\tport = p\n\t}\n\thttp.ListenAndServe(\":\"+port, nil)\n}\n",
            9000,
        ),
        (
            "func main() {\n\thttp.ListenAndServe(\":\"+getEnv(\"PORT\", \"7000\"), nil)\n}\n",
            7000,
        ),
        (
            "type config struct {\n\tPort int `env:\"PORT\" envDefault:\"6000\"`\n}\nfunc main() {\n\thttp.ListenAndServe(address, nil)\n}\n",
            6000,
        ),
        (
            "func main() {\n\taddr := flag.String(\"addr\", \":4000\", \"\")\n\thttp.ListenAndServe(*addr, nil)\n}\n",
            4000,
        ),
    ] {
        let program = detected(&[
            (
                "go.mod",
                "module shop\n\ngo 1.21\n\nrequire google.golang.org/grpc v1.59.0\n",
            ),
            ("main.go", &format!("package main\n\n{code}")),
        ]);
        assert_eq!(program.ports, [port], "{code}");
    }
}

#[test]
fn who_only_calls_others_by_grpc_has_no_port() {
    let program = detected(&[
        (
            "go.mod",
            "module shop\n\ngo 1.21\n\nrequire google.golang.org/grpc v1.59.0\n",
        ),
        (
            "main.go",
            "package main\n\nfunc main() {\n\tgrpc.Dial(\"shop:50051\")\n}\n",
        ),
    ]);
    assert_eq!((program.kind.as_str(), program.ports), ("go", vec![]));
}

#[test]
fn of_the_smaller_languages() {
    let crystal = "name: web\ntargets:\n  web:\n    main: src/web.cr\n";
    let haskell = "name: web\nexecutable web\n  build-depends: base, servant-server\n";
    let swift = "let package = Package(name: \"web\", dependencies: [.package(url: \"https://github.com/hummingbird-project/hummingbird.git\", from: \"2.0.0\")], targets: [.executableTarget(name: \"App\")])";
    for (file, manifest, source, text, port) in [
        (
            "shard.yml",
            crystal,
            "src/web.cr",
            "server.bind_tcp \"0.0.0.0\", 8081\n",
            8081,
        ),
        (
            "web.cabal",
            haskell,
            "Main.hs",
            "main = run 8082 app\n",
            8082,
        ),
        (
            "Package.swift",
            swift,
            "Sources/App/main.swift",
            ".hostname(\"0.0.0.0\", port: 8083)\n",
            8083,
        ),
    ] {
        let program = detected(&[(file, manifest), (source, text)]);
        assert_eq!(program.ports, [port], "{text}");
    }
}

#[test]
fn servers_of_cpp_zig_and_dart() {
    let cmake = "project(web)\nadd_executable(web main.cpp)\n";
    let zig = "const exe = b.addExecutable(.{ .name = \"web\" });\n";
    let dart = "name: web\ndependencies:\n  shelf: any\n";
    for (file, manifest, source, text, port) in [
        (
            "CMakeLists.txt",
            cmake,
            "main.cpp",
            "server.listen(\"0.0.0.0\", 8081);\n",
            8081,
        ),
        (
            "CMakeLists.txt",
            cmake,
            "main.cpp",
            "app().addListener(\"0.0.0.0\", 8082);\n",
            8082,
        ),
        (
            "build.zig",
            zig,
            "src/main.zig",
            "HttpListener.init(.{ .port = 8083 });\n",
            8083,
        ),
        (
            "pubspec.yaml",
            dart,
            "bin/web.dart",
            "final port = int.parse(Platform.environment['PORT'] ?? '8084');\n",
            8084,
        ),
    ] {
        let program = detected(&[(file, manifest), (source, text)]);
        assert_eq!(program.ports, [port], "{text}");
    }
}

#[test]
fn servers_that_answer_calls_of_grpc() {
    let node = detected(&[
        (
            "package.json",
            "{\"dependencies\": {\"@grpc/grpc-js\": \"1\"}}",
        ),
        (
            "server.js",
            "server.bindAsync('0.0.0.0:50052', credentials, start);\n",
        ),
    ]);
    assert_eq!(node.ports, [50052]);
    let java = detected(&[
        (
            "build.gradle",
            "plugins {\n  id 'application'\n}\napplication {\n  mainClass = 'shop.Main'\n}\n",
        ),
        (
            "src/main/java/shop/Main.java",
            "package shop;\nclass Main {\n  public static void main(String[] a) { ServerBuilder.forPort(50053).build().start(); }\n}\n",
        ),
    ]);
    assert_eq!(java.ports, [50053]);
}
