//! The server process: started on a free port, awaited, stopped, killed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a start may take before a test or a measurement gives up: several times the bound on a
/// start that rebuilds a gigabyte.
const START_MAX: Duration = Duration::from_secs(300);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
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
        let mut words = through
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>();
        words.push(program().to_string_lossy().into_owned());
        let (first, rest) = words.split_first().context("no program")?;
        let mut child = Command::new(first)
            .args(rest)
            .args(["serve", "--listen", "127.0.0.1:0", "--json", "--folder"])
            .arg(folder)
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
                std::thread::spawn(move || {
                    let _ = lines.read_to_end(&mut Vec::new());
                });
                return Ok(Self { child, address });
            }
        }
    }

    /// Waits until `/ready` says so.
    pub fn wait_ready(&self) -> Result<()> {
        let began = Instant::now();
        let url = format!("{}/ready", self.url());
        while began.elapsed() < START_MAX {
            if ureq::get(&url).call().is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the server was not ready after {START_MAX:?}")
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
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
