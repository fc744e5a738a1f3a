//! What Bundler and Composer read when they install.

use std::collections::BTreeSet;

use super::Place;

/// `bundle install`: a Gemfile is a program, which must not look at more than what is known.
pub(super) fn bundler(place: &Place<'_>) -> Option<BTreeSet<String>> {
    let known = [
        "Gemfile",
        "Gemfile.lock",
        "gems.rb",
        "gems.locked",
        ".ruby-version",
        ".tool-versions",
        ".bundle/config",
    ];
    let text = format!("{}{}", place.text("Gemfile"), place.text("gems.rb"));
    let looks = [
        "path",
        "gemspec",
        "eval_gemfile",
        "instance_eval",
        "require",
        "File.",
        "Dir",
        "plugin",
    ];
    let looks_further = text.lines().any(|line| {
        let line = line.split('#').next().unwrap_or("");
        // `require: false` says when a gem is loaded.
        let line = line.replace("require:", "").replace(":require", "");
        looks.iter().any(|word| line.contains(word)) && !line.contains(".ruby-version")
    });
    if looks_further {
        None
    } else {
        place.files(&known)
    }
}

/// `composer install` without scripts: no packages of the tree itself.
pub(super) fn composer(place: &Place<'_>) -> Option<BTreeSet<String>> {
    let package: serde_json::Value = serde_json::from_str(&place.text("composer.json")).ok()?;
    let local = ["path", "artifact"];
    let repositories = &package["repositories"];
    let listed = repositories.as_array().into_iter().flatten();
    let named = repositories
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values);
    let mut kinds = listed.chain(named).map(|repository| &repository["type"]);
    if kinds.any(|kind| kind.as_str().is_some_and(|kind| local.contains(&kind))) {
        return None;
    }
    place.files(&[
        "composer.json",
        "composer.lock",
        "auth.json",
        "symfony.lock",
    ])
}
