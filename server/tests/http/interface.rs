//! The document of the interface: the one that was accepted, and the one that the server serves.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dongbo_server::openapi::document;
use dongbo_server::problem::ProblemCode;
use serde_json::{Value, json};

use crate::served::Served;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Every method and path of the document.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = METHODS.iter().filter(|method| item.get(**method).is_some());
        methods
            .map(|method| ((*method).to_owned(), path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_document_is_the_accepted_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let now = format!("{:#}\n", document());
    if std::env::var_os("DONGBO_ACCEPT_OPENAPI").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let accepted = fs::read_to_string(&path).unwrap();
    let first = accepted.lines().zip(now.lines()).find(|(a, b)| a != b);
    assert!(
        accepted == now,
        "the interface has changed, first at {first:?}; `cargo xtask openapi` accepts it"
    );
}

#[test]
fn the_document_is_served_to_everybody() {
    let served = Served::new();
    assert_eq!(served.get("/v1/openapi.json", None), (200, document()));
}

/// The table as it is written, so that a route beside the document is noticed, too.
#[test]
fn the_table_and_the_document_name_the_same_routes() {
    let table = include_str!("../../src/routes.rs");
    let mut written = BTreeSet::new();
    for call in table.split(".api_route(").skip(1) {
        let path = call.split('"').nth(1).unwrap().to_owned();
        let method = call.split("op::").next().unwrap();
        let method = if method.contains("post(") {
            "post"
        } else {
            "get"
        };
        written.insert((method.to_owned(), path));
    }
    assert!(written.len() > 30, "the table was read: {written:?}");
    assert_eq!(operations(&document()), written);
    for beside in table.split(".route(").skip(1) {
        let path = beside.split('"').nth(1).unwrap();
        assert!(
            !path.starts_with("/v1"),
            "{path} is served and not in the document"
        );
    }
}

#[test]
fn every_operation_of_the_document_is_served_and_no_other_method() {
    let served = Served::new();
    let named = operations(&document());
    let paths: BTreeSet<&String> = named.iter().map(|(_, path)| path).collect();
    for path in paths {
        let at = path.replace(['{', '}'], "");
        for method in METHODS {
            let code = served.try_method(method, &at);
            let documented = named.contains(&(method.to_owned(), path.clone()));
            assert_eq!(
                code.as_deref() != Some("method-not-allowed"),
                documented,
                "{method} {path}: {code:?}"
            );
            // A variable part that names nothing is not found either.
            assert!(
                code.as_deref() != Some("route-unknown") || path.contains('{'),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn every_problem_code_stands_in_the_document_with_its_three_answers() {
    let document = document();
    let listed = document["x-problems"].as_array().unwrap();
    let codes = &document["components"]["schemas"]["ProblemCode"]["enum"];
    assert_eq!(listed.len(), ProblemCode::ALL.len());
    for (code, told) in ProblemCode::ALL.iter().zip(listed) {
        assert_eq!(told["code"], code.as_str());
        assert_eq!(told["status"], code.status().as_u16());
        assert_eq!(told["retry"], code.retry());
        assert_eq!(told["happened"], json!(code.happened()));
        assert!(codes.as_array().unwrap().contains(&json!(code.as_str())));
    }
}

/// What is said of a body and an answer is what travels.
#[test]
fn operations_tell_what_they_take_and_give() {
    let document = document();
    let sign_in = &document["paths"]["/v1/session"]["post"];
    assert_eq!(sign_in["operationId"], "sign_in");
    let taken = &sign_in["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(taken, "#/components/schemas/SignIn");
    let given = &sign_in["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(given, "#/components/schemas/Session");
    let refused = &sign_in["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(refused, "#/components/schemas/Problem");
    let people = &document["paths"]["/v1/people"];
    assert_eq!(people["post"]["operationId"], "add_people");
    assert_eq!(people["get"]["security"], json!([{ "session": [] }]));
    // No two types share a name: the second would be counted.
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            !name.ends_with(|last: char| last.is_ascii_digit()),
            "{name}"
        );
    }
}
