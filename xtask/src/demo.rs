//! The demonstration province: made with the commands a real one would use, then rehearsed live.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::program::{build_programs, built, output, root, run as run_program};

/// The demonstration is public; a real administrator chooses a password at enrolment.
const ADMINISTRATOR_PASSWORD: &str = "dien-tap-quan-tri";
const FORM: &str = "bao-cao-cchc-2022";
const FIGURES: &str = "bao-cao-cchc-2022-thai-nguyen";
const ORG: &str = "thai-nguyen-2025";
const PERIOD: &str = "2026";
const DUE: &str = "2027-01-15";

/// `cargo xtask demo [--fresh] [--settle] [--listen ADDRESS] [--folder FOLDER] [--once]`: makes the
/// province if it is not there, serves it, rehearses what is missing, stays up. `--once` ends after
/// the rehearsal: for tests.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    refuse_unknown(arguments)?;
    let value = |name: &str, otherwise: &str| {
        let at = arguments.iter().position(|argument| *argument == name);
        let value = at.and_then(|at| arguments.get(at + 1));
        value.map_or_else(|| otherwise.to_owned(), |value| (*value).to_owned())
    };
    let listen = value("--listen", "127.0.0.1:8080");
    let folder = root().join(value("--folder", "province"));
    if arguments.contains(&"--fresh") && folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    crate::web::build()?;
    build_programs()?;
    let code = make_province(&folder)?;
    let mut server = Running::start(&folder, &listen)?;
    let url = format!("http://{}", server.address);
    found(&folder, &url, code.as_deref())?;
    rehearse(&folder, &url, arguments.contains(&"--settle"))?;
    if arguments.contains(&"--once") {
        return server.stop();
    }
    enrol_desks(&folder)?;
    server.wait()
}

/// A word that is not understood makes no province.
fn refuse_unknown(arguments: &[&str]) -> Result<()> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--fresh" | "--settle" | "--once" => {}
            "--listen" | "--folder" if rest.next().is_some() => {}
            other => bail!(
                "{other} is not understood: cargo xtask demo [--fresh] [--settle] [--listen ADDRESS] [--folder FOLDER] [--once]"
            ),
        }
    }
    Ok(())
}

/// Who works at each desk of the app: what it is, the person that the rehearsal made, their unit.
const DESKS: [(&str, &str, Option<&str>); 3] = [
    ("Cán bộ xã / officer", "xa-dinh-hoa", Some("05569")),
    (
        "Tổng hợp khu vực / aggregator",
        "tong-hop-khu-vuc-dinh-hoa",
        Some("khu-vuc-dinh-hoa"),
    ),
    ("Tỉnh / province", "tham-dinh-tinh", None),
];

/// Prints one sign-in for each desk: a code that makes a browser a device of that person.
#[expect(clippy::print_stdout, reason = "says who may sign in")]
fn enrol_desks(folder: &Path) -> Result<()> {
    for (desk, person, unit) in DESKS {
        println!("\n{desk}");
        let mut words = vec!["enrolment", "new", "--person", person];
        words.extend(unit.map(|unit| ["--unit", unit]).into_iter().flatten());
        dongbo(folder, &words)?;
    }
    Ok(())
}

/// Makes the province if its folder is not there; gives the administrator's one-time code then.
fn make_province(folder: &Path) -> Result<Option<String>> {
    if folder.join("secrets").exists() {
        return Ok(None);
    }
    let mut init = Command::new(built("debug", "dongbo-server"));
    init.args(["init", "--province", "Tỉnh Thái Nguyên", "--rehearsal"])
        .arg("số liệu năm 2022 chia cho 92 xã, phường")
        .args(["--json", "--folder"])
        .arg(folder)
        .env("DONGBO_LOG", "warn");
    let answer = output(init)?;
    let code = answer
        .split("\"code\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    Ok(Some(code.context("the server gave no code")?.to_owned()))
}

/// Enrols the administrator and imports units and template; importing again adds nothing.
fn found(folder: &Path, url: &str, code: Option<&str>) -> Result<()> {
    if let Some(code) = code {
        let password = ["--password", ADMINISTRATOR_PASSWORD];
        let enrol = [
            "enrol",
            "--server",
            url,
            "--code",
            code,
            "--label",
            "Máy quản trị",
        ];
        dongbo(folder, &[&enrol[..], &password[..]].concat())?;
    }
    dongbo(folder, &["org", "import", ORG])?;
    dongbo(folder, &["template", "import", FORM])
}

/// Duties, people and devices are made by the same administration commands inside `dongbo rehearse`.
fn rehearse(folder: &Path, url: &str, settle: bool) -> Result<()> {
    let work = folder.join("devices");
    let work = work.to_string_lossy();
    let mut arguments = vec![
        "rehearse",
        "--server",
        url,
        "--form",
        FORM,
        "--figures",
        FIGURES,
    ];
    arguments.extend([
        "--org", ORG, "--period", PERIOD, "--due", DUE, "--work", &work,
    ]);
    if settle {
        arguments.extend(["--settle", "--check"]);
    }
    dongbo(folder, &arguments)
}

fn dongbo(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(built("debug", "dongbo"));
    command
        .arg("--device")
        .arg(folder.join("administrator"))
        .args(arguments);
    run_program(command)
}

/// The server of the demonstration.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    #[expect(clippy::print_stderr, reason = "what the server warns of is shown")]
    fn start(folder: &Path, listen: &str) -> Result<Self> {
        let mut child = Command::new(built("debug", "dongbo-server"))
            .args(["--json", "serve", "--listen", listen, "--folder"])
            .arg(folder)
            .env("DONGBO_LOG", "info")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let mut lines =
            BufReader::new(child.stderr.take().context("the server has no log")?).lines();
        let mut seen = String::new();
        for line in lines.by_ref() {
            let line = line.context("cannot read the server's log")?;
            let listening = line
                .split("\"listen\":\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            if let Some(address) = listening {
                let address = address.to_owned();
                std::thread::spawn(move || {
                    for line in lines.map_while(Result::ok) {
                        if line.contains("\"WARN\"") || line.contains("\"ERROR\"") {
                            eprintln!("{line}");
                        }
                    }
                });
                return Ok(Self { child, address });
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        let status = child.wait().context("cannot wait for the server")?;
        bail!("the server ended with {status}:\n{seen}")
    }

    #[expect(clippy::print_stdout, reason = "says where to look")]
    fn wait(&mut self) -> Result<()> {
        println!("Quản trị / administrator: admin, {ADMINISTRATOR_PASSWORD}");
        println!(
            "\nhttp://{0}  ứng dụng / app\nhttp://{0}/status  số liệu toàn tỉnh / the province  (Ctrl-C: dừng / stop)",
            self.address
        );
        let status = self.child.wait().context("cannot wait for the server")?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        let mut kill = Command::new("kill");
        kill.arg(self.child.id().to_string());
        run_program(kill)?;
        let status = self.child.wait().context("cannot wait for the server")?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended, or the terminal's Ctrl-C reached it too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
