//! An inventory as SPDX 2.3, the same bytes for the same image. Pure.
//!
//! <https://spdx.github.io/spdx-spec/v2.3/>

use ergon_manifest::Digest;
use serde_json::{Value, json};

use super::inventory::{Inventory, Package};
use super::sbom::{About, expression};

pub const PREDICATE_TYPE: &str = "https://spdx.dev/Document";

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";
const SYSTEM: &str = "SPDXRef-OperatingSystem";
const NOT_SAID: &str = "NOASSERTION";

/// The document.
pub fn write(about: &About, inventory: &Inventory) -> Value {
    let image = about.image.to_string();
    let mut packages = vec![json!({
        "SPDXID": IMAGE,
        "name": about.name,
        "versionInfo": image,
        "downloadLocation": NOT_SAID,
        "filesAnalyzed": false,
        "licenseConcluded": NOT_SAID,
        "licenseDeclared": NOT_SAID,
        "copyrightText": NOT_SAID,
        "primaryPackagePurpose": "CONTAINER",
        "checksums": [{ "algorithm": "SHA256", "checksumValue": about.image.hex() }],
    })];
    if let Some(system) = &inventory.system {
        let mut package = json!({
            "SPDXID": SYSTEM,
            "name": system.id,
            "summary": system.name,
            "downloadLocation": NOT_SAID,
            "filesAnalyzed": false,
            "licenseConcluded": NOT_SAID,
            "licenseDeclared": NOT_SAID,
            "copyrightText": NOT_SAID,
            "primaryPackagePurpose": "OPERATING-SYSTEM",
        });
        if let Some(version) = &system.version {
            package["versionInfo"] = json!(version);
        }
        packages.push(package);
    }
    packages.extend(
        inventory
            .packages
            .iter()
            .map(|(url, package)| listed(url, package)),
    );
    let mut relationships = vec![relationship(DOCUMENT, "DESCRIBES", IMAGE)];
    relationships.extend(
        packages
            .iter()
            .skip(1)
            .filter_map(|package| package["SPDXID"].as_str())
            .map(|id| relationship(IMAGE, "CONTAINS", id)),
    );
    let mut document = json!({
        "SPDXID": DOCUMENT,
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "name": format!("{}@{image}", about.name),
        "documentNamespace": format!("https://ergon.dev/spdx/{}/{}", about.image.hex(), about.uuid("spdx")),
        "creationInfo": {
            "created": about.created,
            "creators": [concat!("Tool: ergon-", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relationships,
    });
    if !inventory.gaps.is_empty() {
        let gaps: Vec<&str> = inventory.gaps.iter().map(String::as_str).collect();
        document["comment"] = json!(format!("Not listed: {}", gaps.join("; ")));
    }
    document
}

fn listed(url: &str, package: &Package) -> Value {
    let found: Vec<&str> = package.found_in.iter().map(String::as_str).collect();
    let mut listed = json!({
        "SPDXID": format!("SPDXRef-{}-{}", package.kind.url_type(), Digest::of(url.as_bytes()).short()),
        "name": package.full_name(),
        "versionInfo": package.version,
        "downloadLocation": NOT_SAID,
        "filesAnalyzed": false,
        "licenseConcluded": NOT_SAID,
        "licenseDeclared": expression(package).unwrap_or_else(|| NOT_SAID.to_owned()),
        "copyrightText": NOT_SAID,
        "primaryPackagePurpose": "LIBRARY",
        "sourceInfo": format!("recorded in {}", found.join(", ")),
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": url,
        }],
    });
    if listed["licenseDeclared"] == NOT_SAID && !package.licences.is_empty() {
        let recorded: Vec<&str> = package.licences.iter().map(String::as_str).collect();
        listed["licenseComments"] = json!(format!("recorded as: {}", recorded.join("; ")));
    }
    let checksums: Vec<Value> = package
        .hashes
        .iter()
        .map(|(algorithm, hash)| {
            json!({ "algorithm": algorithm.replace('-', ""), "checksumValue": hash })
        })
        .collect();
    if !checksums.is_empty() {
        listed["checksums"] = Value::Array(checksums);
    }
    listed
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({
        "spdxElementId": from,
        "relationshipType": kind,
        "relatedSpdxElement": to,
    })
}
