//! A progress bar on standard error.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use crate::session::{Progress, Unit};

/// Shows one stage after another, and leaves nothing behind.
#[derive(Debug, Default)]
pub struct Bar(Mutex<Option<ProgressBar>>);

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A poisoned lock means that a thread died while drawing; the bar is still a bar.
        act(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn start(&self, what: &str, total: Option<u64>, unit: Unit) {
        let form = match (total, unit) {
            (Some(_), Unit::Bytes) => "{msg} {bar:24} {bytes}/{total_bytes}, {eta} left",
            (Some(_), Unit::Items) => "{msg} {bar:24} {human_pos}/{human_len}, {eta} left",
            (None, Unit::Bytes) => "{msg} {spinner} {bytes}",
            (None, Unit::Items) => "{msg} {spinner} {human_pos}",
        };
        let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        bar.set_style(style);
        bar.set_message(what.to_owned());
        self.with(|shown| {
            if let Some(before) = shown.replace(bar) {
                before.finish_and_clear();
            }
        });
    }

    fn advance(&self, n: u64) {
        self.with(|shown| {
            if let Some(bar) = shown {
                bar.inc(n);
            }
        });
    }

    fn finish(&self) {
        self.with(|shown| {
            if let Some(bar) = shown.take() {
                bar.finish_and_clear();
            }
        });
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}
