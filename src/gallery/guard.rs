//! Middleware before every route: checks each request and adds the security headers to each answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Shared;
use super::api_error::ApiError;
use super::origin::Origin;
use super::serve::Authenticated;
use super::tokens::Tokens;

/// The route that exchanges a link's token for the cookie; the only one that needs no cookie.
pub(super) const ENTER_PATH: &str = "/enter";

/// The path of a request for an album.
pub(super) const ALBUM_PATH: &str = "/api/album";

/// The page may load only its own scripts, styles and pictures, and send requests only to its own server.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The headers of every answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=()",
    ),
];

/// The largest request body, in bytes; most requests contain only a few numbers and words.
const MAX_BODY: usize = 4096;

/// The largest request for an album, in bytes. It lists photos by number: room for all 400,000 photos that an answer
/// shows, since a person may select all of them.
const MAX_ALBUM_BODY: usize = 1 << 22;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The access rules of a server at one address.
#[derive(Debug)]
pub(super) struct Guard {
    address: SocketAddr,
    /// Names by which browsers may address the server besides IP addresses and `localhost`.
    names: Vec<String>,
    /// The addresses at which proxies make the server reachable.
    origins: Vec<Origin>,
    tokens: Tokens,
}

impl Guard {
    /// Guards the server at `address`; `names` are further host names of this machine.
    pub const fn new(
        address: SocketAddr,
        names: Vec<String>,
        origins: Vec<Origin>,
        tokens: Tokens,
    ) -> Self {
        Self {
            address,
            names,
            origins,
            tokens,
        }
    }

    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    pub const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The cookie's name. It contains the port because browsers share cookies among all ports of a host.
    fn cookie_name(&self) -> String {
        format!("fer_index_{}", self.address.port())
    }

    /// The `Set-Cookie` value that gives a browser the session. Without a `Path`, the cookie applies to the folder of
    /// the entrance, which is not the root behind a proxy. If the proxy encrypts, the cookie is sent only over
    /// encrypted connections.
    pub fn cookie(&self, session: &str, headers: &HeaderMap) -> String {
        let proxy = self.host(headers).ok().and_then(|host| self.proxy_at(host));
        let is_encrypted = proxy.is_some_and(Origin::is_encrypted);
        let secure = if is_encrypted { "; Secure" } else { "" };
        format!(
            "{}={session}; HttpOnly; SameSite=Strict{secure}",
            self.cookie_name()
        )
    }

    /// Checks whether a request is allowed.
    fn check(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = self.host(headers)?;
        if path == ENTER_PATH {
            return Ok(());
        }
        // A page of another server on this machine (another port) belongs to the same *site*, so the
        // browser sends the cookie with its requests. They are refused here.
        if let Some(site) = headers.get(FETCH_SITE)
            && site != "same-origin"
            && site != "none"
        {
            return Err(ApiError::OtherOrigin);
        }
        if !self.has_cookie(headers) {
            return Err(ApiError::NoToken);
        }
        if ![Method::GET, Method::HEAD].contains(method) {
            let is_own = |origin: &HeaderValue| self.is_own_origin(origin, host);
            if !headers.get(header::ORIGIN).is_some_and(is_own) {
                return Err(ApiError::OtherOrigin);
            }
        }
        Ok(())
    }

    /// Whether a request to `host` with this `Origin` comes from the gallery's own page. If the proxy encrypts, a page
    /// that was loaded without encryption is refused, since anybody on the network may have changed it.
    fn is_own_origin(&self, origin: &HeaderValue, host: &str) -> bool {
        let is_of_proxy = |proxy: &Origin| proxy.is_sent_as(origin.as_bytes());
        let is_direct = self.proxy_at(host).is_none();
        self.origins.iter().any(is_of_proxy) || (is_direct && *origin == *format!("http://{host}"))
    }

    /// The address of a proxy that has the name of this host.
    fn proxy_at(&self, host: &str) -> Option<&Origin> {
        let host: Authority = host.parse().ok()?;
        let mut origins = self.origins.iter();
        origins.find(|origin| origin.host().eq_ignore_ascii_case(host.host()))
    }

    /// The `Host` of a request, if it names this server. A page that has its own name resolved to
    /// this machine (DNS rebinding) still sends that name as the `Host`.
    fn host<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, ApiError> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(ApiError::ForeignHost);
        };
        let text = host.to_str().map_err(|_| ApiError::ForeignHost)?;
        let authority: Authority = text.parse().map_err(|_| ApiError::ForeignHost)?;
        if text.contains('@') || !self.is_own_host(authority.host()) {
            return Err(ApiError::ForeignHost);
        }
        Ok(text)
    }

    /// Every port is accepted, since `ssh -L` changes it; DNS rebinding changes the name, not the port.
    fn is_own_host(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return ip.is_loopback() || !self.address.ip().is_loopback();
        }
        let names = self.names.iter().map(String::as_str);
        names
            .chain(self.origins.iter().map(Origin::host))
            .chain(["localhost"])
            .any(|name| name.eq_ignore_ascii_case(host))
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(token, value)| token == name && self.tokens.is_session(value))
    }
}

/// The middleware: checks a request, runs it and adds the headers to its answer.
pub(super) async fn guard(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let checked = shared.guard.check(method, path, request.headers());
    let answered = match checked {
        Ok(()) => run_admitted(request, next).await,
        Err(api_error) => {
            tracing::debug!(%method, path, %api_error, "refused");
            Err(api_error)
        }
    };
    let mut response = answered.into_response();
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Answers a request that is allowed. Reads the body first, so that no route waits for the rest of it.
async fn run_admitted(mut request: Request, next: Next) -> Result<Response, ApiError> {
    // Everybody may request the entrance.
    if request.uri().path() != ENTER_PATH
        && let Some(authenticated) = request.extensions().get::<Authenticated>()
    {
        authenticated.set();
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let (head, body) = request.into_parts();
        let most = match head.uri.path() {
            ALBUM_PATH => MAX_ALBUM_BODY,
            _ => MAX_BODY,
        };
        if body.size_hint().lower() > most as u64 {
            return Err(ApiError::TooLarge);
        }
        let body = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, most)).await;
        let body = body
            .map_err(|_| ApiError::TooSlow)?
            .map_err(|_| ApiError::TooLarge)?;
        request = Request::from_parts(head, body.into());
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard_at(address: &str) -> Guard {
        let names = vec!["photos.home".to_owned()];
        let origins = vec!["https://proxy.example:8443/fer".parse().unwrap()];
        Guard::new(
            address.parse().unwrap(),
            names,
            origins,
            Tokens::random().unwrap(),
        )
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs
            .map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn only_own_names_are_answered_to() {
        let (local, open) = (guard_at("127.0.0.1:3373"), guard_at("0.0.0.0:3373"));
        let answers =
            |guard: &Guard, host: &str| guard.host(&headers(&[(header::HOST, host)])).is_ok();
        for host in [
            "127.0.0.1:3373",
            "127.0.0.1",
            "localhost:8080",
            "LOCALHOST",
            "[::1]:3373",
            "photos.home:3373",
            "proxy.example:8443",
            "PROXY.example",
        ] {
            assert!(answers(&local, host) && answers(&open, host), "{host}");
        }
        for host in ["192.168.1.7:3373", "[fe80::1]"] {
            assert!(!answers(&local, host) && answers(&open, host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:3373",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost, evil.example",
            "localhost/evil.example",
        ] {
            assert!(!answers(&local, host) && !answers(&open, host), "{host}");
        }
        assert!(local.host(&HeaderMap::new()).is_err());
        let mut twice = headers(&[(header::HOST, "localhost")]);
        twice.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert!(local.host(&twice).is_err());
    }

    #[test]
    fn the_cookie_is_told_among_others() {
        let guard = guard_at("127.0.0.1:3373");
        let session = guard.tokens.exchange(guard.tokens.link().as_str()).unwrap();
        let has = |cookie: &str| guard.has_cookie(&headers(&[(header::COOKIE, cookie)]));
        assert!(has(&format!("fer_index_3373={session}")));
        assert!(has(&format!("a=b; fer_index_3373={session}; c")));
        assert!(!has(&format!("fer_index_3374={session}")));
        assert!(!has("fer_index_3373="));
        assert!(!has(session));
        assert!(!guard.has_cookie(&HeaderMap::new()));
    }

    #[test]
    fn the_cookie_travels_encrypted_where_a_proxy_encrypts() {
        let guard = guard_at("127.0.0.1:3373");
        for (host, is_secure) in [("proxy.example:8443", true), ("localhost:3373", false)] {
            let cookie = guard.cookie("0", &headers(&[(header::HOST, host)]));
            assert_eq!(cookie.ends_with("; Secure"), is_secure, "{cookie}");
        }
    }

    #[test]
    fn changes_come_from_the_page_itself() {
        let guard = guard_at("127.0.0.1:3373");
        let session = guard.tokens.exchange(guard.tokens.link().as_str()).unwrap();
        let cookie = format!("fer_index_3373={session}");
        let check = |method: Method, more: &[(HeaderName, &str)]| {
            let base = [(header::HOST, "localhost:8080"), (header::COOKIE, &*cookie)];
            guard.check(&method, "/x", &headers(&[&base, more].concat()))
        };
        let own = (header::ORIGIN, "http://localhost:8080");
        assert!(check(Method::GET, &[]).is_ok());
        assert!(check(Method::POST, std::slice::from_ref(&own)).is_ok());
        assert!(check(Method::POST, &[own.clone(), (FETCH_SITE, "same-origin")]).is_ok());
        let proxy = (header::ORIGIN, "https://proxy.example:8443");
        assert!(check(Method::POST, &[proxy]).is_ok());
        for origin in [
            "https://proxy.example",
            "http://proxy.example:8443",
            "null",
            "http://localhost:3373",
            "https://localhost:8080",
            "http://127.0.0.1:8080",
            "http://evil.example",
        ] {
            let refused = check(Method::POST, &[(header::ORIGIN, origin)]);
            assert!(matches!(refused, Err(ApiError::OtherOrigin)), "{origin}");
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(check(method, &[]).is_err());
        }
        for site in ["same-site", "cross-site"] {
            assert!(check(Method::GET, &[(FETCH_SITE, site)]).is_err());
            assert!(check(Method::POST, &[own.clone(), (FETCH_SITE, site)]).is_err());
        }
    }
}
