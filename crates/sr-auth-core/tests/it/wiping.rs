//! What is left of a secret in the memory of a process that has dropped it.
#![cfg(target_os = "linux")]

use std::fs::{File, read_to_string};
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;

use sr_auth_core::{ClientCredentials, RefreshToken, Secret, SecretBytes, Timestamp};

/// The secret, masked: it stands nowhere in the program itself.
const MASKED: [u8; 32] = *b"\x11\x3b\x34\x3b\x28\x33\x3f\x34\x6d\x1b\x1c\x62\x18\x63\x6a\x19\x6b\x1e\x68\x1f\x69\x12\x6e\x13\x6f\x10\x6c\x17\x14\x0d\x0e\x0a";
const MASK: u8 = 0x5a;
const CHUNK: usize = 1 << 16;

/// Writes the secret into a buffer with room for it, a byte at a time.
fn text(room: usize) -> String {
    let mask = black_box(MASK);
    let mut text = String::with_capacity(room);
    MASKED.iter().for_each(|byte| text.push(char::from(byte ^ mask)));
    text
}

/// Counts how often the secret stands in the memory of this process that can be written to.
fn count() -> usize {
    let mask = black_box(MASK);
    let first = MASKED[0] ^ mask;
    let memory = File::open("/proc/self/mem").expect("Linux shows a process its memory");
    let maps = read_to_string("/proc/self/maps").expect("Linux shows its regions");
    let mut chunk = vec![0; CHUNK + MASKED.len() - 1];
    let mut found = 0;
    for map in maps.lines().filter(|it| it.contains(" rw")) {
        let range = map.split(' ').next().and_then(|it| it.split_once('-'));
        let (from, to) = range.expect("a region begins with its addresses");
        let address = |it| u64::from_str_radix(it, 16).expect("in hexadecimal digits");
        let (from, to) = (address(from), address(to));
        for at in (from..to).step_by(CHUNK) {
            // A region that cannot be read, such as a guard, holds nothing of ours.
            let read = memory.read_at(&mut chunk, at).unwrap_or_default();
            let own = chunk.as_ptr() as u64;
            let own = own..own + chunk.len() as u64;
            // Each chunk reads into the next, and what begins there is counted there.
            let read = chunk.get(..read).unwrap_or_default();
            for (place, byte) in read.iter().enumerate().take(CHUNK) {
                if *byte != first || own.contains(&(at + place as u64)) {
                    continue;
                }
                let Some(window) = read.get(place..place + MASKED.len()) else { break };
                let same = window.iter().zip(MASKED).all(|(it, masked)| it ^ mask == masked);
                found += usize::from(same);
            }
        }
        chunk.fill(0);
    }
    found
}

#[test]
fn k06_a_dropped_secret_is_nowhere_in_the_memory_of_the_process() {
    let cases: [(&str, fn(String)); 5] = [
        ("a text", |text| {
            let secret = black_box(Secret::new(text));
            assert_eq!(count(), 1, "a living one is found, once");
            drop(secret);
        }),
        ("a text that was copied", |text| {
            let secret = Secret::new(text);
            let copies = black_box(vec![secret.clone(), secret.clone(), secret]);
            assert_eq!(count(), 3, "each is found");
            drop(copies);
        }),
        ("bytes", |text| drop(black_box(SecretBytes::new(text.into_bytes())))),
        ("a client", |text| {
            drop(black_box(ClientCredentials::new("82e4", Secret::new(text)).unwrap()));
        }),
        ("a refresh token", |text| {
            let now = Timestamp::from_unix_secs(1);
            drop(black_box(RefreshToken::new(Secret::new(text), now).unwrap()));
        }),
    ];
    for (name, drop_it) in cases {
        // With room to spare, a buffer is copied and wiped; without, it is taken over.
        for room in [MASKED.len(), 4 * MASKED.len()] {
            drop_it(text(room));
            assert_eq!(count(), 0, "{name}, with room for {room} bytes");
        }
    }
    let leaked = black_box(text(MASKED.len()));
    assert_eq!(count(), 1, "a text that is no secret is seen");
    drop(leaked);
}
