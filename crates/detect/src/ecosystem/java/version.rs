//! The version of Java that a project wants.

use crate::ecosystem::{Claim, UsualRuntime};
use crate::sources::Sources;
use crate::version_files;

/// What bases offer where nothing is said: Debian's.
pub const USUAL: UsualRuntime = UsualRuntime {
    name: "java",
    label: "Java",
    version: "17",
    remedy: "echo 17 > .java-version",
};

/// The last one with long support that every tool knows.
const LATEST: &str = "21";

/// What the files say that only name versions; they go before what the build takes at least.
pub fn of_files(sources: &Sources<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for name in [".java-version", ".jdk-version"] {
        if let Some(said) = version_files::only(sources, name) {
            claims.push(claim(&said.version, said.from));
        }
    }
    claims.extend(property(sources, ".sdkmanrc", "java"));
    for said in version_files::of_tool(sources, "java") {
        claims.push(claim(&said.version, said.from));
    }
    claims.extend(property(
        sources,
        "system.properties",
        "java.runtime.version",
    ));
    claims
}

fn claim(text: &str, from: String) -> Claim {
    let text = text.trim();
    if matches!(text, "latest" | "lts") {
        return Claim::range(text, LATEST, from);
    }
    match version(text) {
        Some(version) => Claim::exactly(version, from),
        None => Claim::unknown(text, from),
    }
}

/// `name=value` in a properties file.
fn property(sources: &Sources<'_>, file: &str, name: &str) -> Option<Claim> {
    let file = sources.nearest(&[file])?;
    let text = sources.text(&file)?;
    text.lines().enumerate().find_map(|(index, line)| {
        let (key, value) = line.split_once(['=', ':'])?;
        if key.trim() != name {
            return None;
        }
        Some(claim(value, format!("{file}:{}", index + 1)))
    })
}

/// `1.8`, `17-tem`, `temurin-17.0.9+9`, `VERSION_11`, `JVM_1_8`, `22.3.r17-grl` as `8`, `17`, `17.0.9`, `11`, `8`, `17`.
pub fn version(text: &str) -> Option<String> {
    let text = text
        .trim()
        .trim_matches(['"', '\'', ' '])
        .to_ascii_lowercase();
    // GraalVM's own versions say the Java they are for behind them.
    let of_graal = ["+java", "-java", ".r"]
        .iter()
        .find_map(|mark| text.split_once(mark))
        .map(|(_, java)| java)
        .filter(|java| java.starts_with(|first: char| first.is_ascii_digit()));
    // Zulu's own versions begin with the Java they are: `zulu-8.72.0.17`.
    let is_zulu = text.starts_with("zulu");
    let dotted = of_graal.unwrap_or(&text).replace('_', ".");
    let word = dotted
        .split(['-', '@', ' '])
        .map(|word| {
            word.trim_start_matches("version.")
                .trim_start_matches("jvm.")
        })
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let end = word
        .find(|character: char| character != '.' && !character.is_ascii_digit())
        .unwrap_or(word.len());
    let mut numbers: Vec<&str> = word[..end]
        .split('.')
        .filter(|number| !number.is_empty())
        .collect();
    if numbers.first() == Some(&"1") {
        let major = numbers.get(1)?;
        return is_major(major).then(|| (*major).to_owned());
    }
    while numbers.len() > 1 && numbers.last() == Some(&"0") {
        numbers.pop();
    }
    numbers.truncate(if is_zulu { 1 } else { 3 });
    let plausible = numbers.first().is_some_and(|major| is_major(major))
        && numbers.iter().all(|number| number.len() < 4);
    plausible.then(|| numbers.join("."))
}

fn is_major(text: &str) -> bool {
    text.parse::<u32>()
        .is_ok_and(|major| (1..100).contains(&major))
}

/// The first number of a version.
pub fn major(version: &str) -> u32 {
    let number = version.split(['.', '-', '+', 'u']).next().unwrap_or("");
    number.parse().unwrap_or(17)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_as_people_write_them() {
        for (written, meant) in [
            ("1.8", "8"),
            ("1.8.0_252", "8"),
            ("8u252", "8"),
            ("17", "17"),
            ("17.0", "17"),
            ("'11'", "11"),
            ("17.0.9-tem", "17.0.9"),
            ("temurin-17.0.9+9", "17.0.9"),
            ("temurin-21", "21"),
            ("openjdk64-11.0.2", "11.0.2"),
            ("openjdk@17", "17"),
            ("VERSION_1_8", "8"),
            ("VERSION_17", "17"),
            ("JVM_11", "11"),
            ("graalvm-22.3.1+java17", "17"),
            ("zulu-8.72.0.17", "8"),
            ("22.3.r17-grl", "17"),
        ] {
            assert_eq!(version(written).as_deref(), Some(meant), "{written}");
        }
        for nothing in ["", "latest", "${java}", "1", "é1"] {
            assert_eq!(version(nothing), None, "{nothing}");
        }
    }
}
