//! Lists in pages: a limit, and a cursor that names the last item of the page before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

/// What a reader asks of a list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(crate) struct PageQuery {
    /// The cursor of the page before.
    pub(crate) after: Option<String>,
    /// Items wanted.
    pub(crate) limit: Option<usize>,
}

impl PageQuery {
    /// Items given.
    pub(crate) fn limit(&self) -> usize {
        self.limit
            .unwrap_or(limits::PAGE_ITEMS_DEFAULT)
            .clamp(1, limits::PAGE_ITEMS_MAX)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Page<T> {
    /// The items, in the order of the list.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page, or nothing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// Takes a page out of items that already start after the cursor.
    pub(crate) fn take(
        items: impl Iterator<Item = T>,
        limit: usize,
        cursor: impl Fn(&T) -> String,
    ) -> Self {
        let mut items: Vec<T> = items.take(limit.saturating_add(1)).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_a_list_once_and_end() {
        for length in [0, 1, 2, 3, 4, 7] {
            let mut seen = Vec::new();
            let mut after = 0;
            loop {
                let page = Page::take((after + 1)..=length, 2, |item: &i32| item.to_string());
                seen.extend(page.items);
                match page.next {
                    Some(cursor) => after = cursor.parse().unwrap(),
                    None => break,
                }
            }
            assert_eq!(seen, (1..=length).collect::<Vec<_>>());
        }
    }
}
