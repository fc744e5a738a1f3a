//! What a project file says.

use crate::sources::Sources;

/// A project file, read.
pub(super) struct Project {
    pub file: String,
    sdk: String,
    /// `net8.0`, `net6.0;net8.0`
    pub framework: Option<(String, String)>,
    assembly: Option<String>,
    output: Option<String>,
    has_host: bool,
    /// Made for Windows' own .NET.
    pub is_windows: bool,
    /// For a desk or a phone, or what starts the other projects while they are worked on.
    is_elsewhere: bool,
    /// Its build runs Node's package manager.
    pub builds_with_node: bool,
    says_test: bool,
    /// Other parts of .NET that it wants: `Microsoft.AspNetCore.App`.
    parts: Vec<String>,
    /// Packages and where each is listed.
    pub packages: Vec<(String, String)>,
}

impl Project {
    pub fn read(sources: &Sources<'_>, file: &str) -> Option<Self> {
        let text = sources.text(file)?;
        let document = sources.xml(file, &text)?;
        let root = document.root_element();
        let place = |node: &roxmltree::Node<'_, '_>| {
            let row = document.text_pos_at(node.range().start).row;
            format!("{file}:{row}")
        };
        let property = |name: &str| {
            let mut named = root.descendants().filter(|node| node.has_tag_name(name));
            // What is said under a condition only stands for itself.
            let always = named.clone().find(|node| {
                let mut around = node.ancestors();
                !around.any(|one| one.has_attribute("Condition"))
            });
            always
                .or_else(|| named.next())
                .and_then(|node| Some((node.text()?.trim().to_owned(), place(&node))))
                .filter(|(value, _)| !value.is_empty() && !value.contains("$("))
        };
        let says = |name: &str, wanted: &str| {
            property(name).is_some_and(|(value, _)| value.eq_ignore_ascii_case(wanted))
        };
        let included = |tag: &str| {
            root.descendants()
                .filter(|node| node.has_tag_name(tag))
                .filter_map(|node| Some((node.attribute("Include")?.to_owned(), place(&node))))
                .collect::<Vec<_>>()
        };
        let sdk = root.attribute("Sdk").or_else(|| {
            let named = root.children().find(|node| node.has_tag_name("Sdk"))?;
            named.attribute("Name")
        });
        let mut sdks = root
            .children()
            .filter(|node| node.has_tag_name("Sdk"))
            .filter_map(|node| node.attribute("Name"))
            .chain(sdk);
        let sdk = sdk.unwrap_or("").split('/').next().unwrap_or("");
        Some(Self {
            file: file.to_owned(),
            sdk: sdk.to_owned(),
            framework: property("TargetFramework").or_else(|| property("TargetFrameworks")),
            assembly: property("AssemblyName").map(|(name, _)| name),
            output: property("OutputType").map(|(kind, _)| kind),
            has_host: !says("UseAppHost", "false"),
            is_windows: sdk.is_empty() && property("TargetFrameworkVersion").is_some(),
            is_elsewhere: ["UseMaui", "UseWPF", "UseWindowsForms", "IsAspireHost"]
                .iter()
                .any(|property| says(property, "true"))
                || sdks.any(|sdk| sdk.starts_with("Aspire.AppHost")),
            builds_with_node: root
                .descendants()
                .filter(|node| node.has_tag_name("Exec"))
                .filter_map(|node| node.attribute("Command"))
                .any(|command| {
                    ["npm ", "npx ", "yarn"]
                        .iter()
                        .any(|tool| command.contains(tool))
                }),
            says_test: says("IsTestProject", "true"),
            parts: included("FrameworkReference")
                .into_iter()
                .map(|(name, _)| name)
                .collect(),
            packages: included("PackageReference"),
        })
    }

    /// Whether it uses a package whose name begins so.
    pub fn uses(&self, name: &str) -> bool {
        let mut packages = self.packages.iter();
        packages.any(|(package, _)| package.starts_with(name))
    }

    /// Runs in the browser, so that it is a site's files.
    pub fn is_page(&self) -> bool {
        self.sdk.ends_with(".BlazorWebAssembly")
    }

    /// Listens, by what only servers use.
    pub fn is_web(&self) -> bool {
        // Functions bring their server along.
        self.uses("Google.Cloud.Functions.Hosting")
            || self.sdk.ends_with(".Web")
            || (self.is_program()
                && self
                    .parts
                    .iter()
                    .any(|part| part == "Microsoft.AspNetCore.App"))
    }

    /// Works in the background, with the settings that hosts read.
    pub fn is_worker(&self) -> bool {
        !self.is_web()
            && (self.sdk.ends_with(".Worker") || self.uses("Microsoft.Extensions.Hosting"))
    }

    pub fn runs(&self) -> bool {
        let library = self
            .output
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("library"));
        let served = self.sdk.ends_with(".Web") || self.sdk.ends_with(".Worker") || self.is_page();
        !self.is_windows && !self.is_elsewhere && (self.is_program() || (served && !library))
    }

    fn is_program(&self) -> bool {
        self.output
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("exe"))
    }

    pub fn is_test(&self) -> bool {
        let packages = [
            "Microsoft.NET.Test.Sdk",
            "xunit",
            "NUnit",
            "MSTest",
            "TUnit",
            "BenchmarkDotNet",
        ];
        self.says_test
            || self.sdk.starts_with("MSTest.Sdk")
            || packages.iter().any(|name| self.uses(name))
    }

    /// What `dotnet publish` calls the program.
    pub fn program(&self) -> String {
        let stem = self.file.rsplit('/').next().unwrap_or(&self.file);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        self.assembly.clone().unwrap_or_else(|| stem.to_owned())
    }

    /// Whether publishing makes a program that starts by itself.
    pub fn has_host(&self) -> bool {
        self.has_host
    }

    /// Of several frameworks the newest that is .NET's own, as written.
    pub fn newest(&self) -> Option<&str> {
        let (frameworks, _) = self.framework.as_ref()?;
        frameworks
            .split(';')
            .map(str::trim)
            .filter_map(|framework| Some((number(framework)?, !framework.contains('-'), framework)))
            .max()
            .map(|(_, _, framework)| framework)
    }

    /// Whether one of several has to be chosen.
    pub fn has_several(&self) -> bool {
        let mut names = self.framework.iter().flat_map(|(all, _)| all.split(';'));
        names
            .by_ref()
            .filter(|name| !name.trim().is_empty())
            .count()
            > 1
    }
}

/// `net8.0` is 8.0, `netcoreapp3.1` is 3.1; what runs elsewhere (`net48`, `netstandard2.0`) is none.
pub(super) fn number(framework: &str) -> Option<(u32, u32)> {
    let version = framework
        .strip_prefix("netcoreapp")
        .or_else(|| framework.strip_prefix("net"))?;
    let version = version.split('-').next().unwrap_or(version);
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
