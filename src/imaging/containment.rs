//! Panics of decoders, contained.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it becomes its message and is not reported on standard error.
///
/// The first call puts a panic hook before the one in force: it is silent for a thread that is
/// inside `contain` and passes every other panic on.
pub(super) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
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
    // Whatever a panic leaves half done is owned by `work` and dropped with it.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    outcome.map_err(|payload| message(payload.as_ref()))
}

/// What a panic says, in one line.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it gave no message");
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        let empty: &[u8] = &[];
        assert_eq!(contain(|| 7), Ok(7));
        assert_eq!(contain(|| panic!("static")), Err::<(), _>("static".into()));
        let message = contain(|| empty[std::hint::black_box(3)]).unwrap_err();
        assert!(message.contains("index out of bounds"), "{message}");
        assert!(!CONTAINED.get());
    }

    /// Run by the test below in a process of its own.
    #[test]
    #[ignore = "panics on purpose; its output is what another test reads"]
    fn panics_inside_and_outside() {
        let _ = contain(|| panic!("to be kept quiet"));
        let _ = panic::catch_unwind(|| panic!("to be heard"));
    }

    #[test]
    fn a_panic_inside_is_silent_and_one_outside_is_not() {
        let child = "imaging::containment::tests::panics_inside_and_outside";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", child, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("to be heard") && !said.contains("quiet"),
            "{said}"
        );
    }
}
