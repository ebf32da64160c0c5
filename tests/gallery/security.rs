//! Access rules: requests without access are refused, and requests with access get indexed photos and nothing else.

use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use fer_index::emotion::Emotion;
use serde_json::json;

use crate::common::fixture;
use crate::http::{Request, Response};
use crate::seed::{Seed, seed};
use crate::server::Server;
use crate::testenv::TestEnv;

/// All routes that a browser can request.
const ROUTES: [&str; 9] = [
    "/",
    "/assets/main.js",
    "/thumb/1",
    "/view/1",
    "/api/photos?limit=10",
    "/api/counts",
    "/api/photo/1",
    "/api/live",
    "/nothing",
];

fn gallery() -> (TestEnv, Server) {
    let env = TestEnv::new();
    let astronaut = Seed::new(
        "astronaut.jpg",
        fixture("astronaut.jpg"),
        &[(Emotion::Happy, 0.9)],
    );
    seed(&env, &[astronaut]);
    let server = Server::start(&env);
    (env, server)
}

fn happy(server: &Server) -> u64 {
    let counts = server.ask("/api/counts");
    counts["emotions"]["happy"].as_u64().unwrap()
}

#[track_caller]
fn is_refused(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{}", response.text());
    assert!(response.header("set-cookie").is_none());
    // The body is one sentence and reveals nothing about the photos.
    assert!(response.body.len() < 300, "{}", response.text());
}

#[test]
fn without_the_token_nothing_is_told() {
    let (_env, server) = gallery();
    let (name, value) = server.cookie.split_once('=').unwrap();
    let wrong = [
        None,
        Some(format!("{name}=")),
        Some(format!("{name}={}", "0".repeat(value.len()))),
        Some(format!("{name}={}", &value[1..])),
        Some(format!("other={value}")),
    ];
    for route in ROUTES {
        for cookie in &wrong {
            let mut request = Request::get(server.address, route);
            if let Some(cookie) = cookie {
                request = request.header("cookie", cookie);
            }
            is_refused(&request.send(), 401);
        }
    }
    for entrance in [
        "/enter",
        "/enter?token=",
        "/enter?token=0",
        "/enter?token[]=1",
    ] {
        let response = Request::get(server.address, entrance).send();
        is_refused(&response, 401);
    }
    let (_, token) = server.link.split_once("token=").unwrap();
    assert_eq!(token.len(), 64);
    let as_cookie = format!("{name}={token}");
    let response = Request::get(server.address, "/").header("cookie", as_cookie);
    is_refused(&response.send(), 401);
}

#[test]
fn the_token_is_exchanged_for_a_strict_cookie() {
    let (_env, server) = gallery();
    let (_, target) = server.link.split_once(&server.address.to_string()).unwrap();
    let entered = Request::get(server.address, target).send();
    assert_eq!(entered.status, 200);
    let cookie = entered.header("set-cookie").unwrap();
    for attribute in ["; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    // Without a path, the cookie applies to the folder of `/enter`.
    for attribute in ["Domain", "Path"] {
        assert!(!cookie.contains(attribute), "{cookie}");
    }
    let (_, token) = target.split_once('=').unwrap();
    assert!(
        !cookie.contains(token),
        "the cookie must not contain the link's token"
    );
    assert_eq!(server.get("/").send().status, 200);
}

#[test]
fn a_foreign_host_is_refused() {
    let (_env, server) = gallery();
    let port = server.address.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("192.168.0.1:{port}"),
        format!("localhost@evil.example:{port}"),
    ] {
        for route in ROUTES.into_iter().chain(["/enter?token=0"]) {
            is_refused(&server.get(route).host(Some(&host)).send(), 421);
        }
        let link = server.link.split_once("/enter").unwrap().1;
        let entrance = Request::get(server.address, &format!("/enter{link}"));
        is_refused(&entrance.host(Some(&host)).send(), 421);
    }
    let nameless = server.get("/").host(None).send();
    assert!([400, 421].contains(&nameless.status), "{}", nameless.status);
    let forwarded = server.get("/").host(Some("localhost:8080")).send();
    assert_eq!(forwarded.status, 200, "as through ssh -L");
}

#[test]
fn another_page_can_neither_change_nor_read() {
    let (_env, server) = gallery();
    assert_eq!(happy(&server), 1);
    let own = format!("http://{}", server.address);
    let post = |origin: Option<&str>| {
        let request = server.get("/api/face/1").method("POST");
        let request = request.json(&json!({"shows": "sad"}));
        match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        }
    };
    for origin in [
        None,
        Some("null"),
        Some("http://evil.example"),
        Some("http://127.0.0.1:1"),
        Some("http://localhost"),
        Some(&*own.replace("http", "https")),
    ] {
        is_refused(&post(origin).send(), 403);
    }
    for site in ["cross-site", "same-site"] {
        is_refused(&post(Some(&own)).header("sec-fetch-site", site).send(), 403);
        for route in ROUTES {
            is_refused(
                &server.get(route).header("sec-fetch-site", site).send(),
                403,
            );
        }
    }
    let reveal = server.get("/api/photo/1/reveal").method("POST");
    is_refused(&reveal.send(), 403);
    // A form in another page, if its request were admitted, cannot declare its body to be JSON.
    let form = server
        .get("/api/face/1")
        .method("POST")
        .header("origin", &own);
    let form = form.header("content-type", "text/plain").send();
    assert_eq!(form.status, 415);
    // GET requests cannot change anything.
    assert_eq!(server.get("/api/face/1").send().status, 405);
    assert_eq!(happy(&server), 1, "nothing has changed");

    assert_eq!(post(Some(&own)).send().status, 204);
    assert_eq!(happy(&server), 0, "the page itself may change a face");
}

#[test]
fn no_path_leads_out_of_the_index() {
    let (env, server) = gallery();
    let secret = env.path("secret.txt");
    std::fs::write(&secret, "root:secret").unwrap();
    let absolute = secret.display().to_string();
    let encoded = absolute.replace('/', "%2f");
    for target in [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..\\secret.txt",
        "/thumb/../../../secret.txt",
        "/thumb/..%2fsecret.txt",
        "/thumb/1%2f..%2f..%2fsecret.txt",
        "/thumb/1%00",
        "/thumb/-1",
        "/thumb/99999999999999999999",
        "/thumb/1.jpg",
        "/view/2",
        &format!("/thumb/{encoded}"),
        &format!("/view/{encoded}"),
        &format!("/api/photo/{encoded}"),
        &format!("/view/{absolute}"),
        &format!("//{absolute}"),
        &absolute,
        "http://evil.example/secret.txt",
    ] {
        server.get(target).send().assert_leads_nowhere(target);
    }
}

/// The index stores paths, but the file at a path may have been replaced after it was indexed.
#[cfg(unix)]
#[test]
fn what_takes_a_photos_place_is_not_shown() {
    let (env, server) = gallery();
    let path = env.album("astronaut.jpg");
    let secret = env.path("private.jpg");
    std::fs::write(&secret, fixture("hopper.jpg")).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&secret, &path).unwrap();
    for route in ["/view/1", "/thumb/1"] {
        is_refused(&server.get(route).send(), 410);
    }
    std::fs::remove_file(&path).unwrap();
    is_refused(&server.get("/view/1").send(), 410);
    std::fs::write(&path, fixture("astronaut.jpg")).unwrap();
    assert_eq!(server.get("/view/1").send().status, 200);
}

#[test]
fn every_answer_keeps_the_page_to_itself() {
    let (_env, server) = gallery();
    let answers = ROUTES
        .into_iter()
        .filter(|route| *route != "/api/live")
        .map(|route| server.get(route).send())
        .chain([
            Request::get(server.address, "/").send(),
            server.get("/").host(Some("evil.example")).send(),
        ]);
    for answer in answers {
        let header = |name| {
            answer
                .header(name)
                .unwrap_or_else(|| panic!("{name}: {answer:?}"))
        };
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        let caching = header("cache-control");
        assert!(
            ["no-store", "private, no-cache"].contains(&caching),
            "{caching}"
        );
    }
}

#[test]
#[allow(clippy::print_stderr)]
fn nobody_on_the_network_can_knock() {
    let (_env, server) = gallery();
    assert!(server.address.ip().is_loopback());
    // Sends no packet; the system reports from which address it would send one.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let own = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr())
        .map(|address| address.ip());
    match own {
        Ok(ip) if !ip.is_loopback() => {
            let outside = SocketAddr::new(ip, server.address.port());
            let knocked = TcpStream::connect_timeout(&outside, Duration::from_secs(5));
            assert!(knocked.is_err(), "{outside} answers");
        }
        _ => eprintln!("SKIPPED: this machine has no address on a network"),
    }
}
