//! Requests that no browser sends: too many, too slow, too large, with ranges. The page's own requests are still
//! answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::http::{Response, send};
use crate::seed::happy_photo;
use crate::server::Server;
use crate::testenv::TestEnv;

fn gallery() -> (TestEnv, Server) {
    let env = happy_photo();
    let server = Server::start(&env);
    (env, server)
}

/// The beginning of a request that the gallery's page sends.
fn head(server: &Server, line: &str) -> String {
    let (address, cookie) = (server.address, &server.cookie);
    format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncookie: {cookie}\r\n"
    )
}

/// Peak memory and open files of the gallery's process.
#[cfg(target_os = "linux")]
fn usage(server: &Server) -> (u64, usize) {
    let process = format!("/proc/{}", server.process());
    let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    (
        peak,
        std::fs::read_dir(format!("{process}/fd")).unwrap().count(),
    )
}

/// A thousand connections that send nothing, begin a request, or send one without access and do not read the answer.
#[cfg(target_os = "linux")]
#[test]
#[allow(clippy::print_stderr, reason = "the figures are read with --nocapture")]
fn a_thousand_connections_keep_nobody_out() {
    let (_env, server) = gallery();
    server.ask("/api/photo/1");
    let (before, _) = usage(&server);
    let beginnings = [
        String::new(),
        "GET / HTTP/1.1\r\nx-a: ".to_owned() + &"a".repeat(60_000),
        "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200),
    ];
    let start = Instant::now();
    let mut strangers = Vec::new();
    for (number, beginning) in (0..1000).zip(beginnings.iter().cycle()) {
        let mut stranger = TcpStream::connect(server.address).unwrap();
        // The connection may have been closed in favour of another one before it had sent everything.
        let _ = stranger.write_all(beginning.as_bytes());
        strangers.push(stranger);
        if number % 100 == 99 {
            let asked = Instant::now();
            server.ask("/api/photos?limit=10");
            assert_eq!(server.get("/thumb/1").send().status, 200);
            assert!(asked.elapsed() < Duration::from_secs(5), "after {number}");
        }
    }
    let (after, files) = usage(&server);
    assert!(files < 320, "{files} open files");
    assert!(after < before + (64 << 10), "{before} kB, then {after} kB");
    eprintln!(
        "RESULT 1,000 connections in {:.1} s: {files} open files, {} MiB more memory",
        start.elapsed().as_secs_f32(),
        (after - before) >> 10
    );
}

#[test]
fn a_request_whose_body_does_not_come_is_given_up() {
    let (_env, server) = gallery();
    let start = head(&server, "POST /api/face/1") + "content-type: application/json\r\n";
    let waiting: Vec<TcpStream> = [
        "content-length: 20\r\n\r\n{",
        "transfer-encoding: chunked\r\n\r\n5\r\n{",
    ]
    .iter()
    .map(|rest| send(server.address, (start.clone() + rest).as_bytes()))
    .collect();
    server.ask("/api/photos?limit=10");
    for stream in waiting {
        assert_eq!(Response::read(stream).status, 408);
    }
    assert_eq!(
        server.ask("/api/counts")["emotions"]["happy"],
        1,
        "nothing has changed"
    );
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let (_env, server) = gallery();
    let post = head(&server, "POST /api/face/1") + "content-type: application/json\r\n";
    let much = "a".repeat(5000);
    for (request, status) in [
        (format!("{post}content-length: 10000000000\r\n\r\n{{"), 413),
        (
            format!("{post}content-length: 18446744073709551616\r\n\r\n{{"),
            400,
        ),
        (format!("{post}content-length: -1\r\n\r\n{{"), 400),
        (
            format!("{post}content-length: 1\r\ncontent-length: 2\r\n\r\n{{}}"),
            400,
        ),
        (
            format!("{post}transfer-encoding: chunked\r\n\r\n1388\r\n{much}\r\n"),
            413,
        ),
        (
            format!("{post}transfer-encoding: chunked\r\n\r\nffffffffffffffff0\r\n"),
            413,
        ),
        (
            head(&server, &format!("GET /?text={}", "a".repeat(300_000))),
            431,
        ),
        (
            head(&server, "GET /") + &format!("x-a: {}\r\n\r\n", "a".repeat(300_000)),
            431,
        ),
        (
            head(&server, "GET /") + &"x-a: a\r\n".repeat(1000) + "\r\n",
            431,
        ),
    ] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(8)))
            .unwrap();
        // The refusal may arrive before everything is sent.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let shown: String = request.chars().take(300).collect();
        // While a client still sends, the connection may be closed before it has received the reason.
        let is_refused = answer.is_empty() && request.len() > 50_000
            || answer.starts_with(&format!("HTTP/1.1 {status}"));
        assert!(is_refused, "{shown}: {answer}");
    }
    server.ask("/api/photos?limit=10");
}

#[test]
fn a_part_of_a_picture_cannot_be_asked_for() {
    let (_env, server) = gallery();
    let many = (0..2000)
        .map(|at| format!("{at}-{}", at + 1000))
        .collect::<Vec<_>>()
        .join(",");
    let ranges = [
        "bytes=0-0",
        "bytes=0-,0-,0-,0-",
        "bytes=-1",
        "bytes=5-2",
        "bytes=0-18446744073709551616",
        "bytes=99999999999999999999-",
        "bytes=-99999999999999999999",
        "bytes= , ,",
        "bananas=0-1",
        "bytes=\u{fffd}",
        &format!("bytes={many}"),
    ];
    for route in ["/view/1", "/thumb/1", "/assets/main.js", "/"] {
        let whole = server.get(route).send();
        for range in ranges {
            let answer = server
                .get(route)
                .header("range", range)
                .header("if-range", "\"a\"")
                .send();
            assert_eq!(answer.status, 200, "{route} {range}");
            assert!(answer.body == whole.body, "{route} {range}");
            for name in ["content-range", "accept-ranges"] {
                assert_eq!(answer.header(name), None, "{route} {range}");
            }
        }
    }
}

#[test]
fn a_path_in_disguise_leads_nowhere() {
    let (env, server) = gallery();
    std::fs::write(env.path("secret.txt"), "root:secret").unwrap();
    for target in [
        "/%2e%2e/%2e%2e/secret.txt",
        "/assets/%252e%252e%252fsecret.txt",
        "/assets/%c0%ae%c0%ae%c0%afsecret.txt",
        "/assets/..;/secret.txt",
        "/assets/main.js%00",
        "/assets/main.js/",
        "/assets//main.js",
        "/assets/%2fetc%2fpasswd",
        "/assets/C:%5csecret.txt",
        "//api/photos?limit=1",
        "/api/photo/1/",
        "/api/photo/1/../1",
        "/api/photo/0x1",
        "/api/photo/1e0",
        "/api/photo/%31%00",
        "/API/photos?limit=1",
        "/.",
        "/./",
        "/..",
    ] {
        server.get(target).send().assert_leads_nowhere(target);
    }
    for line in [
        "GET \0 HTTP/1.1",
        "GET",
        "\u{1}",
        "GET / HTTP/9.9",
        "CONNECT localhost:80 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "TRACE / HTTP/1.1",
    ] {
        let request = format!(
            "{line}\r\nhost: {}\r\ncookie: {}\r\nconnection: close\r\n\r\n",
            server.address, server.cookie
        );
        let answer = Response::read(send(server.address, request.as_bytes()));
        assert!(
            (400..500).contains(&answer.status),
            "{line:?}: {}",
            answer.status
        );
        assert!(
            !answer.text().contains("fer_index_"),
            "the cookie is not sent back"
        );
    }
}

/// No cache between server and browser stores private data: the browser caches pictures, and nothing else is cached.
#[test]
fn nothing_is_kept_on_the_way() {
    let (_env, server) = gallery();
    for route in ["/view/1", "/thumb/1"] {
        let picture = server.get(route).send();
        assert_eq!(picture.header("cache-control"), Some("private, no-cache"));
        let tag = picture.header("etag").unwrap();
        let again = server.get(route).header("if-none-match", tag).send();
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(again.header("cache-control"), Some("private, no-cache"));
        // A client without access learns nothing from an entity tag.
        let stranger =
            crate::http::Request::get(server.address, route).header("if-none-match", tag);
        let stranger = stranger.send();
        assert_eq!(stranger.status, 401);
        assert_eq!(
            (stranger.header("etag"), stranger.header("cache-control")),
            (None, Some("no-store"))
        );
    }
    for route in [
        "/",
        "/api/photos?limit=1",
        "/api/photo/1",
        "/api/counts",
        "/api/places",
        "/nothing",
        "/view/9",
    ] {
        for method in ["GET", "HEAD"] {
            let answer = server.get(route).method(method).send();
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{route}");
        }
    }
}
