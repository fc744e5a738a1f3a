//! Whatever stands in a `.dockerignore`, any path is in or out of it.
#![no_main]

use ergon_detect::dockerignore::DockerIgnore;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (text, path) = input;
    DockerIgnore::parse(text).0.leaves_out_path(path);
});
