//! Checks the golden vectors and traps on the first that differs: for `run.mjs`, in WebAssembly.

fn main() {
    let differing = vectors::differing();
    if !differing.is_empty() {
        // A panic is a trap in WebAssembly, the only way to say no without imports.
        std::process::abort();
    }
}
