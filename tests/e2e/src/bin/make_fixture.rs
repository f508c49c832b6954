//! Makes a fixture folder for a NEW format version; the ones that are there are never made again.
//!
//! `make_fixture FOLDER`: a province of three communes, two of which reported, two with rivals.

use anyhow::{Context, Result};
use e2e::{Administrator, Server, server};
use serde_json::json;

fn main() -> Result<()> {
    let target = std::env::args().nth(1).context("say where to")?;
    let target = std::path::Path::new(&target);
    let folder = target.join("province");
    anyhow::ensure!(!folder.exists(), "{} is there already", folder.display());
    std::fs::create_dir_all(&folder)?;
    let code = server::init(&folder)?;
    let running = Server::start(&folder)?;
    let url = running.url();
    let mut admin = Administrator::enrol(&url, &code)?;
    admin.found(3)?;
    for (name, commune, value) in [("a", "00000", 5), ("b", "00000", 6), ("c", "00001", 7)] {
        let mut peer = admin.person(name, "officer", commune, false)?;
        let unit = *admin.units.get(commune).context("no such unit")?;
        peer.fill(
            unit,
            &[("III.1.1", value), ("III.3.1.1", 1_000), ("III.3.1.2", 990)],
        )?;
        peer.sync(&url)?;
    }
    let mut stranger = admin.person("d", "officer", "00002", false)?;
    let unit = *admin.units.get("00000").context("no such unit")?;
    stranger.fill(unit, &[("III.1.1", 9)])?;
    stranger.sync(&url)?;
    let path = format!(
        "/v1/roll-ups?template={}&period={}",
        e2e::TEMPLATE,
        e2e::PERIOD
    );
    let expected = json!({
        "fingerprints": admin.get("/v1/fingerprints")?,
        "figures": admin.get(&path)?.get("figures"),
    });
    std::fs::write(
        target.join("expected.json"),
        serde_json::to_string_pretty(&expected)?,
    )?;
    running.stop()?;
    std::fs::remove_dir_all(folder.join("store").join("index"))?;
    Ok(())
}
