//! Starts a gallery, and waits for conditions.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{Request, Response};
use crate::testenv::TestEnv;

/// How long a test waits for a condition; enough even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// A running gallery; dropping the value ends it.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// The link that the gallery printed.
    pub link: String,
    pub cookie: String,
}

impl Server {
    /// Starts a gallery on the index of `env` and enters it by its link.
    pub fn start(env: &TestEnv) -> Self {
        Self::of(&mut env.command("gallery --no-open --listen 127.0.0.1:0"))
    }

    /// Starts a gallery with this command.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut link = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut link).unwrap();
        let link = link.trim_end().to_owned();
        let (address, target) = link
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .unwrap_or_else(|| panic!("no link: {link}"));
        let address = address.parse().unwrap();
        let entered = Request::get(address, &format!("/{target}")).send();
        let cookie = entered.header("set-cookie").expect("a cookie");
        let (cookie, _) = cookie.split_once(';').unwrap();
        Self {
            child,
            address,
            cookie: cookie.to_owned(),
            link,
        }
    }

    /// A request as the page sends it.
    pub fn get(&self, target: &str) -> Request {
        Request::get(self.address, target).header("cookie", &self.cookie)
    }

    /// The JSON answer to a request of the page.
    #[track_caller]
    pub fn ask(&self, target: &str) -> Value {
        self.get(target).send().json()
    }

    /// Sends a change as the page does.
    #[track_caller]
    pub fn post(&self, target: &str, body: &Value) -> Response {
        self.get(target)
            .method("POST")
            .header("origin", format!("http://{}", self.address))
            .json(body)
            .send()
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends the gallery as a supervisor does; returns its exit code.
    #[cfg(unix)]
    pub fn terminate(mut self) -> i32 {
        let kill = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(kill.unwrap().success());
        let ended = wait_for("the gallery to end", || self.child.try_wait().unwrap());
        ended.code().expect("it ends by itself")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls `ask` repeatedly until it returns a value.
#[track_caller]
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
