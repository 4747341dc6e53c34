//! The OpenAPI document: every route and every kind of problem is in it, and what is answered is what it says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kit::{Office, Server};

const ROUTER: &str = include_str!("../../src/http.rs");
const PROBLEMS: &str = include_str!("../../src/http/problem.rs");
const METHODS: [&str; 3] = ["get", "post", "put"];

fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let of = |(path, methods): (&String, &Value)| {
        let named = METHODS.iter().filter(|method| methods.get(**method).is_some());
        named
            .map(|method| ((*method).to_owned(), path.clone()))
            .collect::<Vec<_>>()
    };
    paths.flat_map(of).collect()
}

#[test]
fn the_document_has_the_routes_that_there_are_and_the_problems_too() {
    let document = Server::start(&[]).ask("GET", "/v1/openapi.json", &[], &[]).json();
    let routes = ROUTER.lines().filter_map(|line| {
        let (path, rest) = line.trim().strip_prefix(".route(\"")?.split_once("\", ")?;
        let method = rest.split_once('(')?.0;
        // Of a path with slashes the document has no form of its own.
        Some((method.to_owned(), path.replace("{*", "{")))
    });
    let routes: BTreeSet<_> = routes.collect();
    assert_eq!(operations(&document), routes);
    assert_eq!(routes.len(), 21);

    let kinds = PROBLEMS.split("\"urn:casevault:problem:").skip(1);
    let kinds: BTreeSet<_> = kinds.map(|rest| rest.split_once('"').unwrap().0).collect();
    let told = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let told = told.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap());
    let told: BTreeSet<_> = told
        .map(|kind| kind.strip_prefix("urn:casevault:problem:").unwrap())
        .collect();
    assert_eq!(told, kinds);
}

#[test]
fn what_is_answered_is_what_the_document_says() {
    let server = Server::start(&["--rate", "0"]);
    let office = Office::with_case(&server, 91, 1);
    let token = office.session(&server, 0);
    let document = server.ask("GET", "/v1/openapi.json", &[], &[]).json();
    let mut stream = String::new();
    office
        .case_stream()
        .id
        .iter()
        .for_each(|byte| stream.push_str(&format!("{byte:02x}")));
    let mut seen = BTreeSet::new();
    for (method, path) in operations(&document) {
        // Server-sent events do not end.
        if path == "/v1/changes" {
            continue;
        }
        let of = &document["paths"][&path][&method];
        let real = path
            .replace("{agency}", &office.id())
            .replace("{path}", "0/000.p/1")
            .replace("{invite}", &"7".repeat(32))
            .replace("{kind}", "2")
            .replace("{id}", &stream);
        let bearer = [("Authorization", token.as_str())];
        let method = method.to_uppercase();
        let asked = [
            server.ask(&method, &real, &bearer, &[]),
            server.ask(&method, &real, &[], &[]),
            server.ask(&method, &format!("{real}?unknown=1"), &bearer, &[]),
            server.ask(&method, &real.replace(&office.id(), "00"), &bearer, &[0; 200]),
        ];
        for answer in asked {
            let status = answer.status.to_string();
            let told = &of["responses"][&status]["content"];
            let kind = answer.header("content-type").unwrap().split(';').next().unwrap();
            assert!(told.get(kind).is_some(), "{method} {real}: {status} {kind}");
            seen.insert(answer.status);
        }
        let wrong = server.ask("DELETE", &real, &bearer, &[]);
        assert_eq!((wrong.status, wrong.problem().as_str()), (405, "method-not-allowed"));
    }
    assert_eq!(seen, BTreeSet::from([200, 400, 401, 404, 413]));
}
