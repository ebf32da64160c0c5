//! Contains the panics of decoders.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`. If it panics, returns the panic's message, and nothing is printed to standard error.
///
/// The first call installs a panic hook, which is silent for threads inside `contain` and calls the
/// previous hook for all others.
pub(super) fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CONTAINED.get() {
                next(info);
            }
        }));
    });
    let outer = CONTAINED.replace(true);
    // `work` owns all state that a panic could leave inconsistent, and is dropped.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    outcome.map_err(|payload| message(payload.as_ref()))
}

/// The first line of a panic's message.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_returned_as_its_message() {
        let empty: &[u8] = &[];
        assert_eq!(catch_panic(|| 7), Ok(7));
        assert_eq!(
            catch_panic(|| panic!("static")),
            Err::<(), _>("static".into())
        );
        let message = catch_panic(|| empty[std::hint::black_box(3)]).unwrap_err();
        assert!(message.contains("index out of bounds"), "{message}");
        assert!(!CONTAINED.get());
    }

    /// Run by the test below in a separate process.
    #[test]
    #[ignore = "panics on purpose; another test reads its output"]
    fn panics_inside_and_outside() {
        let _ = catch_panic(|| panic!("must not be printed"));
        let _ = panic::catch_unwind(|| panic!("must be printed"));
    }

    #[test]
    fn a_panic_inside_is_silent_and_one_outside_is_not() {
        let child = "imaging::containment::tests::panics_inside_and_outside";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", child, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{printed}");
        assert!(
            printed.contains("must be printed") && !printed.contains("must not"),
            "{printed}"
        );
    }
}
