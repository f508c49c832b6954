//! Tablet, edge and province: whatever is cut, repeated, killed or copied back, all end with the same.

use proptest::prelude::*;

use super::elsewhere::{all, second};
use super::*;
use crate::sync::uplink::{Brought, Settled};

/// An area's edge: a node with a node above it.
pub(super) struct Edge {
    pub(super) node: Node,
    person: PersonId,
    pub(super) uplink: Uplink,
    /// How often everything was compared anew.
    began_anew: usize,
    /// How often a branch was set aside.
    pub(super) gave_way: usize,
}

/// What is done wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// Positions are written before what they tell of is durable, and the edge is killed in between.
    PlaceFirst,
    /// What was sent is thought to be there although its answer never came.
    SentIsThere,
}

/// What becomes of one exchange with the province.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    RequestLost,
    AnswerLost,
    KilledBeforeParts,
    KilledAfterParts,
}

impl Edge {
    pub(super) fn new(province: &mut Node) -> Self {
        Self::of_unit(province, 1)
    }

    /// The edge of a unit and what is below it.
    fn of_unit(province: &mut Node, unit: u8) -> Self {
        let unit = UnitId([unit; 8]);
        let key = SigningKey::from_bytes(&[33; 32]);
        let (person, public_key) = (PersonId([90; 8]), *key.verifying_key().as_bytes());
        province.record(Body::Person(Person {
            person,
            sign_in_name: "nut-1".into(),
            display_name: "Khu vực".into(),
        }));
        province.record(Body::Grant(Grant {
            grant: GrantId([90; 8]),
            person,
            role: Role::Auditor,
            unit: Some(unit),
            subtree: true,
            until: 0,
        }));
        province.record(Body::DeviceKey {
            public_key,
            person,
            unit,
            label: "nút".into(),
        });
        province.record(Body::Node(crate::catalogue::NodeRecord {
            public_key,
            unit,
            label: "nút".into(),
            address: "https://khu-vuc.example".into(),
        }));
        let mut node = second(province, 2);
        node.identity.key = key;
        let uplink = open(&node);
        Self {
            node,
            person,
            uplink,
            began_anew: 0,
            gave_way: 0,
        }
    }

    fn restart(&mut self) {
        self.node.cache.clear();
        self.uplink = open(&self.node);
    }

    /// One exchange; none if nothing came back.
    fn exchange(&mut self, province: &mut Node, fate: Fate, planted: Planted) -> Option<Settled> {
        let (keyspace, catalogue) = (&self.node.keyspace, &self.node.catalogue);
        let frame = self.uplink.packed_request(keyspace, catalogue).unwrap();
        let frame = frame.encode();
        if fate == Fate::RequestLost {
            return self.lost(planted);
        }
        let answer = province.handle(self.person, &frame);
        if fate == Fate::AnswerLost {
            return self.lost(planted);
        }
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response");
        };
        let opened = self.uplink.open_response(keyspace, catalogue, *packed);
        let Brought { records, parts, .. } = self.uplink.receive(opened.unwrap());
        for record in &records {
            if self.node.catalogue.apply(record).is_ok() {
                let key = keys::catalogue(self.node.catalogue.last_number());
                let value = Some(record.encode());
                self.node.keyspace.apply([Write { key, value }]);
            }
        }
        let before = self.node.keyspace.clone();
        if fate == Fate::KilledBeforeParts && planted != Planted::PlaceFirst {
            self.restart();
            return None;
        }
        let parts = node::verify(&self.node.catalogue, parts);
        let below = &self.node.keyspace;
        let mut acceptor =
            Acceptor::new(below, &self.node.catalogue, &mut self.node.cache, NOW).unwrap();
        let verdicts = node::accept_as(&mut acceptor, &parts, crate::log::Trust::Relayed).unwrap();
        let writes = acceptor.into_writes();
        self.node.keyspace.apply(writes);
        if fate == Fate::KilledAfterParts {
            self.restart();
            return None;
        }
        let settled = self
            .uplink
            .settle(&self.node.keyspace, &self.node.catalogue, &verdicts)
            .unwrap()
            .unwrap();
        if fate == Fate::KilledBeforeParts {
            self.node.keyspace = before;
            self.node.keyspace.apply([settled.write]);
            self.restart();
            return None;
        }
        self.began_anew += usize::from(settled.standing == Standing::Again);
        self.node.keyspace.apply([settled.write.clone()]);
        if let Some(losing) = &settled.losing {
            let aside = losing.set_aside(&self.node.keyspace).unwrap();
            self.gave_way += 1;
            let restarts = self.node.identity.restarts as u8;
            self.node.identity = self.node.identity.renewed(NodeId([100 + restarts; 16]));
            self.node.keyspace.apply([self.node.identity.write()]);
            self.node.keyspace.apply(aside.writes.iter().cloned());
            self.node.keyspace.clear_derived();
            crate::log::rebuild::rebuild(&mut self.node.keyspace).unwrap();
            self.node.cache.clear();
        }
        Some(settled)
    }

    fn lost(&mut self, planted: Planted) -> Option<Settled> {
        if planted == Planted::SentIsThere
            && let Some(write) = self.uplink.plant_sent(&self.node.keyspace)
        {
            self.node.keyspace.apply([write]);
            self.restart();
        }
        None
    }

    /// A round to its end.
    pub(super) fn round(&mut self, province: &mut Node) -> Standing {
        self.uplink.begin();
        for _ in 0..60 {
            let settled = self
                .exchange(province, Fate::Good, Planted::Nothing)
                .unwrap();
            if !settled.again {
                return settled.standing;
            }
        }
        panic!("a round that never ends: {:?}", self.uplink.place());
    }
}

fn open(node: &Node) -> Uplink {
    let key = KeyId::of(node.identity.key.verifying_key().as_bytes());
    let actor = crate::identity::ActorId::of(key, InstallationId([0; 8]));
    Uplink::open(&node.keyspace, province(), actor).unwrap()
}

pub(super) fn field() -> (Node, Edge, Vec<Device>) {
    let mut province = Node::new();
    let mut devices: Vec<Device> = (1..=3)
        .map(|id| province.enrol_new(id, Role::Officer, 1, true))
        .collect();
    let edge = Edge::new(&mut province);
    for device in &mut devices {
        device.take_records(&province.records()).unwrap();
    }
    (province, edge, devices)
}

#[test]
fn work_of_weeks_goes_up_and_what_the_province_has_comes_down() {
    let (mut province, mut edge, mut devices) = field();
    for (at, device) in devices.iter_mut().enumerate() {
        device
            .edit(&subject(2), &[cell(&format!("I.{at}"), 5)])
            .unwrap();
    }
    let [a, b, c] = &mut devices[..] else {
        panic!("three")
    };
    sync(&mut edge.node, a);
    sync(&mut edge.node, b);
    sync(&mut province, c);
    assert_eq!(edge.round(&mut province), Standing::InStep);
    assert_eq!(all(&province), all(&edge.node));
    assert_eq!(LogReader(&edge.node.keyspace).end().unwrap(), 3);
    sync(&mut province, a);
    sync(&mut edge.node, c);
    assert_eq!(values(a, 2).len(), 3);
    assert_eq!(values(c, 2).len(), 3);
}

#[test]
fn what_came_down_is_not_sent_up_and_what_was_sent_does_not_come_back() {
    let (mut province, mut edge, mut devices) = field();
    for round in 0..3 {
        devices[0]
            .edit(&subject(2), &[cell(&format!("I.{round}"), 5)])
            .unwrap();
        devices[1]
            .edit(&subject(3), &[cell(&format!("I.{round}"), 6)])
            .unwrap();
        sync(&mut province, &mut devices[0]);
        sync(&mut edge.node, &mut devices[1]);
        edge.round(&mut province);
    }
    let request = edge
        .uplink
        .request(&edge.node.keyspace, &edge.node.catalogue)
        .unwrap();
    assert_eq!(request.parts, [], "everything was sent");
    devices[1].edit(&subject(3), &[cell("I.9", 9)]).unwrap();
    sync(&mut edge.node, &mut devices[1]);
    edge.uplink.begin();
    let request = edge
        .uplink
        .request(&edge.node.keyspace, &edge.node.catalogue)
        .unwrap();
    assert_eq!(request.parts.len(), 1, "and nothing but the new part");
    let frame = Frame::Request(Box::new(request)).encode();
    let answer = province.handle(edge.person, &frame);
    let Ok(Frame::Response(response)) = Frame::decode(&answer) else {
        panic!("no response");
    };
    assert_eq!(response.entries, [], "it does not come back");
}

#[test]
fn a_part_that_the_province_holds_is_no_mismatch() {
    let (mut province, mut edge, mut devices) = field();
    devices[0].edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut edge.node, &mut devices[0]);
    // The province has ended the key; the edge has not heard of it.
    let key = KeyId::of(devices[0].sealer().key.verifying_key().as_bytes());
    province.record(Body::DeviceKeyEnded {
        key,
        accepted: Vec::new(),
    });
    assert_eq!(edge.round(&mut province), Standing::InStep);
    assert_eq!(edge.uplink.place().unwrap().differences(), 1);
    assert_eq!(edge.round(&mut province), Standing::InStep);
}

#[test]
fn a_province_copied_back_is_given_everything_again() {
    let (mut province, mut edge, mut devices) = field();
    devices[0].edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut edge.node, &mut devices[0]);
    let yesterday = province.keyspace.clone();
    assert_eq!(edge.round(&mut province), Standing::InStep);
    province.keyspace = yesterday;
    province.cache.clear();
    assert_eq!(edge.round(&mut province), Standing::InStep);
    assert_eq!(all(&province), all(&edge.node));
}

/// Nothing else would tell the edge: its position is one that the province reached again meanwhile, and
/// the unit is not among those whose fingerprint it sees. What is held no fingerprint counts.
#[test]
fn a_province_that_names_what_it_lost_of_a_chain_is_given_it_again() {
    let mut province = Node::new();
    let mut hanh = province.enrol_new(1, Role::Officer, 3, false);
    let mut tuan = province.enrol_new(2, Role::Officer, 1, true);
    let mut edge = Edge::of_unit(&mut province, 2);
    for device in [&mut hanh, &mut tuan] {
        device.take_records(&province.records()).unwrap();
    }
    let yesterday = province.keyspace.clone();
    hanh.edit(&subject(3), &[cell("I.1", 1)]).unwrap();
    hanh.edit(&subject(2), &[cell("I.1", 1)]).unwrap();
    sync(&mut edge.node, &mut hanh);
    assert_eq!(edge.round(&mut province), Standing::InStep);
    let is_held = |province: &Node| LogReader(&province.keyspace).held_end().unwrap() == 1;
    assert!(is_held(&province), "she may not write in unit 2");
    province.keyspace = yesterday;
    province.cache.clear();
    tuan.edit(&subject(3), &[cell("I.2", 2)]).unwrap();
    sync(&mut province, &mut tuan);
    hanh.edit(&subject(3), &[cell("I.3", 3)]).unwrap();
    sync(&mut edge.node, &mut hanh);
    assert_eq!(edge.round(&mut province), Standing::InStep);
    sync(&mut province, &mut tuan);
    assert_eq!(values(&mut tuan, 3).len(), 3);
    assert!(is_held(&province), "held once more");
    assert_eq!(edge.uplink.place().unwrap().differences(), 0);
}

/// The edge had not heard of the right that the province judged by.
#[test]
fn what_an_edge_held_and_the_province_accepted_is_no_mismatch_for_its_author() {
    let mut province = Node::new();
    // She may read the unit all along, so that her right to write there changes nothing else.
    let mut hanh = province.enrol_new(1, Role::Auditor, 2, false);
    let mut edge = Edge::new(&mut province);
    hanh.take_records(&province.records()).unwrap();
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    assert!(matches!(
        sync(&mut edge.node, &mut hanh)[..],
        [Notice::Held { .. }]
    ));
    province.record(Body::Grant(Grant {
        grant: GrantId([9; 8]),
        person: PersonId([1; 8]),
        role: Role::Officer,
        unit: Some(UnitId([2; 8])),
        subtree: false,
        until: 0,
    }));
    assert_eq!(edge.round(&mut province), Standing::InStep);
    assert_eq!(LogReader(&edge.node.keyspace).end().unwrap(), 1);
    assert_eq!(sync(&mut edge.node, &mut hanh), []);
    assert!(hanh.outbox().is_empty(), "{:?}", hanh.outbox());
}

#[test]
fn what_the_province_cannot_rebuild_goes_up_as_it_is() {
    let (mut province, mut edge, mut devices) = field();
    edge.round(&mut province);
    devices[0].edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut edge.node, &mut devices[0]);
    edge.uplink.begin();
    let (keyspace, catalogue) = (edge.node.keyspace.clone(), edge.node.catalogue.clone());
    let frame = edge.uplink.packed_request(&keyspace, &catalogue).unwrap();
    let Frame::PackedRequest(mut packed) = frame else {
        panic!("no packed request")
    };
    // A flipped bit stands for a province of another version, whose dictionary differs.
    let packed::Packing::Packed { bytes, .. } = &mut packed.parts else {
        panic!("parts are packed")
    };
    *bytes.last_mut().unwrap() ^= 1;
    let answer = province.handle(edge.person, &Frame::PackedRequest(packed).encode());
    assert_eq!(province.unread, 1);
    let Ok(Frame::PackedResponse(answer)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    let opened = edge.uplink.open_response(&keyspace, &catalogue, *answer);
    edge.uplink.receive(opened.unwrap());
    let settled = edge.uplink.settle(&keyspace, &catalogue, &[]).unwrap();
    let settled = settled.unwrap();
    assert!(settled.again && settled.acknowledged == 0, "{settled:?}");
    let frame = edge.uplink.packed_request(&keyspace, &catalogue).unwrap();
    let Frame::PackedRequest(packed) = &frame else {
        panic!("no packed request")
    };
    assert_eq!(packed.parts, packed::Packing::Plain);
    assert_eq!(packed.request.parts.len(), 1, "the same part once more");
    province.handle(edge.person, &frame.encode());
    assert_eq!(edge.round(&mut province), Standing::InStep);
    assert_eq!(all(&province), all(&edge.node));
}

#[derive(Debug, Clone)]
enum Step {
    Edit {
        device: usize,
        unit: u8,
        code: u8,
        value: i64,
    },
    Tablet {
        device: usize,
        edge: bool,
        link: Link,
    },
    Up {
        fate: Fate,
    },
    TabletRestart {
        device: usize,
    },
    EdgeRestart,
    EdgeBackup,
    EdgeCopiedBack,
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..3usize;
    let link = prop_oneof![
        3 => Just(Link::Good), 1 => Just(Link::RequestLost), 1 => Just(Link::AnswerLost)
    ];
    let fate = prop_oneof![
        4 => Just(Fate::Good), 1 => Just(Fate::RequestLost), 1 => Just(Fate::AnswerLost),
        1 => Just(Fate::KilledBeforeParts), 1 => Just(Fate::KilledAfterParts),
    ];
    prop_oneof![
        6 => (device.clone(), 2..=3u8, 0..4u8, 0..50i64)
            .prop_map(|(device, unit, code, value)| Step::Edit { device, unit, code, value }),
        6 => (device.clone(), any::<bool>(), link)
            .prop_map(|(device, edge, link)| Step::Tablet { device, edge, link }),
        6 => fate.prop_map(|fate| Step::Up { fate }),
        1 => device.prop_map(|device| Step::TabletRestart { device }),
        1 => Just(Step::EdgeRestart),
        1 => Just(Step::EdgeBackup),
        1 => Just(Step::EdgeCopiedBack),
    ]
}

fn play(steps: Vec<Step>, planted: Planted) -> Result<(), String> {
    let (mut province, mut edge, mut devices) = field();
    let (mut backup, mut copied_back) = (None, false);
    for step in steps {
        match step {
            Step::Edit {
                device,
                unit,
                code,
                value,
            } => {
                let code = format!("I.{code}");
                devices[device]
                    .edit(&subject(unit), &[cell(&code, value)])
                    .unwrap();
                devices[device].seal(NOW).unwrap();
            }
            Step::Tablet {
                device,
                edge: at_edge,
                link,
            } => {
                let node = match at_edge {
                    true => &mut edge.node,
                    false => &mut province,
                };
                exchange(node, &mut devices[device], link);
            }
            Step::Up { fate } => {
                edge.uplink.begin();
                edge.exchange(&mut province, fate, planted);
            }
            Step::TabletRestart { device } => {
                let sealer = devices[device].sealer().clone();
                let truth = devices[device].keyspace().clone();
                devices[device] = Device::open(sealer, truth).unwrap().0;
            }
            Step::EdgeRestart => edge.restart(),
            Step::EdgeBackup => backup = Some(edge.node.keyspace.clone()),
            Step::EdgeCopiedBack => {
                if let Some(older) = &backup {
                    edge.node.keyspace = older.clone();
                    copied_back = true;
                    edge.restart();
                }
            }
        }
    }
    // The tablets bring what a copied-back edge lost, the edge takes it up, and everybody reads.
    for _ in 0..3 {
        for device in &mut devices {
            sync(&mut edge.node, device);
        }
        edge.round(&mut province);
    }
    for device in &mut devices {
        sync(&mut edge.node, device);
    }
    let standing = edge.round(&mut province);
    if standing != Standing::InStep {
        return Err(format!("{standing:?}"));
    }
    if edge.began_anew > 0 && !copied_back {
        return Err("a position was wrong: everything was compared anew".to_owned());
    }
    let prints: Vec<_> = devices
        .iter()
        .map(|device| device.log().fingerprint(&Follow::All).unwrap())
        .chain([all(&province), all(&edge.node)])
        .collect();
    match prints.iter().all(|print| *print == prints[0]) {
        true => Ok(()),
        false => Err(format!("{prints:?}")),
    }
}

/// A wrong position is repaired in the end; that it was wrong does not go unnoticed.
#[test]
fn positions_written_too_early_and_answers_that_never_came_are_caught() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let days = proptest::collection::vec(step(), 20..50);
    for planted in [Planted::PlaceFirst, Planted::SentIsThere] {
        let mut runner = TestRunner::deterministic();
        let caught = (0..40).any(|_| {
            let day = days.new_tree(&mut runner).unwrap().current();
            play(day, planted).is_err()
        });
        assert!(caught, "{planted:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_day_of_an_area_ends_with_the_same_everywhere(
        steps in proptest::collection::vec(step(), 1..50),
    ) {
        prop_assert_eq!(play(steps, Planted::Nothing), Ok(()));
    }
}
