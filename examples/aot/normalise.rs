//! Normalises images that it reads as floats from stdin, 64 each, and writes them to stdout.
//!
//!     gngen build layers.toml -o dist --no-openmp
//!     rustc -O -L dist/lib/x86_64 -l static=gn -l m normalise.rs

use std::ffi::{c_char, c_int, c_void, CStr};
use std::io::{self, Read, Write};
use std::ptr;

const PIXELS: usize = 64;
const CHANNELS: usize = 8;

#[repr(C)]
struct Args {
    x: *const c_void,
    residual: *const c_void,
    mask: *const c_void,
    gamma: *const c_void,
    beta: *const c_void,
    scale: *const c_void,
    shift: *const c_void,
    y: *mut c_void,
    sum: *mut c_void,
    mean: *mut c_void,
    rstd: *mut c_void,
    workspace: *mut c_void,
    workspace_size: usize,
    batch: i64,
    threads: i64,
}

#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; 64]);

extern "C" {
    fn gn_digits(args: *const Args) -> c_int;
    fn gn_digits_workspace(batch: i64) -> usize;
    fn gn_message(code: c_int) -> *const c_char;
}

fn main() -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    let x: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if x.len() % PIXELS != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} numbers are no whole images of {PIXELS}", x.len())));
    }
    let (gamma, beta, mut y) = ([1f32; CHANNELS], [0f32; CHANNELS], vec![0f32; x.len()]);
    let batch = (x.len() / PIXELS) as i64;
    let mut workspace = vec![Line([0; 64]); unsafe { gn_digits_workspace(batch) } / 64 + 1];
    let args = Args {
        x: x.as_ptr().cast(),
        residual: ptr::null(),
        mask: ptr::null(),
        gamma: gamma.as_ptr().cast(),
        beta: beta.as_ptr().cast(),
        scale: ptr::null(),
        shift: ptr::null(),
        y: y.as_mut_ptr().cast(),
        sum: ptr::null_mut(),
        mean: ptr::null_mut(),
        rstd: ptr::null_mut(),
        workspace: workspace.as_mut_ptr().cast(),
        workspace_size: workspace.len() * 64,
        batch,
        threads: 0,
    };
    // The arrays are as long as gn.h says, and outlive the call.
    let code = unsafe { gn_digits(&args) };
    if code != 0 {
        let words = unsafe { CStr::from_ptr(gn_message(code)) };
        return Err(io::Error::new(io::ErrorKind::Other, words.to_string_lossy().into_owned()));
    }
    let out: Vec<u8> = y.iter().flat_map(|v| v.to_le_bytes()).collect();
    io::stdout().write_all(&out)
}
