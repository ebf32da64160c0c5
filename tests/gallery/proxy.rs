//! The gallery behind an encrypting proxy that serves it under a path.

use std::net::SocketAddr;

use serde_json::json;

use crate::http::Request;
use crate::seed::happy_photo;
use crate::server::Server;
use crate::testenv::TestEnv;

const ORIGIN: &str = "https://photos.example:8443";

fn gallery() -> (TestEnv, Server) {
    let env = happy_photo();
    let server = Server::of(&mut env.command(&format!(
        "gallery --no-open --listen 127.0.0.1:0 --origin {ORIGIN}/fer/"
    )));
    (env, server)
}

/// A request as the proxy forwards it: without the proxy's path, with the host that the browser sent.
fn forwarded(address: SocketAddr, target: &str, host: &str) -> Request {
    Request::get(address, target)
        .host(Some(host))
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-forwarded-proto", "https")
        .header("sec-fetch-site", "same-origin")
}

#[test]
fn photos_are_seen_and_corrected_through_a_proxy() {
    let (_env, server) = gallery();
    // Some proxies send the host from the browser, others the address by which they reach the gallery.
    let own = server.address.to_string();
    for host in ["photos.example:8443", "photos.example", &own] {
        let ask =
            |target: &str| forwarded(server.address, target, host).header("cookie", &server.cookie);
        assert_eq!(ask("/").send().status, 200, "{host}");
        assert_eq!(ask("/view/1").send().status, 200, "{host}");
        let correct = |origin: &str, shows: serde_json::Value| {
            let request = ask("/api/face/1").method("POST").header("origin", origin);
            request.json(&shows).send().status
        };
        assert_eq!(correct(ORIGIN, json!({"shows": "sad"})), 204, "{host}");
        assert_eq!(server.ask("/api/counts")["emotions"]["happy"], 0, "{host}");
        assert_eq!(correct(ORIGIN, json!("nothing")), 204, "{host}");
        for origin in [
            "https://photos.example",
            "http://photos.example:8443",
            "https://photos.example:8443/fer",
            "https://photos.example:8443.evil.example",
            "null",
        ] {
            assert_eq!(
                correct(origin, json!({"shows": "sad"})),
                403,
                "{host} {origin}"
            );
        }
        assert_eq!(server.ask("/api/counts")["emotions"]["happy"], 1, "{host}");
    }
    for host in [
        "evil.example",
        "photos.example.evil.example",
        "xphotos.example",
    ] {
        let request = forwarded(server.address, "/", host).header("cookie", &server.cookie);
        assert_eq!(request.send().status, 421, "{host}");
    }
}

#[test]
fn the_cookie_and_the_addresses_of_the_page_stay_under_the_path() {
    let (_env, server) = gallery();
    let (_, target) = server.link.split_once(&server.address.to_string()).unwrap();
    let entered = forwarded(server.address, target, "photos.example:8443").send();
    let cookie = entered.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    // The browser uses the folder of /fer/enter as the cookie's path.
    assert!(!cookie.contains("Path"), "{cookie}");
    assert!(entered.text().contains("url=./\""), "{}", entered.text());
    // No address of the page begins at the root of the host.
    let page = server.get("/").send().text();
    let scripts = page.split('"').filter(|part| part.starts_with("assets/"));
    let texts: Vec<String> = scripts
        .map(|name| {
            let file = server.get(&format!("/{name}")).send();
            assert_eq!(file.status, 200, "{name}");
            file.text()
        })
        .collect();
    assert!(texts.len() > 20);
    for text in texts.iter().chain([&page]) {
        for quote in ["\"", "'", "`", "(", "="] {
            for route in ["api/", "assets/", "thumb/", "view/", "enter", "\""] {
                let absolute = format!("{quote}/{route}");
                // "/" alone is the name of the key for the search.
                let is_there = text.contains(&absolute) && absolute != "\"/\"";
                assert!(!is_there, "{absolute}");
            }
        }
    }
}

#[test]
fn an_address_that_is_none_is_refused() {
    let env = TestEnv::new();
    for origin in [
        "photos.example",
        "ftp://photos.example",
        "https://photos.example/?a",
    ] {
        let run = env.run(&format!("gallery --no-open --origin {origin}"));
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("https://photos.example/fer"), "{run:?}");
    }
}
