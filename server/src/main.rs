//! The program `dongbo-server`: makes a province, or serves one.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};
use dongbo::road::Road;
use dongbo::road::authority::Authority;
use dongbo_server::app::App;
use dongbo_server::backup::command::{Backup, BackupKey, CheckBackup, read_key_file, say_restored};
use dongbo_server::backup::restore::{LaidOut, Restored, lay_out, prove};
use dongbo_server::clock::Clock;
use dongbo_server::descriptors;
use dongbo_server::edge::{Edge, EdgeCard};
use dongbo_server::first_run::{self, FirstRun};
use dongbo_server::limits;
use dongbo_server::metrics::Metrics;
use dongbo_server::operation::adopt_catalogue::adopt;
use dongbo_server::operation::found_province::{FIRST_ADMINISTRATOR, found};
use dongbo_server::operation::join_province::join;
use dongbo_server::registry::{Registry, RegistryError};
use dongbo_server::secrets::Secrets;
use dongbo_server::serve::{serve, serve_metrics};
use dongbo_server::tls::{Files, Tls, TlsListener};
use dongbo_server::uplink;
use dongbo_server::wire::EnrolmentCode;
use mimalloc::MiMalloc;
use sealed_file::Identity;
use store::SharedStore;
use store_sled::{Options, Refill, SledStore};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// Judging and deriving make and drop many small things, often on another thread than the one that
/// made them: with the system's allocator that was a fifth of the work under load.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
        #[arg(long, required_unless_present_any = ["catalogue_of", "upstream"])]
        province: Option<String>,
        /// The folder of another node: this one becomes a second, empty node of its province, with
        /// its catalogue and its keys and none of its reports.
        #[arg(long, conflicts_with_all = ["province", "rehearsal"])]
        catalogue_of: Option<PathBuf>,
        /// Marks the province as a rehearsal for ever; every page shows this text.
        #[arg(long)]
        rehearsal: Option<String>,
        /// Address of the province's server: this folder becomes an area's edge below it.
        #[arg(long, requires = "code", conflicts_with_all = ["province", "rehearsal", "catalogue_of"])]
        upstream: Option<String>,
        /// The one-time code that `dongbo node add` printed.
        #[arg(long, requires = "upstream")]
        code: Option<String>,
        /// The certificate of the authority to believe, instead of the public ones, PEM.
        #[arg(long, requires = "upstream", value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// Serves the province in a folder until it is told to stop. An empty folder gets its province by
    /// the page that is served then; the administrator's code for it is printed.
    Serve {
        /// The folder that `init` made, or an empty one.
        #[arg(long)]
        folder: PathBuf,
        /// Address and port.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
        /// The certificate and those that lead to its authority, PEM: connections are HTTPS then. A
        /// renewed file is used within seconds, or at once on SIGHUP.
        #[arg(long, requires = "tls_key", value_name = "FILE")]
        tls_cert: Option<PathBuf>,
        /// The certificate's private key, PEM.
        #[arg(long, requires = "tls_cert", value_name = "FILE")]
        tls_key: Option<PathBuf>,
        /// At an edge: seconds between two exchanges with the province; what tablets bring goes up
        /// within seconds, whatever this is.
        #[arg(long, default_value_t = limits::UPLINK_EVERY_S)]
        upstream_every: u64,
        /// At an edge: another address of the province than the one it joined.
        #[arg(long)]
        upstream: Option<String>,
        /// Address and port for metrics; left out: none. It has no sign-in: keep it from the public.
        #[arg(long)]
        metrics_listen: Option<String>,
    },
    /// Adds what is new to a backup; the server may be running. Call it as often as nothing may be lost.
    Backup(Backup),
    /// Looks whether a backup is whole; needs no secret.
    CheckBackup(CheckBackup),
    /// Makes a key that backups are sealed to. Keep its file away from the server.
    BackupKey(BackupKey),
    /// Makes the folder of a province out of a backup, and proves it by its fingerprints.
    Restore {
        /// The backup.
        #[arg(long)]
        from: PathBuf,
        /// The file of the key it is sealed to.
        #[arg(long)]
        key: PathBuf,
        /// The folder to make.
        #[arg(long)]
        folder: PathBuf,
        /// The series; left out: the last.
        #[arg(long)]
        series: Option<u64>,
        /// The last piece to use; left out: all.
        #[arg(long)]
        through: Option<u64>,
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
            upstream,
            code,
            ca,
        } => match (catalogue_of, upstream.zip(code), province) {
            (Some(other), _, _) => adopt_other(command.json, &folder, &other),
            (None, Some((upstream, code)), _) => {
                join_upstream(command.json, &folder, (&upstream, &code), ca.as_deref())
            }
            (None, None, province) => {
                let name = province.unwrap_or_default();
                init(command.json, &folder, &name, rehearsal.as_deref())
            }
        },
        Action::Serve {
            folder,
            listen,
            tls_cert,
            tls_key,
            upstream_every,
            upstream,
            metrics_listen,
        } => {
            let files = tls_cert.zip(tls_key);
            let tls = files.map(|(certificate, key)| Tls::open(Files { certificate, key }));
            let opening = Opening {
                json: command.json,
                listen,
                metrics_listen,
                tls: tls.transpose()?.map(Arc::new),
                upstream,
                every: Duration::from_secs(upstream_every.max(1)),
            };
            run(&folder, &opening)
        }
        Action::Backup(backup) => backup.run(command.json),
        Action::CheckBackup(check) => check.run(command.json),
        Action::BackupKey(key) => key.run(command.json),
        Action::Restore {
            from,
            key,
            folder,
            series,
            through,
        } => {
            let keys = read_key_file(&key)?;
            let restored = restore(&from, (series, through), &keys, &folder)?;
            say_restored(command.json, &folder, &restored);
            Ok(())
        }
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

fn open_store(folder: &Path, metrics: &Arc<Metrics>) -> anyhow::Result<Arc<SledStore>> {
    let options = Options {
        observer: Some(metrics.clone()),
        ..Options::default()
    };
    let store = SledStore::open(&folder.join("store"), options)
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
    let store = open_store(folder, &Arc::default())?;
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

/// Everything is made beside the folder, which gets its name once it is proved.
fn restore(
    from: &Path,
    which: (Option<u64>, Option<u64>),
    keys: &[Identity],
    folder: &Path,
) -> anyhow::Result<(LaidOut, Restored)> {
    if folder.exists() {
        anyhow::bail!(
            "{} is there already; a backup is restored into a new folder",
            folder.display()
        );
    }
    let mut beside = folder.as_os_str().to_owned();
    beside.push(".restoring");
    let beside = PathBuf::from(beside);
    if beside.exists() {
        std::fs::remove_dir_all(&beside)
            .with_context(|| format!("cannot remove {}", beside.display()))?;
    }
    std::fs::create_dir_all(&beside)
        .with_context(|| format!("cannot create {}", beside.display()))?;
    let mut refill = Refill::begin(&beside.join("store"))?;
    let laid = lay_out(from, which, keys, &beside, |record| {
        refill.append(record).map_err(|error| error.to_string())
    })?;
    refill.finish()?;
    tracing::info!(
        records = laid.records,
        "the records are laid out; everything else is derived now"
    );
    let secrets = match EdgeCard::read(&beside)? {
        Some(_) => Secrets::open_or_create_edge(&beside)?,
        None => Secrets::open(&beside)?,
    };
    let store = open_store(&beside, &Arc::default())?;
    let shared: SharedStore = store.clone();
    let restored = prove(&shared, secrets, &laid)?;
    shared.close()?;
    drop((shared, store));
    std::fs::rename(&beside, folder)
        .with_context(|| format!("cannot name {}", folder.display()))?;
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    std::fs::File::open(parent.unwrap_or(Path::new("."))).and_then(|parent| parent.sync_all())?;
    Ok((laid, restored))
}

#[expect(clippy::print_stdout, reason = "what was made is what was asked for")]
fn join_upstream(
    json: bool,
    folder: &Path,
    (upstream, code): (&str, &str),
    ca: Option<&Path>,
) -> anyhow::Result<()> {
    let authority = ca
        .map(|path| {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        })
        .transpose()?;
    let road = Road::trusting(upstream, &Authority::of_pem(authority.as_deref())?)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let secrets = Secrets::open_or_create_edge(folder)?;
    let store = open_store(folder, &Arc::default())?;
    let shared: SharedStore = store.clone();
    let joined = join(&shared, &secrets, &road, code);
    shared.close()?;
    let (province, name, node) = joined?;
    let card = EdgeCard {
        version: 1,
        upstream: road.server().to_owned(),
        authority,
    };
    card.write(folder)?;
    if json {
        println!(
            "{}",
            serde_json::json!({ "province": province, "node": node })
        );
    } else {
        println!("Tỉnh / province   {name} ({province})");
        println!("Nút / node        {node}");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was made is what was asked for")]
fn adopt_other(json: bool, folder: &Path, other: &Path) -> anyhow::Result<()> {
    Secrets::copy(other, folder)?;
    let store = open_store(folder, &Arc::default())?;
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

/// How the server is reached.
struct Opening {
    json: bool,
    listen: String,
    metrics_listen: Option<String>,
    tls: Option<Arc<Tls>>,
    upstream: Option<String>,
    every: Duration,
}

fn run(folder: &Path, opening: &Opening) -> anyhow::Result<()> {
    let card = EdgeCard::read(folder)?;
    let awaited = match card {
        None => first_run::awaited(folder)?,
        Some(_) => None,
    };
    let secrets = match (&awaited, &card) {
        (_, Some(_)) => Secrets::open_or_create_edge(folder)?,
        (Some(_), None) => Secrets::open_or_create(folder)?,
        (None, None) => Secrets::open(folder)
            .with_context(|| format!("{} holds no province", folder.display()))?,
    };
    descriptors::claim_all();
    let metrics = Arc::<Metrics>::default();
    let store = open_store(folder, &metrics)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(limits::WORKER_THREADS)
        .max_blocking_threads(limits::BLOCKING_THREADS)
        .thread_stack_size(limits::THREAD_STACK_BYTES)
        .enable_all()
        .build()?;
    // One socket for both lives of the server: who comes in between waits in its queue.
    let socket = bind(&opening.listen)?;
    let metrics_socket = opening.metrics_listen.as_deref().map(bind).transpose()?;
    let tls = opening.tls.clone();
    tracing::info!(listen = %socket.local_addr()?, tls = tls.is_some(), folder = %folder.display(), "listening");
    if let Some(tls) = tls.clone() {
        runtime.spawn(tls.keep_looking());
    }
    let shared: SharedStore = store.clone();
    let stop = runtime.block_on(async { stop_signal() })?;
    let mut served = Ok(true);
    if let Some(code) = awaited {
        if is_founded(&shared, &secrets)? {
            first_run::forget(folder);
        } else {
            say_first_run(opening, &socket, &code)?;
            let first = FirstRun::new(shared, secrets.clone(), Clock::System, code, folder);
            served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(socket.try_clone()?)?;
                match &tls {
                    None => first.serve(listener, stopped(stop.clone())).await,
                    Some(tls) => {
                        let listener = TlsListener::new(listener, Arc::clone(tls))?;
                        first.serve(listener, stopped(stop.clone())).await
                    }
                }
            });
        }
    }
    let mut begins_anew = false;
    let outcome = match served {
        Ok(true) => {
            let above = card.map(|card| above(card, opening)).transpose()?;
            let edge = above.as_ref().map(|road| Edge::new(road.server()));
            let app = App::open_measured(store.clone(), secrets, Clock::System, metrics, edge)?;
            let sockets = Sockets {
                socket,
                tls,
                metrics: metrics_socket,
                above: above.map(|road| (road, opening.every)),
            };
            let app = Arc::new(app);
            let served = serve_province(runtime, Arc::clone(&app), sockets, stop);
            begins_anew = app.begins_anew();
            served
        }
        Ok(false) => Ok(()),
        Err(error) => Err(error.into()),
    };
    store::Store::close(&*store)?;
    drop(store);
    if begins_anew {
        return Err(start_again());
    }
    tracing::info!("stopped");
    outcome
}

/// Puts this program in place of itself, with the same arguments. Comes back only if that fails.
fn start_again() -> anyhow::Error {
    use std::os::unix::process::CommandExt;
    tracing::info!("starting again");
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let program = std::env::current_exe().ok().or(name.map(PathBuf::from));
    match program {
        Some(program) => {
            let error = std::process::Command::new(program).args(arguments).exec();
            anyhow::Error::new(error).context("the server has to be started again")
        }
        None => anyhow::anyhow!("the server has to be started again"),
    }
}

fn bind(address: &str) -> anyhow::Result<std::net::TcpListener> {
    let socket = std::net::TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address}"))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// What the server listens on.
struct Sockets {
    socket: std::net::TcpListener,
    tls: Option<Arc<Tls>>,
    metrics: Option<std::net::TcpListener>,
    /// At an edge: the way to the node above, and the time between two exchanges.
    above: Option<(Road, Duration)>,
}

/// The way from an edge to the node above it.
fn above(card: EdgeCard, opening: &Opening) -> anyhow::Result<Road> {
    let authority = Authority::of_pem(card.authority.as_deref())?;
    let address = opening.upstream.as_ref().unwrap_or(&card.upstream);
    Ok(Road::trusting(address, &authority)?)
}

fn serve_province(
    runtime: tokio::runtime::Runtime,
    app: Arc<App>,
    sockets: Sockets,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let served = runtime.block_on(async {
        if let Some(socket) = sockets.metrics {
            tracing::info!(metrics = %socket.local_addr()?, "metrics");
            let listener = tokio::net::TcpListener::from_std(socket)?;
            tokio::spawn(serve_metrics(Arc::clone(&app), listener));
        }
        let uplink = sockets
            .above
            .map(|(road, every)| uplink::start(Arc::clone(&app), road, every))
            .transpose()?;
        let listener = tokio::net::TcpListener::from_std(sockets.socket)?;
        let served = match sockets.tls {
            None => serve(Arc::clone(&app), listener, stopped(stop)).await,
            Some(tls) => {
                let listener = TlsListener::new(listener, tls)?;
                serve(Arc::clone(&app), listener, stopped(stop)).await
            }
        };
        // An exchange that hangs on a dead line is left: what it settled is durable.
        let began = std::time::Instant::now();
        let is_over = || {
            let finished = uplink.as_ref().is_none_or(JoinHandle::is_finished);
            finished || began.elapsed() > Duration::from_secs(limits::UPLINK_END_S)
        };
        while !is_over() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        served
    });
    drop(runtime);
    app.close();
    Ok(served?)
}

/// True if a first run was cut off between founding the province and forgetting its code.
fn is_founded(store: &SharedStore, secrets: &Secrets) -> anyhow::Result<bool> {
    match Registry::open(Arc::clone(store), secrets.catalogue.clone()) {
        Ok(_) => Ok(true),
        Err(RegistryError::NoProvince) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "without the code nobody can begin; it is for whoever started the server"
)]
fn say_first_run(
    opening: &Opening,
    socket: &std::net::TcpListener,
    code: &EnrolmentCode,
) -> anyhow::Result<()> {
    let scheme = match opening.tls {
        None => "http",
        Some(_) => "https",
    };
    let url = format!("{scheme}://{}", socket.local_addr()?);
    if opening.json {
        println!("{}", serde_json::json!({ "open": url, "code": code }));
    } else {
        println!("Máy chủ chưa có tỉnh nào. / This server has no province yet.");
        println!("Mở / open                        {url}");
        println!("Mã quản trị / administrator code {code}");
    }
    Ok(())
}

/// Tells of SIGTERM or SIGINT, to both lives of the server.
fn stop_signal() -> std::io::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (told, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.send_replace(true);
    });
    Ok(stop)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
