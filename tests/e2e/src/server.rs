//! The server process: started on a free port, awaited, stopped, killed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a start may take before a test or a measurement gives up: several times the bound on a
/// start that rebuilds a gigabyte.
const START_MAX: Duration = Duration::from_secs(300);

/// How long one small answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Bytes of the log that are kept.
const LOG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
    /// Where a port answers when it is ready: HTTPS with the certificate of this authority, PEM.
    authority: Option<Vec<u8>>,
    log: Arc<Mutex<String>>,
}

/// The program of the profile that this test was built with.
pub fn program() -> PathBuf {
    let name = "dongbo-server";
    if let Some(path) = std::env::var_os("DONGBO_SERVER") {
        return path.into();
    }
    let here = std::env::current_exe().unwrap_or_default();
    let mut folders = here.ancestors().skip(1).take(3);
    folders
        .find(|folder| folder.join(name).is_file())
        .map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
}

/// Makes a province in a folder and gives the administrator's code.
pub fn init(folder: &Path) -> Result<String> {
    let output = Command::new(program())
        .args([
            "init",
            "--province",
            "Tỉnh Thái Nguyên",
            "--rehearsal",
            "Diễn tập",
            "--json",
        ])
        .arg("--folder")
        .arg(folder)
        .env("DONGBO_LOG", "warn")
        .output()
        .with_context(|| format!("cannot run {}: cargo build first", program().display()))?;
    if !output.status.success() {
        bail!("init: {}", String::from_utf8_lossy(&output.stderr));
    }
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(answer
        .get("code")
        .and_then(|code| code.as_str())
        .context("no code")?
        .to_owned())
}

impl Server {
    /// Starts on a free port and waits until it is ready.
    pub fn start(folder: &Path) -> Result<Self> {
        let server = Self::spawn(folder, &[])?;
        server.wait_ready()?;
        Ok(server)
    }

    /// Starts through other programs (`strace …`), or none, and waits for the address only.
    pub fn spawn(folder: &Path, through: &[&str]) -> Result<Self> {
        Self::spawn_with(folder, through, &[])
    }

    /// Starts with more arguments and waits until it is ready.
    pub fn start_with(folder: &Path, arguments: &[&str]) -> Result<Self> {
        let server = Self::spawn_with(folder, &[], arguments)?;
        server.wait_ready()?;
        Ok(server)
    }

    /// Starts over HTTPS and waits until it is ready; the authority is who the certificate is of.
    pub fn start_tls(
        folder: &Path,
        certificate: &Path,
        key: &Path,
        authority: &Path,
    ) -> Result<Self> {
        let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
        let arguments = ["--tls-cert", &certificate, "--tls-key", &key];
        let mut server = Self::spawn_with(folder, &[], &arguments)?;
        server.authority = Some(std::fs::read(authority)?);
        server.wait_ready()?;
        Ok(server)
    }

    fn spawn_with(folder: &Path, through: &[&str], arguments: &[&str]) -> Result<Self> {
        let mut words = through
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>();
        words.push(program().to_string_lossy().into_owned());
        let (first, rest) = words.split_first().context("no program")?;
        let listen: &[&str] = match arguments.contains(&"--listen") {
            true => &[],
            false => &["--listen", "127.0.0.1:0"],
        };
        let mut child = Command::new(first)
            .args(rest)
            .args(["serve", "--json"])
            .args(listen)
            .arg("--folder")
            .arg(folder)
            .args(arguments)
            .env("DONGBO_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {first}"))?;
        let lines = child.stderr.take().context("no log")?;
        let mut lines = BufReader::new(lines);
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                let status = child.wait()?;
                bail!("the server ended with {status} before it listened:\n{seen}");
            }
            seen.push_str(&line);
            let fields: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            let listen = fields
                .pointer("/fields/listen")
                .and_then(|listen| listen.as_str());
            if let Some(listen) = listen {
                let address = listen.to_owned();
                // The pipe is read to its end, or the server would block on its log.
                let log = Arc::new(Mutex::new(seen));
                let kept = Arc::clone(&log);
                std::thread::spawn(move || {
                    let mut line = String::new();
                    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                        if kept.len() < LOG_BYTES_MAX {
                            kept.push_str(&line);
                        }
                        line.clear();
                    }
                });
                return Ok(Self {
                    child,
                    address,
                    authority: None,
                    log,
                });
            }
        }
    }

    /// Waits until `/ready` says so.
    pub fn wait_ready(&self) -> Result<()> {
        let began = Instant::now();
        let url = format!("{}/ready", self.url());
        let agent = self.agent()?;
        while began.elapsed() < START_MAX {
            if agent.get(&url).call().is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the server was not ready after {START_MAX:?}")
    }

    /// Where it is.
    pub fn url(&self) -> String {
        match self.authority {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://{}", self.address),
        }
    }

    /// Asks it over the way it listens.
    pub fn agent(&self) -> Result<ureq::Agent> {
        use ureq::tls::{Certificate, RootCerts, TlsConfig};
        let mut config = ureq::Agent::config_builder().timeout_global(Some(ANSWER_MAX));
        if let Some(pem) = &self.authority {
            let roots = RootCerts::new_with_certs(&[Certificate::from_pem(pem)?]);
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(config.build().into())
    }

    /// What it has written into its log so far: the first of it.
    pub fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.clone()
    }

    /// Sends it a signal by its name.
    pub fn signal(&self, name: &str) -> Result<()> {
        let mut kill = Command::new("kill");
        let sent = kill.args(["-s", name, &self.pid().to_string()]).status()?;
        anyhow::ensure!(sent.success(), "cannot signal the server");
        Ok(())
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes, as the system counts it.
    pub fn resident_bytes(&self) -> Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// The most resident memory it ever had, in bytes.
    pub fn resident_peak_bytes(&self) -> Result<u64> {
        self.status_bytes("VmHWM:")
    }

    /// Processor time it took so far, in microseconds; the system counts in hundredths of a second.
    pub fn processor_us(&self) -> Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let (_, after_name) = stat.rsplit_once(')').context("no name")?;
        let mut fields = after_name.split_whitespace().skip(11);
        let mut next = || -> Result<u64> { Ok(fields.next().context("no time")?.parse()?) };
        Ok((next()? + next()?) * 10_000)
    }

    fn status_bytes(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .with_context(|| format!("no {name}"))?;
        let kilobytes = line.split_whitespace().nth(1).context("no number")?;
        Ok(kilobytes.parse::<u64>()? * 1024)
    }

    /// Kill -9.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends a server that runs under another program (`strace …`): the server is asked to stop, and
    /// the other program is awaited, so that what it wrote is complete.
    pub fn stop_under(mut self) -> Result<()> {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        for child in children.split_whitespace() {
            let asked = Command::new("kill").arg(child).status()?;
            anyhow::ensure!(asked.success(), "cannot signal the server");
        }
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(mut self) -> Result<()> {
        let killed = Command::new("kill").arg(self.pid().to_string()).status()?;
        anyhow::ensure!(killed.success(), "cannot signal the server");
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
