//! A server without a province: what it answers, what founds it, and that a stop in between costs nothing.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dongbo_server::app::App;
use dongbo_server::clock::Clock;
use dongbo_server::first_run::{FirstRun, awaited};
use dongbo_server::secrets::Secrets;
use serde_json::{Value, json};
use store::SharedStore;
use store::memory::{MemoryContents, MemoryStore};
use tokio::sync::oneshot;

use crate::served::ask;

/// A first run on a free port; gives whether the province was founded when it ends.
struct Running {
    url: String,
    code: String,
    stop: Option<oneshot::Sender<()>>,
    thread: JoinHandle<bool>,
    store: SharedStore,
    secrets: Secrets,
}

fn first_run(folder: &Path, contents: &MemoryContents) -> Running {
    let code = awaited(folder).unwrap().unwrap();
    let secrets = Secrets::open_or_create(folder).unwrap();
    let store: SharedStore = Arc::new(MemoryStore::open(contents));
    let first = FirstRun::new(
        store.clone(),
        secrets.clone(),
        Clock::System,
        code.clone(),
        folder,
    );
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(socket).unwrap();
            let stop = async {
                let _ = stopped.await;
            };
            first.serve(listener, stop).await.unwrap()
        })
    });
    Running {
        url,
        code: code.to_string(),
        stop: Some(stop),
        thread,
        store,
        secrets,
    }
}

fn founding(code: &str) -> Value {
    json!({
        "code": code, "province": "Tỉnh Thái Nguyên", "name": "quan.tri",
        "display": "Trần Quản Trị", "password": "mật khẩu đủ dài",
    })
}

#[test]
fn without_a_province_everything_says_so_and_only_the_code_founds_it() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), MemoryContents::default());
    let running = first_run(folder.path(), &contents);
    let path = |path: &str| format!("{}{path}", running.url);
    for asked in ["/v1/status", "/v1/units", "/ready"] {
        let (status, answer) = ask(&path(asked), None);
        assert_eq!(
            (status, answer["code"].as_str()),
            (503, Some("not-founded")),
            "{asked}"
        );
    }
    assert_eq!(ask(&path("/health"), None).0, 200);
    let (status, answer) = ask(&path("/v1/province"), Some(&founding("0000-0000-0000")));
    assert_eq!(
        (status, answer["code"].as_str()),
        (404, Some("code-unknown"))
    );
    let mut short = founding(&running.code);
    short["password"] = "ngắn".into();
    let (status, answer) = ask(&path("/v1/province"), Some(&short));
    assert_eq!(
        (status, answer["code"].as_str()),
        (422, Some("password-too-short"))
    );
    assert!(
        App::open(
            running.store.clone(),
            running.secrets.clone(),
            Clock::System
        )
        .is_err()
    );
    // Typed as people type it: lower case, spaces.
    let typed = running.code.to_lowercase().replace('-', " ");
    let (status, answer) = ask(&path("/v1/province"), Some(&founding(&typed)));
    assert_eq!(status, 200, "{answer}");
    assert!(running.thread.join().unwrap(), "it was founded");
    let app = App::open(running.store, running.secrets, Clock::System).unwrap();
    let catalogue = app.registry.current();
    assert_eq!(catalogue.province().unwrap().name, "Tỉnh Thái Nguyên");
    let founder = catalogue.person_by_name("quan.tri").unwrap();
    assert_eq!(founder.display_name, "Trần Quản Trị");
    assert!(
        awaited(folder.path()).unwrap().is_none(),
        "the code is forgotten"
    );
}

/// Nobody may hold up the province by a request that never ends.
#[test]
fn a_request_that_never_ends_does_not_hold_up_the_province() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), MemoryContents::default());
    let running = first_run(folder.path(), &contents);
    let address = running.url.strip_prefix("http://").unwrap();
    let mut endless = std::net::TcpStream::connect(address).unwrap();
    endless.write_all(b"GET / HTTP/1.1\r\nhost: ").unwrap();
    // Answered after it: the server has seen the first line by now.
    assert_eq!(ask(&format!("{}/health", running.url), None).0, 200);
    let started = Instant::now();
    let path = format!("{}/v1/province", running.url);
    assert_eq!(ask(&path, Some(&founding(&running.code))).0, 200);
    assert!(running.thread.join().unwrap(), "it was founded and ended");
    assert!(started.elapsed() < Duration::from_secs(30));
    drop(endless);
}

#[test]
fn who_guesses_the_code_has_to_wait() {
    let (folder, contents) = (tempfile::tempdir().unwrap(), MemoryContents::default());
    let mut running = first_run(folder.path(), &contents);
    let path = format!("{}/v1/province", running.url);
    for _ in 0..5 {
        ask(&path, Some(&founding("0000-0000-0000")));
    }
    let (status, answer) = ask(&path, Some(&founding(&running.code)));
    assert_eq!(
        (status, answer["code"].as_str()),
        (429, Some("sign-in-too-often"))
    );
    let _ = running.stop.take().unwrap().send(());
    assert!(!running.thread.join().unwrap());
}

#[test]
fn a_server_that_was_stopped_shows_the_same_code_and_other_folders_none() {
    let folder = tempfile::tempdir().unwrap();
    let code = awaited(folder.path()).unwrap().unwrap();
    assert_eq!(awaited(folder.path()).unwrap(), Some(code));
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("notes.txt"), "x").unwrap();
    assert_eq!(awaited(other.path()).unwrap(), None);
    let new = other.path().join("new");
    assert!(awaited(&new).unwrap().is_some());
}
