//! A list that grows by pages: nothing moves, and no more than a page is empty.

/// A list of any length.
#[derive(Clone, Debug)]
pub(super) struct Pages<T>(Vec<Vec<T>>);

impl<T> Pages<T> {
    /// How many values a page has.
    const PAGE: usize = 256;

    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        // All pages but the last are full.
        self.0.last().map_or(0, |last| (self.0.len() - 1) * Self::PAGE + last.len())
    }

    pub(super) fn push(&mut self, value: T) {
        match self.0.last_mut().filter(|page| page.len() < Self::PAGE) {
            Some(page) => page.push(value),
            None => {
                let mut page = Vec::with_capacity(Self::PAGE);
                page.push(value);
                self.0.push(page);
            }
        }
    }

    pub(super) fn at(&self, index: usize) -> Option<&T> {
        self.0.get(index / Self::PAGE)?.get(index % Self::PAGE)
    }

    pub(super) fn at_mut(&mut self, index: usize) -> Option<&mut T> {
        self.0.get_mut(index / Self::PAGE)?.get_mut(index % Self::PAGE)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_where_they_were_put() {
        let mut pages = Pages::new();
        assert_eq!((pages.len(), pages.at(0)), (0, None));
        for value in 0..1_000 {
            pages.push(value);
            assert_eq!(pages.len(), value + 1);
        }
        assert_eq!(
            [0, 255, 256, 999, 1_000].map(|it| pages.at(it).copied()),
            [Some(0), Some(255), Some(256), Some(999), None]
        );
        *pages.at_mut(256).expect("there") = 7;
        assert_eq!(pages.iter().copied().nth(256), Some(7));
        assert_eq!(pages.iter().count(), 1_000);
    }
}
