//! `/api/v1`: records, live pushes, orders to streams, the catalog, callbacks. The description for programs is
//! `openapi.json`, put together from the files below `openapi/`.

mod auth;
mod callbacks;
mod catalog;
mod causes;
mod cluster;
mod diagnose;
mod fetches;
mod history;
mod input;
mod openapi;
mod page;
mod pushes;
mod records;
mod relays;
mod streams;

use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use self::catalog::{accounts, api_keys, channels, domains};
pub use auth::{Caller, bearer};
pub use causes::CauseRow;

use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// A path with its methods and what answers them.
type Route = (&'static str, &'static [&'static str], MethodRouter<WebState>);

/// Every path below `/api/v1`. A test holds the description against this list.
fn list() -> Vec<Route> {
    vec![
        ("/openapi.json", &["get"], get(openapi::serve)),
        ("/causes", &["get"], get(causes::list)),
        ("/records", &["get"], get(records::list)),
        ("/records/{id}", &["get"], get(records::one)),
        ("/records/{id}/export", &["get"], get(records::export)),
        ("/cluster", &["get"], get(cluster::list)),
        ("/fetches", &["get"], get(fetches::list)),
        ("/fetches/{id}", &["get"], get(fetches::one)),
        ("/pushes", &["get"], get(pushes::list)),
        ("/relays", &["get"], get(relays::list)),
        ("/streams/forbidden", &["get"], get(streams::forbidden)),
        ("/streams/drop", &["post"], post(streams::drop_stream)),
        ("/streams/forbid", &["post"], post(streams::forbid)),
        ("/streams/resume", &["post"], post(streams::resume)),
        ("/streams/switch", &["post"], post(streams::switch)),
        ("/callbacks/templates", &["get", "post"], get(callbacks::templates).merge(post(callbacks::create))),
        (
            "/callbacks/templates/{id}",
            &["get", "patch", "delete"],
            get(callbacks::template).merge(patch(callbacks::modify)).merge(delete(callbacks::delete)),
        ),
        ("/callbacks/templates/{id}/test", &["post"], post(callbacks::test)),
        (
            "/callbacks/rules",
            &["get", "put", "delete"],
            get(callbacks::rules).merge(put(callbacks::bind)).merge(delete(callbacks::unbind)),
        ),
        ("/callbacks/deliveries", &["get"], get(history::deliveries)),
        ("/events", &["get"], get(history::events)),
        ("/diagnose", &["get"], get(diagnose::answer)),
        ("/accounts", &["get"], get(accounts::list)),
        (
            "/accounts/{id}",
            &["get", "put", "delete"],
            get(accounts::one).merge(put(accounts::put)).merge(delete(accounts::delete)),
        ),
        ("/domains", &["get", "post"], get(domains::list).merge(post(domains::create))),
        (
            "/domains/{name}",
            &["get", "patch", "delete"],
            get(domains::one).merge(patch(domains::modify)).merge(delete(domains::delete)),
        ),
        ("/domains/{name}/keys", &["post"], post(domains::rotate)),
        ("/domains/{name}/channels", &["get"], get(channels::list)),
        (
            "/domains/{name}/channels/{channel}",
            &["put", "delete"],
            put(channels::put).merge(delete(channels::delete)),
        ),
        ("/api-keys", &["get", "post"], get(api_keys::list).merge(post(api_keys::create))),
        ("/api-keys/{id}", &["delete"], delete(api_keys::delete)),
        ("/audit", &["get"], get(history::audit)),
    ]
}

/// The routes below `/api/v1`.
pub fn routes() -> Router<WebState> {
    let mut router = Router::new();
    for (path, _, methods) in list() {
        router = router.route(path, methods);
    }
    router.method_not_allowed_fallback(wrong_method).fallback(nothing_here)
}

async fn nothing_here() -> Problem {
    Problem::new(Kind::NotFound, "there is no such path in the API; /api/v1/openapi.json lists all")
}

async fn wrong_method() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "this path has another method; /api/v1/openapi.json lists all")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_description_names_exactly_the_paths_and_methods_there_are() {
        let served: BTreeSet<String> = super::list()
            .into_iter()
            .flat_map(|(path, methods, _)| methods.iter().map(move |method| format!("{method} {path}")))
            .collect();
        let description: serde_json::Value = serde_json::from_str(super::openapi::text()).unwrap();
        let described: BTreeSet<String> = description["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let operations = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                operations.map(move |method| format!("{method} {path}"))
            })
            .collect();
        assert_eq!(described, served);
    }
}
