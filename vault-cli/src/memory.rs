//! Memory of secrets: what is freed is wiped, what holds keys is locked, what is large stays out of core dumps.
//!
//! ```text
//! allocation ─┬─ while keys are made (`with_keys`) ──> the locked pool: never swapped out, not dumped
//!             ├─ 256 KiB and more ──────────────────> pages of its own, not dumped, unmapped when freed
//!             └─ other ─────────────────────────────> the system's allocator
//! freed: the pool's blocks, and in the agent all of it, overwritten with zeros before anybody else has it
//! ```
//!
//! The agent goes on after it has answered, and what it read must not stay behind. A command ends with its answer, and
//! the system clears its pages; wiping all that it frees would cost a search a sixth of its time. Keys and opened texts
//! are wiped by their own types in either.
//!
//! Texts are not locked: a system lets a user lock 8 MiB as a rule, which is for keys. Texts that are kept are kept in
//! large pieces ([`crate::session`]'s search), so that they stay out of core dumps.
//!
//! # Security
//! What a function leaves on its stack no allocator can wipe: [`scrub_stack`] overwrites it, when a thread has answered or
//! helped, and when the agent locks. Registers stay. An agent ends when it locks, and the system gives its pages to nobody before it
//! has cleared them.

#![allow(
    unsafe_code,
    reason = "an allocator, and the locking of pages, cannot be written without; nothing else in the program is unsafe"
)]

use rustix::mm::Advice;
use rustix::mm::MapFlags;
use rustix::mm::MremapFlags;
use rustix::mm::ProtFlags;
use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// From this size on an allocation has pages of its own.
const LARGE: usize = 256 * 1024;
/// Bytes of the locked pool: half of what a user may lock as a rule.
const POOL: usize = 4 << 20;
/// Smallest block of the pool; blocks are powers of two from here on.
const SMALLEST: usize = 32;
/// How many sizes of blocks there are: up to 64 KiB.
const SIZES: usize = 12;
/// Alignment that every allocation of our own has.
const ALIGN: usize = 32;
/// Bytes of stack that are overwritten: deeper than what opens a record or an age file goes.
const SCRUBBED: usize = 256 * 1024;
/// A page: what large allocations are rounded up to.
const PAGE: usize = 4096;

thread_local! {
    static KEYS: Cell<bool> = const { Cell::new(false) };
}

/// Does `f`; what this thread allocates meanwhile, keys among it, is in locked memory as far as there is room.
pub fn with_keys<T>(f: impl FnOnce() -> T) -> T {
    /// Goes back to what was, also where `f` panics.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            KEYS.set(self.0);
        }
    }
    let _before = Before(KEYS.replace(true));
    f()
}

/// The allocator of the binary.
#[derive(Debug)]
pub struct Wiping;

/// The locked pool: blocks of powers of two, each freed one in the list of its size.
struct Pool {
    /// Where blocks were not given out yet.
    next: usize,
    end: usize,
    free: [usize; SIZES],
}

static POOL_AT: AtomicUsize = AtomicUsize::new(0);
static LOCKED: Mutex<Pool> = Mutex::new(Pool {
    next: 0,
    end: 0,
    free: [0; SIZES],
});

/// Which list a block of this layout is in; none for what the pool does not hold.
fn size_class(layout: Layout) -> Option<usize> {
    if layout.align() > ALIGN {
        return None;
    }
    let size = layout.size().max(SMALLEST).next_power_of_two();
    let class = (size / SMALLEST).trailing_zeros() as usize;
    (class < SIZES).then_some(class)
}

fn pool() -> MutexGuard<'static, Pool> {
    LOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_pooled(at: *mut u8) -> bool {
    let start = POOL_AT.load(Ordering::Acquire);
    start != 0 && (start..start + POOL).contains(&at.addr())
}

impl Pool {
    fn take(&mut self, class: usize) -> Option<*mut u8> {
        if self.end == 0 {
            self.begin()?;
        }
        let first = self.free.get_mut(class)?;
        if *first != 0 {
            let block = std::ptr::with_exposed_provenance_mut::<u8>(*first);
            // SAFETY: a freed block of the pool, at least 32 bytes long and aligned for a word, whose first word is the
            // next freed block or 0; the lock is held.
            unsafe {
                *first = block.cast::<usize>().read();
                block.cast::<usize>().write(0);
            }
            return Some(block);
        }
        let size = SMALLEST << class;
        let after = self.next.checked_add(size).filter(|after| *after <= self.end)?;
        let block = std::ptr::with_exposed_provenance_mut(self.next);
        self.next = after;
        Some(block)
    }

    fn give_back(&mut self, block: *mut u8, class: usize) {
        let Some(first) = self.free.get_mut(class) else { return };
        // SAFETY: `block` was given out by `take` for this class, is freed by its owner and wiped; the lock is held.
        unsafe { block.cast::<usize>().write(*first) };
        *first = block.expose_provenance();
    }

    /// Maps the pool, locks it, and keeps it out of core dumps.
    fn begin(&mut self) -> Option<()> {
        let at = map(POOL)?;
        // SAFETY: the mapping just made. Where the system locks less, the keys are where they would be without.
        let locked = unsafe { rustix::mm::mlock(at.cast(), POOL) };
        if locked.is_err() {
            // SAFETY: as above.
            let _ = unsafe { rustix::mm::mlock(at.cast(), POOL / 8) };
        }
        let start = at.expose_provenance();
        (self.next, self.end) = (start, start + POOL);
        POOL_AT.store(start, Ordering::Release);
        Some(())
    }
}

/// Maps pages that are in no core dump.
fn map(bytes: usize) -> Option<*mut u8> {
    // SAFETY: an anonymous mapping at a place that the system chooses touches nothing that is there.
    let at =
        unsafe { rustix::mm::mmap_anonymous(null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) };
    let at = at.ok()?;
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the mapping just made; a system that does not know the advice refuses it.
        let _ = unsafe { rustix::mm::madvise(at, bytes, Advice::LinuxDontDump) };
    }
    Some(at.cast())
}

const fn pages(bytes: usize) -> usize {
    bytes.saturating_add(PAGE - 1) & !(PAGE - 1)
}

const fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= PAGE
}

/// Overwrites bytes, in a way that no compiler leaves out.
///
/// # Safety
/// `at` points to `bytes` bytes that nobody uses.
unsafe fn wipe(at: *mut u8, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { at.write_bytes(0, bytes) };
    // What follows could read them, for all that the compiler knows.
    std::hint::black_box(at);
}

// SAFETY: every block is either the system allocator's own, a mapping of whole pages, or a block of the pool, and goes
// back to where it came from: large ones by their layout, the pool's by their place. Nothing here allocates or panics.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout) {
            return map(pages(layout.size())).unwrap_or(null_mut());
        }
        if KEYS.try_with(Cell::get).unwrap_or(false)
            && let Some(class) = size_class(layout)
            && let Some(block) = pool().take(class)
        {
            return block;
        }
        // SAFETY: the caller's promise of a layout that is not of size 0.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above; new pages are zeros, and so is a block of the pool, new or wiped.
        unsafe {
            if is_large(layout) || KEYS.try_with(Cell::get).unwrap_or(false) {
                let block = self.alloc(layout);
                if !block.is_null() && !is_large(layout) {
                    block.write_bytes(0, layout.size());
                }
                return block;
            }
            System.alloc_zeroed(layout)
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if is_large(layout) {
            // SAFETY: a mapping of ours of this size; the system clears its pages before anybody has them.
            let _ = unsafe { rustix::mm::munmap(at.cast(), pages(layout.size())) };
            return;
        }
        // SAFETY: the caller gives up a block of this layout.
        unsafe {
            let pooled = is_pooled(at);
            if pooled || WIPES.load(Ordering::Relaxed) {
                wipe(at, layout.size());
            }
            if pooled {
                if let Some(class) = size_class(layout) {
                    pool().give_back(at, class);
                }
                return;
            }
            System.dealloc(at, layout);
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise that `size` with this alignment is a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if is_large(layout) && is_large(wanted) {
            let (old, new) = (pages(layout.size()), pages(size));
            if old == new {
                return at;
            }
            // SAFETY: a mapping of ours; it moves as a whole, and what is cut off is unmapped. Advice goes with it.
            let moved = unsafe { rustix::mm::mremap(at.cast(), old, new, MremapFlags::MAYMOVE) };
            return moved.map_or(null_mut(), <*mut _>::cast);
        }
        let is_ours = is_large(layout) || is_large(wanted) || is_pooled(at);
        if !is_ours && !WIPES.load(Ordering::Relaxed) && !KEYS.try_with(Cell::get).unwrap_or(false) {
            // SAFETY: the system allocator's own block, and the caller's promise of a size that is not 0.
            return unsafe { System.realloc(at, layout, size) };
        }
        // SAFETY: as `alloc` and `dealloc`; both blocks are at least as long as what is copied.
        unsafe {
            let block = self.alloc(wanted);
            if !block.is_null() {
                block.copy_from_nonoverlapping(at, layout.size().min(size));
                self.dealloc(at, layout);
            }
            block
        }
    }
}

/// Closes what this process was given beside its standard streams: a shell's descriptors are not the agent's.
pub fn close_inherited() {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers: Vec<i32> = open
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // SAFETY: called before the process has opened anything of its own; the folder that was read is closed, and a
        // number that is closed already is refused.
        let flags = unsafe { rustix::fd::BorrowedFd::borrow_raw(number) };
        if rustix::io::fcntl_getfd(flags).is_ok() {
            // SAFETY: nobody in this process owns it.
            unsafe { rustix::io::close(number) };
        }
    }
}

/// Gives the pages that much work left unused back to the system, where its allocator would keep them.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: changes nothing that is in use, and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Overwrites what functions that have returned left on this thread's stack: copies of keys, among other things.
#[inline(never)]
pub fn scrub_stack() {
    let mut below = [0u8; SCRUBBED];
    std::hint::black_box(&mut below);
}

/// Does `f`, then overwrites what it left on this thread's stack: for a thread that ends with it, whose stack the next
/// thread is given as it is.
pub fn scrubbed<T>(f: impl FnOnce() -> T) -> T {
    // A frame of its own, or what `f` keeps would lie above what is overwritten.
    #[inline(never)]
    fn apart<T>(f: impl FnOnce() -> T) -> T {
        f()
    }
    let done = apart(f);
    scrub_stack();
    done
}

/// The variable that names a socket on which a test waits for an agent that has wiped its memory. Of a test build alone:
/// a release knows neither this nor [`TEST_UNWIPED`].
pub const TEST_MEMORY: &str = "CASEVAULT_TEST_MEMORY";
/// The variable with which a test build leaves what is freed as it was, to see that a test would notice.
pub const TEST_UNWIPED: &str = "CASEVAULT_TEST_UNWIPED";

static WIPES: AtomicBool = AtomicBool::new(false);

/// Wipes what is freed from here on; a test of a test build may ask for the contrary.
pub fn wipe_what_is_freed() {
    let unwiped = cfg!(debug_assertions) && std::env::var_os(TEST_UNWIPED).is_some();
    WIPES.store(!unwiped, Ordering::Relaxed);
}

/// Tells whether a test is to look at this process; never in a release.
pub fn is_looked_at() -> bool {
    cfg!(debug_assertions) && std::env::var_os(TEST_MEMORY).is_some()
}

/// All is wiped: where a test is to look, waits until it has.
pub fn wiped() {
    #[cfg(debug_assertions)]
    if let Some(at) = std::env::var_os(TEST_MEMORY)
        && let Ok(mut test) = std::os::unix::net::UnixStream::connect(at)
    {
        let _ = std::io::Read::read(&mut test, &mut [0]);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    /// Plants bytes on the stack; returns where.
    fn plant() -> usize {
        // Deep enough that looking at its end does not overwrite it.
        let mut planted = [0_u8; 16 * 1024];
        planted.fill(std::hint::black_box(0x5c));
        std::hint::black_box(&planted).as_ptr().expose_provenance()
    }

    fn planted_at(at: usize) -> usize {
        let at = std::ptr::with_exposed_provenance::<u8>(at);
        // SAFETY: of this thread's own stack, which is mapped; whatever is there now is bytes.
        let is_planted = |n| unsafe { at.add(n).read_volatile() } == 0x5c;
        (0..64).filter(|n| is_planted(*n)).count()
    }

    #[test]
    fn what_a_thread_leaves_on_its_stack_is_overwritten() {
        let left = |scrubs: bool| {
            std::thread::spawn(move || {
                let at = if scrubs {
                    scrubbed(plant)
                } else {
                    std::hint::black_box(plant)()
                };
                planted_at(at)
            })
        };
        // Without it the bytes are there.
        assert_eq!(left(false).join().unwrap(), 64);
        assert_eq!(left(true).join().unwrap(), 0);
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn a_freed_block_is_wiped_and_used_again() {
        let class = size_class(layout(40)).unwrap();
        let mut pool = pool();
        let first = pool.take(class).unwrap();
        // SAFETY: a block of 64 bytes that is this test's.
        unsafe { first.write_bytes(7, 64) };
        unsafe { wipe(first, 64) };
        pool.give_back(first, class);
        let second = pool.take(class).unwrap();
        assert_eq!(first, second);
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts(second, 64) };
        assert_eq!(bytes, [0; 64]);
        pool.give_back(second, class);
        assert!(is_pooled(first));
    }

    #[test]
    fn sizes_go_up_by_two_and_what_is_large_is_not_pooled() {
        assert_eq!(size_class(layout(1)), Some(0));
        assert_eq!(size_class(layout(32)), Some(0));
        assert_eq!(size_class(layout(33)), Some(1));
        assert_eq!(size_class(layout(64 * 1024)), Some(11));
        assert_eq!(size_class(layout(64 * 1024 + 1)), None);
        assert_eq!(size_class(Layout::from_size_align(64, 64).unwrap()), None);
        assert!(is_large(layout(LARGE)) && !is_large(layout(LARGE - 1)));
    }

    #[test]
    fn blocks_of_every_kind_keep_what_is_in_them_when_they_grow_and_shrink() {
        for keys in [false, true] {
            let work = || {
                let mut size = 16;
                // SAFETY: each block is used within its size, and given back with the layout that it has.
                unsafe {
                    let mut at = Wiping.alloc(layout(size));
                    at.write_bytes(5, size);
                    for next in [100, 3000, 70_000, LARGE, 3 * LARGE, LARGE + 1, 500, 8] {
                        at = Wiping.realloc(at, layout(size), next);
                        assert!(!at.is_null());
                        let kept = std::slice::from_raw_parts(at, size.min(next));
                        assert!(kept.iter().all(|b| *b == 5), "{size} -> {next}");
                        size = next;
                        at.write_bytes(5, size);
                    }
                    Wiping.dealloc(at, layout(size));
                    let zeros = Wiping.alloc_zeroed(layout(100));
                    assert_eq!(std::slice::from_raw_parts(zeros, 100), [0; 100]);
                    Wiping.dealloc(zeros, layout(100));
                }
            };
            if keys { with_keys(work) } else { work() }
        }
    }
}
