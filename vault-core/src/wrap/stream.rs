//! Age files that do not fit in memory: written and read a chunk at a time.
//!
//! The payload is age's own STREAM: 64 KiB chunks under a counter, the last one marked, so that a file cut anywhere is
//! refused; a reader gets no byte of a chunk that does not authenticate.

use std::cell::RefCell;
use std::io;
use std::io::BufRead;
use std::io::Read;
use std::io::Write;

use rand_core::CryptoRng;

use super::CHUNK;
use super::NONCE;
use super::TAG;
use super::WrapError;
use super::header::Header;
use super::header::MAX_HEADER;
use super::hybrid::Encapsulator;
use super::hybrid::HybridIdentity;
use super::hybrid::HybridRecipient;
use super::refusal;

/// A file that is being sealed.
pub struct Sealing<W: Write>(age::stream::StreamWriter<W>);

impl<W: Write> Sealing<W> {
    /// Ends the file; without this it is cut short, and nobody opens it.
    ///
    /// # Errors
    /// What writing gives.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Begins a binary age file that any of `recipients` opens, on `out`.
///
/// # Errors
/// [`WrapError::NoRecipient`] for an empty slice; [`WrapError::Seal`], also where `out` fails.
pub fn seal_stream<R, W>(recipients: &[&HybridRecipient], out: W, rng: &mut R) -> Result<Sealing<W>, WrapError>
where
    R: CryptoRng + ?Sized,
    W: Write,
{
    let rng = RefCell::new(rng);
    let encapsulators: Vec<_> = recipients.iter().map(|to| Encapsulator::new(to, &rng)).collect();
    let encryptor = age::Encryptor::with_recipients(encapsulators.iter().map(|one| one as _));
    let encryptor = encryptor.map_err(|error| match error {
        age::EncryptError::MissingRecipients => WrapError::NoRecipient,
        _ => WrapError::Seal,
    })?;
    encryptor.wrap_output(out).map(Sealing).map_err(|_| WrapError::Seal)
}

/// A file that is being opened.
pub struct Opened<R: Read>(age::stream::StreamReader<R>);

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

/// What an opened file is read from: its header again, and then the rest.
pub type Whole<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// Begins to open a file that [`seal_stream`] made, with whichever of `identities` fits; returns the bytes of its header
/// too.
///
/// As strict as [`open`](super::open): the header is read first, within its limits.
///
/// # Errors
/// [`WrapError::Header`] (also where `from` ends within the header), [`WrapError::Hmac`], [`WrapError::Mixed`],
/// [`WrapError::NoMatch`], [`WrapError::SmallOrderShare`] or [`WrapError::TooLarge`].
pub fn open_stream<R: BufRead>(
    identities: &[&HybridIdentity],
    mut from: R,
) -> Result<(Opened<Whole<R>>, u64), WrapError> {
    let mut header = Vec::with_capacity(4096);
    loop {
        // One line at a time; a line that never ends stops at the limit.
        let room = u64::try_from(MAX_HEADER - header.len()).unwrap_or(0);
        let start = header.len();
        let read = (&mut from).take(room).read_until(b'\n', &mut header);
        if read.map_err(|_| WrapError::Header)? == 0 || header.last() != Some(&b'\n') {
            return Err(WrapError::Header);
        }
        if header.get(start..).is_some_and(|line| line.starts_with(b"--- ")) {
            break;
        }
    }
    let read = Header::read(&header)?;
    if read.has_classical_stanza() {
        return Err(WrapError::Mixed);
    }
    let length = u64::try_from(read.length()).unwrap_or(u64::MAX);
    let whole = io::Cursor::new(header).chain(from);
    let decryptor = age::Decryptor::new_buffered(whole).map_err(refusal)?;
    let identities = identities.iter().map(|one| *one as &dyn age::Identity);
    let reader = decryptor.decrypt(identities).map_err(refusal)?;
    Ok((Opened(reader), length))
}

/// Computes the bytes that `plain` bytes become after the header: nonce, chunks, tags.
pub fn sealed_size(plain: u64) -> u64 {
    let (chunk, tag, nonce) = (CHUNK as u64, TAG as u64, NONCE as u64);
    let chunks = plain.div_ceil(chunk).max(1);
    plain.saturating_add(chunks.saturating_mul(tag)).saturating_add(nonce)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn rng() -> impl CryptoRng {
        rand_core::UnwrapErr(getrandom::SysRng)
    }

    fn sealed(to: &HybridRecipient, plain: &[u8]) -> Vec<u8> {
        let mut writer = seal_stream(&[to], Vec::new(), &mut rng()).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    }

    fn opened(identity: &HybridIdentity, file: &[u8]) -> Option<Vec<u8>> {
        let (mut reader, _) = open_stream(&[identity], file).ok()?;
        let mut plain = Vec::new();
        reader.read_to_end(&mut plain).ok()?;
        Some(plain)
    }

    #[test]
    fn a_stream_is_the_same_file_that_is_sealed_whole() {
        let identity = HybridIdentity::generate(&mut rng());
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let plain: Vec<u8> = (0..size).map(|i| i as u8).collect();
            let file = sealed(&identity.recipient(), &plain);
            assert_eq!(*super::super::open(&[&identity], &file, size).unwrap(), plain);
            assert_eq!(opened(&identity, &file).unwrap(), plain);
            let (_, header) = open_stream(&[&identity], file.as_slice()).unwrap();
            assert_eq!(file.len() as u64, header + sealed_size(size as u64));
        }
    }

    #[test]
    fn a_stream_that_is_cut_or_goes_on_is_refused() {
        let identity = HybridIdentity::generate(&mut rng());
        let plain = vec![7; 2 * CHUNK];
        let file = sealed(&identity.recipient(), &plain);
        let (_, header) = open_stream(&[&identity], file.as_slice()).unwrap();
        let header = header as usize;
        let edges = [
            0,
            5,
            header - 1,
            header,
            header + NONCE,
            header + NONCE + CHUNK + TAG,
            file.len() - 1,
        ];
        for cut in edges {
            assert_eq!(opened(&identity, &file[..cut]), None, "{cut}");
        }
        let mut longer = file.clone();
        longer.push(0);
        assert_eq!(opened(&identity, &longer), None);
        let stranger = HybridIdentity::generate(&mut rng());
        let refused = open_stream(&[&stranger], file.as_slice()).map(|_| ()).unwrap_err();
        assert_eq!(refused, WrapError::NoMatch);
    }
}
