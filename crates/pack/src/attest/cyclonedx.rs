//! An inventory as CycloneDX 1.6, the same bytes for the same image. Pure.
//!
//! <https://cyclonedx.org/docs/1.6/json/>

use serde_json::{Value, json};

use super::inventory::{Inventory, Package};
use super::sbom::{About, expression};

pub const PREDICATE_TYPE: &str = "https://cyclonedx.org/bom";

/// The document.
pub fn write(about: &About, inventory: &Inventory) -> Value {
    let image = about.image.to_string();
    let mut components: Vec<Value> = inventory
        .packages
        .iter()
        .map(|(url, package)| component(url, package))
        .collect();
    if let Some(system) = &inventory.system {
        let mut component = json!({
            "type": "operating-system",
            "bom-ref": "system",
            "name": system.id,
            "description": system.name,
        });
        if let Some(version) = &system.version {
            component["version"] = json!(version);
        }
        components.insert(0, component);
    }
    let refs: Vec<Value> = components
        .iter()
        .map(|component| component["bom-ref"].clone())
        .collect();
    let mut properties = vec![
        property("dev.ergon:image:digest", &image),
        property("dev.ergon:inventory:rules", super::inventory::RULES),
    ];
    properties.extend(
        inventory
            .gaps
            .iter()
            .map(|gap| property("dev.ergon:gap", gap)),
    );
    // What is listed is there; whether all that is there is listed, nobody can promise.
    let completeness = if inventory.gaps.is_empty() {
        "unknown"
    } else {
        "incomplete"
    };
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", about.uuid("cyclonedx")),
        "version": 1,
        "metadata": {
            "timestamp": about.created,
            "tools": { "components": [{
                "type": "application",
                "name": "ergon",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": about.name,
                "version": image,
                "properties": properties,
            },
        },
        "components": components,
        "dependencies": [{ "ref": "image", "dependsOn": refs }],
        "compositions": [{ "aggregate": completeness, "assemblies": ["image"] }],
    })
}

fn component(url: &str, package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "version": package.version,
        "purl": url,
        "evidence": {
            "occurrences": package
                .found_in
                .iter()
                .map(|path| json!({ "location": path }))
                .collect::<Vec<_>>(),
        },
    });
    if let Some(namespace) = &package.namespace {
        component["group"] = json!(namespace);
    }
    let licences = licences(package);
    if !licences.is_empty() {
        component["licenses"] = Value::Array(licences);
    }
    let hashes: Vec<Value> = package
        .hashes
        .iter()
        .map(|(algorithm, hash)| json!({ "alg": algorithm, "content": hash }))
        .collect();
    if !hashes.is_empty() {
        component["hashes"] = Value::Array(hashes);
    }
    component
}

/// The schema takes either one expression or a list of licences with names.
fn licences(package: &Package) -> Vec<Value> {
    if let Some(expression) = expression(package) {
        return vec![json!({ "expression": expression })];
    }
    package
        .licences
        .iter()
        .map(|name| json!({ "license": { "name": name } }))
        .collect()
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}
