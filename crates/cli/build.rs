//! How the programs are linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && is("PROFILE", "release")
    {
        // Each start of a program that can lie anywhere in memory rewrites some 50,000 addresses in it, which
        // takes as long as a whole `ergon detect`. Programs in Go lie at a fixed place for the same reason.
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
