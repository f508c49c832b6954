//! The text of a section as elements, and edits of it as operations.

use automerge::iter::ListRangeItem;
use automerge::{Automerge, ObjId, ReadDoc, ScalarValueRef, ValueRef};

use crate::gate::{Action, Key, Op, OpId, Value};
use crate::identity::ActorId;

use super::root::Table;

/// One visible element of a text: one character, or what another writer put into one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) id: OpId,
    pub(super) text: String,
}

/// Automerge's name of a section's text.
pub(super) fn text_object(automerge: &Automerge, section: &str) -> Option<ObjId> {
    let (_, narrative) = automerge
        .get(automerge::ROOT, Table::Narrative.name())
        .ok()??;
    let (_, text) = automerge.get(narrative, section).ok()??;
    Some(text)
}

/// The visible elements of a text, in order.
pub(super) fn elements(automerge: &Automerge, text: &ObjId) -> Option<Vec<Element>> {
    let element = |item: ListRangeItem<'_>| {
        let ObjId::Id(counter, actor, _) = item.id() else {
            return None;
        };
        let ValueRef::Scalar(ScalarValueRef::Str(text)) = item.value else {
            return None;
        };
        let actor: [u8; 16] = actor.to_bytes().try_into().ok()?;
        Some(Element {
            id: OpId {
                counter,
                actor: ActorId(actor),
            },
            text: text.into_owned(),
        })
    };
    automerge.list_range(text, ..).map(element).collect()
}

/// A replacement in a text: characters from `position`, `delete` of them replaced by `insert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Splice<'a> {
    pub(super) position: usize,
    pub(super) delete: usize,
    pub(super) insert: &'a str,
}

/// The replacement that turns one text into another: everything between the common beginning and
/// the common end. `None` when they are equal.
pub(super) fn difference<'a>(old: &str, new: &'a str) -> Option<Splice<'a>> {
    if old == new {
        return None;
    }
    let equal = |pair: &(char, char)| pair.0 == pair.1;
    let front: String = old
        .chars()
        .zip(new.chars())
        .take_while(equal)
        .map(|(character, _)| character)
        .collect();
    let old_rest = old.strip_prefix(&front).unwrap_or(old);
    let new_rest = new.strip_prefix(&front).unwrap_or(new);
    let back: usize = old_rest
        .chars()
        .rev()
        .zip(new_rest.chars().rev())
        .take_while(equal)
        .map(|(character, _)| character.len_utf8())
        .sum();
    let until = |text: &str| text.len() - back;
    Some(Splice {
        position: front.chars().count(),
        delete: old_rest
            .get(..until(old_rest))
            .map_or(0, |middle| middle.chars().count()),
        insert: new_rest.get(..until(new_rest)).unwrap_or_default(),
    })
}

/// Applies a replacement to the elements and gives its operations, the first of which is called
/// `next`. Elements of several characters that it cuts are replaced as a whole. `None` when the text
/// is shorter than the replacement asks for.
pub(super) fn splice(
    elements: &mut Vec<Element>,
    splice: Splice<'_>,
    text: OpId,
    next: OpId,
) -> Option<Vec<Op>> {
    let end = splice.position.checked_add(splice.delete)?;
    let (first, before) = locate(elements, splice.position)?;
    let (mut last, inside) = locate(elements, end)?;
    let mut inserted = String::new();
    if before > 0 {
        inserted.extend(elements.get(first)?.text.chars().take(before));
    }
    inserted.push_str(splice.insert);
    if inside > 0 {
        inserted.extend(elements.get(last)?.text.chars().skip(inside));
        last += 1;
    }
    let mut ops: Vec<Op> = elements
        .get(first..last)?
        .iter()
        .map(|element| delete_op(text, element.id))
        .collect();
    let mut key = match first.checked_sub(1) {
        Some(index) => Key::Element(elements.get(index)?.id),
        None => Key::Head,
    };
    let mut made = Vec::new();
    for character in inserted.chars() {
        let id = OpId {
            counter: next.counter + ops.len() as u64,
            actor: next.actor,
        };
        ops.push(Op {
            object: Some(text),
            key: std::mem::replace(&mut key, Key::Element(id)),
            insert: true,
            action: Action::Put,
            value: Value::Text(character.into()),
            pred: Vec::new(),
        });
        made.push(Element {
            id,
            text: character.into(),
        });
    }
    elements.splice(first..last, made);
    Some(ops)
}

/// The element that holds the character at `position`, and how far into it; at the end the index
/// after the last element.
fn locate(elements: &[Element], position: usize) -> Option<(usize, usize)> {
    let mut left = position;
    for (index, element) in elements.iter().enumerate() {
        let length = element.text.chars().count();
        if left < length {
            return Some((index, left));
        }
        left -= length;
    }
    (left == 0).then_some((elements.len(), 0))
}

fn delete_op(text: OpId, element: OpId) -> Op {
    Op {
        object: Some(text),
        key: Key::Element(element),
        insert: false,
        action: Action::Delete,
        value: Value::Null,
        pred: vec![element],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_difference_turns_one_text_into_the_other(old in "[abế]{0,8}", new in "[abế]{0,8}") {
            let Some(splice) = difference(&old, &new) else {
                prop_assert_eq!(old, new);
                return Ok(());
            };
            let mut characters: Vec<char> = old.chars().collect();
            let end = splice.position + splice.delete;
            characters.splice(splice.position..end, splice.insert.chars());
            prop_assert_eq!(characters.into_iter().collect::<String>(), new);
        }
    }

    #[test]
    fn a_cut_element_is_replaced_as_a_whole() {
        let id = |counter| OpId {
            counter,
            actor: ActorId([1; 16]),
        };
        let element = |counter, text: &str| Element {
            id: id(counter),
            text: text.to_owned(),
        };
        let mut elements = vec![element(12, "a"), element(13, "bcd"), element(14, "e")];
        let cut = Splice {
            position: 2,
            delete: 1,
            insert: "X",
        };
        let ops = splice(&mut elements, cut, id(11), id(20)).expect("within the text");
        let text: String = elements
            .iter()
            .map(|element| element.text.as_str())
            .collect();
        assert_eq!(text, "abXde");
        assert_eq!(
            ops.iter().filter(|op| op.action == Action::Delete).count(),
            1
        );
        assert_eq!(ops.len(), 4);
        let beyond = Splice {
            position: 4,
            delete: 2,
            insert: "",
        };
        assert_eq!(splice(&mut elements, beyond, id(11), id(30)), None);
    }
}
