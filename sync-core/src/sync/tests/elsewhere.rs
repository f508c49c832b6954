//! A tablet that talks to the area's edge one day and to the province the next.

use std::collections::BTreeSet;

use super::*;
use crate::identity::PartId;

/// A second node of the province, with its catalogue and nothing reported.
pub(super) fn second(node: &Node, id: u8) -> Node {
    let mut second = Node::new();
    second.identity.node = NodeId([id; 16]);
    second.catalogue = node.catalogue.clone();
    second.keyspace = MemoryKeyspace::new();
    for (at, record) in node.records().iter().enumerate() {
        let key = keys::catalogue(at as u64 + 1);
        let value = Some(record.encode());
        second.keyspace.apply([Write { key, value }]);
    }
    second
}

pub(super) fn all(node: &Node) -> crate::log::Fingerprint {
    LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap()
}

/// Exchanges until nothing is left to do: how many parts were sent and how many entries came.
fn traffic(node: &mut Node, device: &mut Device) -> (usize, usize) {
    device.seal(NOW).unwrap();
    let (mut sent, mut came) = (0, 0);
    for _ in 0..50 {
        let request = device.request().unwrap();
        sent += request.parts.len();
        let person = node.person_of(device);
        let request = Frame::Request(Box::new(request)).encode();
        let Ok(Frame::Response(response)) = Frame::decode(&node.handle(person, &request)) else {
            panic!("no response");
        };
        came += response.entries.len();
        let fresh = InstallationId([200; 8]);
        let received = device.receive(&response, NOW, fresh).unwrap();
        if !received.again {
            assert_eq!(received.notices, []);
            return (sent, came);
        }
    }
    panic!("an exchange that never ends");
}

struct Area {
    province: Node,
    edge: Node,
    hanh: Device,
    tuan: Device,
}

/// Both tablets have met both nodes, and everybody has everything.
fn area() -> Area {
    let mut province = Node::new();
    let mut hanh = province.enrol(1, Role::Officer, 1, true);
    let mut tuan = province.enrol(2, Role::Officer, 1, true);
    let mut edge = second(&province, 2);
    for device in [&mut hanh, &mut tuan] {
        device.take_records(&province.records()).unwrap();
    }
    for round in 0..2 {
        for (device, value) in [(&mut hanh, 1), (&mut tuan, 2)] {
            let code = format!("I.{value}{round}");
            device.edit(&subject(2), &[cell(&code, value)]).unwrap();
            sync(&mut province, device);
            sync(&mut edge, device);
        }
    }
    for device in [&mut hanh, &mut tuan] {
        sync(&mut edge, device);
        sync(&mut province, device);
    }
    assert_eq!(all(&province), all(&edge));
    Area {
        province,
        edge,
        hanh,
        tuan,
    }
}

#[test]
fn a_node_met_before_is_not_read_again_and_offered_nothing_it_has() {
    let mut area = area();
    for _ in 0..3 {
        assert_eq!(traffic(&mut area.edge, &mut area.hanh), (0, 0));
        assert_eq!(traffic(&mut area.province, &mut area.hanh), (0, 0));
    }
    // One new part of its own: sent once to each.
    area.hanh.edit(&subject(2), &[cell("I.9", 9)]).unwrap();
    assert_eq!(traffic(&mut area.edge, &mut area.hanh), (1, 0));
    assert_eq!(traffic(&mut area.province, &mut area.hanh), (1, 0));
    assert_eq!(traffic(&mut area.edge, &mut area.hanh), (0, 0));
    assert_eq!(all(&area.province), all(&area.edge));
}

#[test]
fn what_a_tablet_read_at_the_edge_it_carries_to_the_province() {
    let mut area = area();
    area.tuan.edit(&subject(3), &[cell("I.7", 7)]).unwrap();
    traffic(&mut area.edge, &mut area.tuan);
    assert_eq!(traffic(&mut area.edge, &mut area.hanh), (0, 1));
    // The province has not heard of it: no mismatch, and it comes by the tablet that has it.
    assert_eq!(traffic(&mut area.province, &mut area.hanh), (1, 0));
    assert_eq!(all(&area.province), all(&area.edge));
    // Its author has nothing to send there any more.
    assert_eq!(traffic(&mut area.province, &mut area.tuan), (0, 1));
}

#[test]
fn what_came_to_the_province_by_another_road_is_not_sent_again() {
    let mut area = area();
    area.hanh.edit(&subject(3), &[cell("I.7", 7)]).unwrap();
    traffic(&mut area.edge, &mut area.hanh);
    traffic(&mut area.edge, &mut area.tuan);
    traffic(&mut area.province, &mut area.tuan);
    let (sent, _) = traffic(&mut area.province, &mut area.hanh);
    assert_eq!(sent, 0, "the colleague carried it");
}

#[test]
fn where_it_stands_with_each_node_survives_a_restart() {
    let mut area = area();
    area.hanh.edit(&subject(2), &[cell("I.9", 9)]).unwrap();
    traffic(&mut area.edge, &mut area.hanh);
    let sealer = area.hanh.sealer().clone();
    let kept = area.hanh.keyspace().clone();
    let mut hanh = Device::open(sealer, kept).unwrap().0;
    assert_eq!(traffic(&mut area.province, &mut hanh), (1, 0));
    assert_eq!(traffic(&mut area.edge, &mut hanh), (0, 0));
}

#[test]
fn more_nodes_than_are_remembered_are_met_anew_and_nothing_is_lost() {
    let mut area = area();
    let mut others: Vec<Node> = (10..16).map(|id| second(&area.province, id)).collect();
    for (at, node) in others.iter_mut().enumerate() {
        let code = format!("I.8{at}");
        area.hanh.edit(&subject(2), &[cell(&code, 8)]).unwrap();
        sync(node, &mut area.hanh);
    }
    sync(&mut area.province, &mut area.hanh);
    for node in &mut others {
        sync(node, &mut area.hanh);
        assert_eq!(all(node), all(&area.province));
    }
}

/// The edge has the first part and a file brings the second: the province could not take it alone.
#[test]
fn a_bundle_brings_what_any_known_node_may_lack() {
    use crate::bundle::{Damage, Destination};
    let mut area = area();
    area.hanh.edit(&subject(2), &[cell("I.7", 7)]).unwrap();
    sync(&mut area.edge, &mut area.hanh);
    area.hanh.edit(&subject(2), &[cell("I.8", 8)]).unwrap();
    area.hanh.seal(NOW).unwrap();
    let anyone = Destination::Anyone;
    let (written, _) = area
        .hanh
        .write_bundle(Scope::Waiting, false, anyone, NOW)
        .unwrap();
    let opened = crate::bundle::open(&written.bytes, Damage::Refuse).unwrap();
    assert_eq!(opened.contents.parts.len(), 2);
}

#[test]
fn what_the_edge_alone_has_acknowledged_is_known_until_the_province_confirms_it() {
    let mut area = area();
    let (edge, province) = (area.edge.identity.node, area.province.identity.node);
    let unconfirmed = |device: &Device| device.unconfirmed_by(province).unwrap();
    sync(&mut area.edge, &mut area.hanh);
    assert_eq!(unconfirmed(&area.hanh), Some(BTreeSet::new()));
    // What waits for every node is no node's yet.
    area.hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    area.hanh.seal(NOW).unwrap();
    let own: BTreeSet<PartId> = area.hanh.outbox().keys().copied().collect();
    assert_eq!(own.len(), 1);
    assert_eq!(unconfirmed(&area.hanh), Some(BTreeSet::new()));
    sync(&mut area.edge, &mut area.hanh);
    assert_eq!(unconfirmed(&area.hanh), Some(own.clone()));
    // A colleague's part that came through the edge: the province may lack it as well.
    area.tuan.edit(&subject(2), &[cell("I.2", 6)]).unwrap();
    sync(&mut area.edge, &mut area.tuan);
    sync(&mut area.edge, &mut area.hanh);
    assert_eq!(unconfirmed(&area.hanh).unwrap().len(), 2);
    // Once the province answers there is nothing left.
    sync(&mut area.province, &mut area.hanh);
    assert_eq!(unconfirmed(&area.hanh), Some(BTreeSet::new()));
    assert_eq!(
        area.hanh.unconfirmed_by(edge).unwrap(),
        Some(BTreeSet::new())
    );
    assert_eq!(area.hanh.unconfirmed_by(NodeId([77; 16])).unwrap(), None);
}

/// A right that is given while a tablet is away from a node, or that this node hears of later than the
/// tablet: what other nodes gave of that commune is offered there before anything is compared.
#[test]
fn what_is_followed_later_comes_along_from_elsewhere() {
    for edge_hears in [false, true] {
        let mut province = Node::new();
        let mut hanh = province.enrol(1, Role::Officer, 3, false);
        let mut tuan = province.enrol(2, Role::Officer, 2, false);
        let mut edge = second(&province, 9);
        for node in [&mut edge, &mut province] {
            tuan.edit(&subject(2), &[cell("I.1", 1)]).unwrap();
            sync(node, &mut tuan);
        }
        province.record(Body::Grant(Grant {
            grant: GrantId([77; 8]),
            person: PersonId([2; 8]),
            role: Role::Officer,
            unit: Some(UnitId([3; 8])),
            subtree: false,
            until: 0,
        }));
        hanh.edit(&subject(3), &[cell("I.1", 5)]).unwrap();
        sync(&mut province, &mut hanh);
        sync(&mut province, &mut tuan);
        let newest = province.records().pop().unwrap();
        let hears = |edge: &mut Node| {
            edge.catalogue.apply(&newest).unwrap();
            let key = keys::catalogue(edge.catalogue.last_number());
            let value = Some(newest.encode());
            edge.keyspace.apply([Write { key, value }]);
        };
        if edge_hears {
            hears(&mut edge);
        } else {
            // The tablet is back at the edge, which hears of it only then.
            exchange(&mut edge, &mut tuan, Link::Good).unwrap();
            if edge.catalogue.last_number() < province.catalogue.last_number() {
                hears(&mut edge);
            }
        }
        assert_eq!(sync(&mut edge, &mut tuan), [], "{edge_hears}");
        assert_eq!(all(&edge), all(&province), "{edge_hears}");
    }
}
