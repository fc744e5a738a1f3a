//! `cargo xtask tidy`: the rules of the house as a program.
//!
//! A rule is a pure function from what is in the repository to [`Violation`]s; this file gathers what
//! they read and prints what they say. A line that has to break a line rule says so, and why, in a
//! comment on it or on the line above: `tidy(sleep-in-test): the clock is what is tested`.

mod crates;
mod links;
mod manifests;
mod repository;
mod rust;
mod texts;
mod violation;

use std::path::Path;
use std::process::ExitCode;

use repository::Repository;
use violation::Violation;

/// Checks every rule; prints each violation and how to end it.
pub fn run(root: &Path) -> ExitCode {
    let repository = match Repository::read(root) {
        Ok(repository) => repository,
        Err(error) => {
            eprintln!("tidy cannot read the repository: {error}");
            return ExitCode::FAILURE;
        }
    };
    let violations = check(&repository);
    for violation in &violations {
        println!("{violation}");
    }
    let (files, crates) = (repository.files.len(), repository.packages.len());
    match violations.len() {
        0 => {
            println!("tidy: {files} files in {crates} packages, nothing to tidy");
            ExitCode::SUCCESS
        }
        count => {
            println!("tidy: {count} to tidy, in {files} files and {crates} packages");
            ExitCode::FAILURE
        }
    }
}

fn check(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &repository.packages {
        violations.extend(crates::check(package));
        violations.extend(manifests::check_package(package));
    }
    if let Some(manifest) = repository.file("Cargo.toml") {
        violations.extend(manifests::check_workspace(&manifest.text));
    }
    for file in &repository.files {
        violations.extend(texts::check(file, &repository.root));
        match file.extension() {
            "rs" => violations.extend(rust::check(file)),
            "md" => violations.extend(links::check(file, repository)),
            _ => {}
        }
    }
    violations.sort();
    violations
}
