//! Everything points inward, toward `sync-core`; licences and sources are those of `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

fn metadata() -> Value {
    // Not offline: crates of other systems are fetched for this alone, the first time.
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(crate::root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Direct dependencies of each member, without those for tests only.
fn direct(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| members.contains(package["id"].as_str().unwrap()))
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let names = dependencies
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                // What a dependency needs to link on one target is not used by the member.
                .filter(|dependency| dependency["target"].is_null())
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned());
            (
                package["name"].as_str().unwrap().to_owned(),
                names.collect(),
            )
        })
        .collect()
}

#[test]
fn dependencies_point_inward() {
    let metadata = metadata();
    let direct = direct(&metadata);
    let members: BTreeSet<String> = direct.keys().cloned().collect();
    let of = |member: &str| {
        direct
            .get(member)
            .unwrap_or_else(|| panic!("no member {member}"))
    };
    let among =
        |member: &str| -> BTreeSet<String> { of(member).intersection(&members).cloned().collect() };
    assert_eq!(
        among("sync-core"),
        BTreeSet::new(),
        "sync-core depends on no other member"
    );
    for outside in [
        "tokio",
        "axum",
        "hyper",
        "sled",
        "tracing",
        "ureq",
        "getrandom",
    ] {
        assert!(
            !of("sync-core").contains(outside),
            "sync-core must not know {outside}"
        );
        assert!(
            !of("journal").contains(outside),
            "the journal must not know {outside}"
        );
    }
    assert_eq!(among("messages"), BTreeSet::new());
    assert!(among("journal").is_subset(&BTreeSet::from(["sync-core".to_owned()])));
    for client in ["dongbo"] {
        for inner in ["dongbo-server", "store", "store-sled"] {
            assert!(
                !among(client).contains(inner),
                "the client {client} depends on {inner}"
            );
        }
    }
    let names_sled: Vec<_> = direct.iter().filter(|(_, d)| d.contains("sled")).collect();
    assert_eq!(names_sled.len(), 1, "one crate knows sled: {names_sled:?}");
}

/// Only `main.rs` names a store backend; everything else takes the trait.
#[test]
fn only_main_names_a_backend() {
    for file in crate::files() {
        let is_server = file.starts_with("server/src/") && file.ends_with(".rs");
        if is_server && !file.ends_with("main.rs") {
            let text = std::fs::read_to_string(crate::root().join(&file)).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            assert!(!code.contains("store_sled"), "{file} names a store backend");
        }
    }
}

#[test]
fn licences_and_sources_are_allowed() {
    let metadata = metadata();
    let allowed = std::fs::read_to_string(crate::root().join("deny.toml")).unwrap();
    let allowed: BTreeSet<&str> = allowed
        .lines()
        .skip_while(|line| !line.starts_with("allow = ["))
        .skip(1)
        .take_while(|line| !line.starts_with(']'))
        .map(|line| line.trim().trim_end_matches(',').trim_matches('"'))
        .collect();
    assert!(allowed.contains("MIT"), "the list in deny.toml was read");
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        assert_ne!(name, "openssl", "TLS is rustls");
        let licence = package["license"].as_str().unwrap_or("none");
        // "A OR B" is a choice; "A AND B" is both. Good enough for what crates write.
        let fits = licence.replace('/', " OR ").split(" OR ").any(|choice| {
            choice
                .split(" AND ")
                .all(|one| allowed.contains(one.trim().trim_matches(['(', ')'])))
        });
        assert!(
            fits,
            "{name} has the licence {licence}, which deny.toml does not allow"
        );
        if let Some(source) = package["source"].as_str() {
            assert!(
                source.starts_with("registry+"),
                "{name} comes from {source}"
            );
        }
    }
}
