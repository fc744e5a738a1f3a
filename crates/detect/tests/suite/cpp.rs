//! C and C++: which program is built, and where it is left.

use crate::{detected, run_command};

const MAIN: (&str, &str) = ("main.c", "int main(void) {}\n");

#[test]
fn lone_files_are_told_to_the_compiler() {
    let program = detected(&[
        (
            "shop.c",
            "#include <math.h>\nint main(int argc, char **argv) {}\n",
        ),
        ("util.c", "int mainly(void) {}\n"),
        ("include/util.h", ""),
    ]);
    assert_eq!(
        program.build_commands,
        ["gcc -O2 -Iinclude -o out shop.c util.c -lm"]
    );
    assert_eq!(program.run_command.as_deref(), Some("./out"));
    assert_eq!(
        (program.language.as_str(), program.package_manager),
        ("c", None)
    );
    // Of two programs, that of the main file.
    let program = detected(&[
        ("a.cpp", "int main() {}\n"),
        ("main.cpp", "int main() {}\n"),
    ]);
    assert_eq!(program.build_commands, ["g++ -O2 -o out main.cpp"]);
}

#[test]
fn cmake_lists_say_which_and_where() {
    for (lists, program) in [
        (
            "project(shop)\nadd_executable(shop_tests t.c)\nadd_executable(web main.c)\n",
            "./build/web",
        ),
        (
            "project(shop)\nset(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)\nadd_subdirectory(src)\n",
            "./build/bin/inner",
        ),
        (
            "project(shop)\nadd_subdirectory(src)\n",
            "./build/src/inner",
        ),
        (
            "project(shop)\nset(NAME web)\nset(EXECUTABLE_OUTPUT_PATH ${PROJECT_SOURCE_DIR}/bin)\nadd_executable(${NAME} main.c)\n",
            "./bin/web",
        ),
    ] {
        let inner = "add_executable(inner main.c)\n";
        let files = [
            MAIN,
            ("CMakeLists.txt", lists),
            ("src/CMakeLists.txt", inner),
        ];
        assert_eq!(run_command(&files), program, "{lists}");
    }
}

#[test]
fn meson_goes_into_folders() {
    let files = [
        MAIN,
        ("meson.build", "project('shop', 'c')\nsubdir('src')\n"),
        (
            "src/meson.build",
            "executable(meson.project_name(), 'x.c')\n",
        ),
    ];
    assert_eq!(run_command(&files), "./build/src/shop");
}

#[test]
fn make_says_it_by_variables_and_rules() {
    for (text, program) in [
        (
            "DIR = bin\nTARGET = $(DIR)/app\nall: $(TARGET)\n$(TARGET): main.c\n",
            "./bin/app",
        ),
        (
            "BIN = bin\nall: dirs $(BIN)/app\n$(BIN)/app: main.c\n",
            "./bin/app",
        ),
        ("build:\n\tgcc -o shop main.c\n", "./shop"),
        ("X = $(X)\nshop: main.c\n", "./shop"),
    ] {
        assert_eq!(run_command(&[MAIN, ("Makefile", text)]), program, "{text}");
    }
}

#[test]
fn autotools_configure_it_first() {
    let program = detected(&[
        MAIN,
        ("configure.ac", "AC_INIT([shop], [1.0])\n"),
        ("src/Makefile.am", "bin_PROGRAMS = shop\n"),
    ]);
    assert_eq!(
        program.build_commands,
        ["autoreconf --install", "./configure", "make"]
    );
    assert_eq!(program.run_command.as_deref(), Some("./src/shop"));
    assert!(program.system_packages.contains(&"autoconf".to_owned()));
}

#[test]
fn the_type_of_main_may_stand_above_it() {
    assert_eq!(run_command(&[("x.c", "int\nmain(void)\n{\n}\n")]), "./out");
}
