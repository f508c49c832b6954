//! A served province in memory, and a client that speaks plain HTTP to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;

use data_encoding::HEXLOWER;
use dongbo_server::app::{App, SharedApp};
use dongbo_server::clock::Clock;
use dongbo_server::operation::found_province::{Founded, found};
use dongbo_server::operation::sign_in_device::statement;
use dongbo_server::secrets::Secrets;
use dongbo_server::serve::{serve, serve_metrics};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use store::memory::{MemoryContents, MemoryStore};
use store::{SharedStore, Store as _};
use sync_core::identity::KeyId;
use tokio::sync::oneshot;

pub(crate) const START_S: i64 = 1_767_000_000;

/// A province on a free port of this machine. It stops when it is dropped.
pub(crate) struct Served {
    pub(crate) app: SharedApp,
    pub(crate) founded: Founded,
    pub(crate) url: String,
    pub(crate) store: Arc<MemoryStore>,
    contents: MemoryContents,
    secrets: Secrets,
    now: Arc<AtomicI64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
    agent: ureq::Agent,
}

/// A device: a key, and whose it became.
pub(crate) struct Device {
    pub(crate) key: SigningKey,
    pub(crate) key_id: KeyId,
}

impl Device {
    pub(crate) fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let key_id = KeyId::of(key.verifying_key().as_bytes());
        Self { key, key_id }
    }
    pub(crate) fn public_key(&self) -> String {
        HEXLOWER.encode(self.key.verifying_key().as_bytes())
    }
}

impl Served {
    pub(crate) fn new() -> Self {
        let contents = MemoryContents::default();
        let store = Arc::new(MemoryStore::open(&contents));
        let shared: SharedStore = store.clone();
        let secrets = Secrets::random().unwrap();
        let now = Arc::new(AtomicI64::new(START_S));
        let clock = Clock::Set(now.clone());
        let rehearsal = Some("Diễn tập");
        let founded = found(&shared, &secrets, &clock, "Tỉnh Thái Nguyên", rehearsal).unwrap();
        let (app, url, stop, thread) = start(shared, secrets.clone(), clock);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        Self {
            app,
            founded,
            url,
            store,
            contents,
            secrets,
            now,
            stop: Some(stop),
            thread: Some(thread),
            agent,
        }
    }

    /// Stops the server and starts it again on what was kept; without its derived keys, if asked.
    pub(crate) fn restart(&mut self, lose_derived: bool) {
        self.stop();
        if lose_derived {
            self.contents.lose_derived();
        }
        self.store = Arc::new(MemoryStore::open(&self.contents));
        let clock = Clock::Set(self.now.clone());
        let (app, url, stop, thread) = start(self.store.clone(), self.secrets.clone(), clock);
        (self.app, self.url) = (app, url);
        (self.stop, self.thread) = (Some(stop), Some(thread));
    }

    /// What the store holds of one kind of key.
    pub(crate) fn derived(&self, tag: u8) -> Vec<(Vec<u8>, Vec<u8>)> {
        let after = sync_core::log::keys::after(tag);
        self.store.scan(&[tag], &after, usize::MAX).unwrap()
    }

    /// Changes derived keys behind the server's back, as another version would have left them.
    pub(crate) fn put_derived(&mut self, writes: Vec<store::Write>) {
        self.stop();
        MemoryStore::open(&self.contents)
            .put_derived(writes)
            .unwrap();
    }

    /// Moves the server's clock.
    pub(crate) fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> (u16, Value) {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(request.call().unwrap())
    }

    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        self.post_bytes(path, token, body.to_string().as_bytes())
    }

    pub(crate) fn post_bytes(&self, path: &str, token: Option<&str>, body: &[u8]) -> (u16, Value) {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(request.send(body).unwrap())
    }

    /// Asks by any method, without a body, and gives the code of the problem.
    pub(crate) fn try_method(&self, method: &str, path: &str) -> Option<String> {
        let request = ureq::http::Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(format!("{}{path}", self.url))
            .body(())
            .unwrap();
        // Each on a connection of its own: some answers end it.
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let (_, answer) = read(agent.run(request).unwrap());
        answer["code"].as_str().map(str::to_owned)
    }

    /// Asks for something that must succeed.
    pub(crate) fn done(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let (status, answer) = self.post(path, token, body);
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    /// Asks for something that must be refused with this code.
    pub(crate) fn refused(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, String) {
        let (status, answer) = self.post(path, token, body);
        assert!(status >= 400, "{path}: {status} {answer}");
        (status, answer["code"].as_str().unwrap().to_owned())
    }

    /// Redeems a code for a device.
    pub(crate) fn redeem(&self, code: &str, device: &Device, password: Option<&str>) -> Value {
        self.done(
            "/v1/enrolments/redeem",
            None,
            &json!({ "code": code, "public_key": device.public_key(), "password": password }),
        )
    }

    /// Opens a session by a device's key.
    pub(crate) fn device_session(&self, device: &Device) -> String {
        let (status, answer) = self.try_device_session(device);
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn try_device_session(&self, device: &Device) -> (u16, Value) {
        let challenge = self.done(
            "/v1/device/challenge",
            None,
            &json!({ "key_id": device.key_id }),
        );
        let nonce = challenge["nonce"].as_str().unwrap();
        let signature = device.key.sign(&statement(
            self.founded.province,
            self.founded.node,
            &HEXLOWER.decode(nonce.as_bytes()).unwrap(),
        ));
        self.post(
            "/v1/device/session",
            None,
            &json!({
                "key_id": device.key_id,
                "nonce": nonce,
                "signature": HEXLOWER.encode(&signature.to_bytes()),
            }),
        )
    }

    /// The first administrator with a device and a password, signed in.
    pub(crate) fn administrator(&self) -> String {
        let device = Device::new(200);
        self.redeem(&self.founded.code.to_string(), &device, None);
        self.device_session(&device)
    }

    /// What is measured by now, from the address for that alone.
    pub(crate) fn scrape(&self) -> String {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        runtime.spawn(serve_metrics(self.app.clone(), listener));
        let (status, text) = ask(&url, None);
        assert_eq!(status, 200);
        runtime.shutdown_background();
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the server has ended by itself, and gives the reason.
    pub(crate) fn ended(&mut self) -> std::io::Error {
        let thread = self.thread.take().unwrap();
        let reason = thread.join().unwrap().unwrap_err();
        self.app.close();
        reason
    }

    /// Stops the server and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
            self.app.close();
            store::Store::close(&*self.store).unwrap();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

type Started = (
    SharedApp,
    String,
    oneshot::Sender<()>,
    JoinHandle<std::io::Result<()>>,
);

/// Opens an app on a store and serves it on a free port; it is ready on return.
fn start(store: SharedStore, secrets: Secrets, clock: Clock) -> Started {
    let app = Arc::new(App::open(store, secrets, clock).unwrap());
    app.start().unwrap();
    let (stop, stopped) = oneshot::channel();
    let (told, port) = std::sync::mpsc::channel();
    let serving = app.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            told.send(listener.local_addr()?.port()).unwrap();
            serve(serving, listener, async {
                let _ = stopped.await;
            })
            .await
        })
    });
    let url = format!("http://127.0.0.1:{}", port.recv().unwrap());
    (app, url, stop, thread)
}

/// Asks an address without signing in; by POST, if there is a body.
pub(crate) fn ask(url: &str, body: Option<&Value>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    read(match body {
        Some(body) => agent
            .post(url)
            .header("content-type", "application/json")
            .send(body.to_string().as_bytes())
            .unwrap(),
        None => agent.get(url).call().unwrap(),
    })
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}
