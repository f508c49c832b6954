//! The program `dongbo-server`: makes a province, or serves one.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use dongbo_server::app::App;
use dongbo_server::clock::Clock;
use dongbo_server::limits;
use dongbo_server::operation::adopt_catalogue::adopt;
use dongbo_server::operation::found_province::{FIRST_ADMINISTRATOR, found};
use dongbo_server::secrets::Secrets;
use dongbo_server::serve::serve;
use store::SharedStore;
use store_sled::{Options, SledStore};
use tracing_subscriber::EnvFilter;

/// Đồng Bộ: the server of a province.
#[derive(Debug, Parser)]
#[command(name = "dongbo-server", version)]
struct Command {
    /// One JSON object a log line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a new province in a folder and prints the first administrator's code, once.
    Init {
        /// The folder; it is made if it is not there.
        #[arg(long)]
        folder: PathBuf,
        /// The province's name: "Tỉnh Thái Nguyên".
        #[arg(long, required_unless_present = "catalogue_of")]
        province: Option<String>,
        /// The folder of another node: this one becomes a second, empty node of its province, with
        /// its catalogue and its keys and none of its reports.
        #[arg(long, conflicts_with_all = ["province", "rehearsal"])]
        catalogue_of: Option<PathBuf>,
        /// Marks the province as a rehearsal for ever; every page shows this text.
        #[arg(long)]
        rehearsal: Option<String>,
    },
    /// Serves the province in a folder until it is told to stop.
    Serve {
        /// The folder that `init` made.
        #[arg(long)]
        folder: PathBuf,
        /// Address and port.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
    },
}

fn main() -> ExitCode {
    let command = Command::parse();
    start_logging(command.json);
    match act(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(command: Command) -> anyhow::Result<()> {
    match command.action {
        Action::Init {
            folder,
            province,
            catalogue_of,
            rehearsal,
        } => match (catalogue_of, province) {
            (Some(other), _) => adopt_other(command.json, &folder, &other),
            (None, province) => {
                let name = province.unwrap_or_default();
                init(command.json, &folder, &name, rehearsal.as_deref())
            }
        },
        Action::Serve { folder, listen } => run(&folder, &listen),
    }
}

/// Log lines go to standard error: standard output is for what was asked for.
fn start_logging(json: bool) {
    let filter = EnvFilter::try_from_env("DONGBO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if json {
        lines.json().init();
    } else {
        lines.init();
    }
}

fn open_store(folder: &Path) -> anyhow::Result<Arc<SledStore>> {
    let store = SledStore::open(&folder.join("store"), Options::default())
        .with_context(|| format!("cannot open the province in {}", folder.display()))?;
    let opening = store.opening();
    tracing::info!(rebuilt = ?opening.rebuilt, applied_records = opening.applied_records, "store opened");
    Ok(Arc::new(store))
}

#[expect(
    clippy::print_stdout,
    reason = "the code is what was asked for; it is shown here and kept nowhere"
)]
fn init(json: bool, folder: &Path, name: &str, rehearsal: Option<&str>) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let store = open_store(folder)?;
    let secrets = Secrets::open_or_create(folder)?;
    let shared: SharedStore = store.clone();
    let founded = found(&shared, &secrets, &Clock::System, name, rehearsal)?;
    shared.close()?;
    if json {
        let answer = serde_json::json!({
            "province": founded.province,
            "node": founded.node,
            "name": FIRST_ADMINISTRATOR,
            "code": founded.code,
            "expires_in_s": limits::FIRST_CODE_S,
        });
        println!("{answer}");
    } else {
        println!("Tỉnh / province   {name} ({})", founded.province);
        println!("Tên / name        {FIRST_ADMINISTRATOR}");
        println!("Mã / code         {}", founded.code);
        println!("Mã dùng một lần, trong 24 giờ. / The code works once, for 24 hours.");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was made is what was asked for")]
fn adopt_other(json: bool, folder: &Path, other: &Path) -> anyhow::Result<()> {
    Secrets::copy(other, folder)?;
    let store = open_store(folder)?;
    let secrets = Secrets::open(folder)?;
    let shared: SharedStore = store.clone();
    let journal = other.join("store").join(store_sled::JOURNAL_FOLDER);
    let (province, node) = adopt(&shared, &secrets, &journal)?;
    shared.close()?;
    if json {
        println!(
            "{}",
            serde_json::json!({ "province": province, "node": node })
        );
    } else {
        println!("Tỉnh / province   {province}");
        println!("Nút / node        {node}");
    }
    Ok(())
}

fn run(folder: &Path, listen: &str) -> anyhow::Result<()> {
    let secrets =
        Secrets::open(folder).with_context(|| format!("{} holds no province", folder.display()))?;
    let store = open_store(folder)?;
    let app = Arc::new(App::open(store.clone(), secrets, Clock::System)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(limits::WORKER_THREADS)
        .max_blocking_threads(limits::BLOCKING_THREADS)
        .thread_stack_size(limits::THREAD_STACK_BYTES)
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        tracing::info!(listen = %listener.local_addr()?, folder = %folder.display(), "listening");
        let stop = stop_signal()?;
        serve(Arc::clone(&app), listener, stop).await?;
        Ok::<(), anyhow::Error>(())
    });
    drop(runtime);
    app.close();
    drop(app);
    store::Store::close(&*store)?;
    tracing::info!("stopped");
    served
}

/// SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
