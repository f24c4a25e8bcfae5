/// A named point at which a test kills the process as `kill -9` would, at the n-th passing it chooses:
/// `FAILPOINTS='engine::after_intent=4*off->return'`. Nothing without the feature `failpoints`.
pub(crate) fn crash_point(name: &str) {
    fail::fail_point!(name, |_| std::process::abort());
    let _ = name;
}
