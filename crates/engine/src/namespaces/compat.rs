//! What programs of another kind than this machine's own may ask of the kernel: on x86-64, 32-bit
//! ones, whose calls have other numbers, and those of x32, which have the same and a mark.

use seccompiler::{BpfProgram, sock_filter};

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const AT_LEAST: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
const JUMP: u32 = libc::BPF_JMP | libc::BPF_JA;
const END: u32 = libc::BPF_RET | libc::BPF_K;

/// Where a filter finds the number of a call, its architecture and its first argument: `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST: u32 = 16;

/// `AUDIT_ARCH_…` of the header `linux/audit.h`.
const I386: u32 = 0x4000_0003;
const X86_64: u32 = 0xc000_003e;
/// The mark of x32: `__X32_SYSCALL_BIT`.
const X32: u32 = 0x4000_0000;

/// By the header `asm/unistd_32.h`.
const CLONE: u32 = 120;
const CLONE3: u32 = 435;
const SOCKET: u32 = 359;
const SOCKETCALL: u32 = 102;
/// The first argument of `socketcall` when it is to make a socket: `linux/net.h`.
const MAKE_SOCKET: u32 = 1;

/// What is denied to this machine's own programs, by its numbers for 32-bit ones, and what only those have.
const DENIED: [(u32, &str); 56] = [
    (21, "mount"),
    (22, "umount"),
    (25, "stime"),
    (51, "acct"),
    (52, "umount2"),
    (62, "ustat"),
    (74, "sethostname"),
    (79, "settimeofday"),
    (86, "uselib"),
    (87, "swapon"),
    (88, "reboot"),
    (101, "ioperm"),
    (103, "syslog"),
    (110, "iopl"),
    (111, "vhangup"),
    (113, "vm86old"),
    (115, "swapoff"),
    (121, "setdomainname"),
    (127, "create_module"),
    (128, "init_module"),
    (129, "delete_module"),
    (130, "get_kernel_syms"),
    (131, "quotactl"),
    (135, "sysfs"),
    (149, "_sysctl"),
    (166, "vm86"),
    (167, "query_module"),
    (169, "nfsservctl"),
    (217, "pivot_root"),
    (253, "lookup_dcookie"),
    (264, "clock_settime"),
    (283, "kexec_load"),
    (286, "add_key"),
    (287, "request_key"),
    (288, "keyctl"),
    (310, "unshare"),
    (336, "perf_event_open"),
    (338, "fanotify_init"),
    (342, "open_by_handle_at"),
    (346, "setns"),
    (348, "process_vm_writev"),
    (350, "finit_module"),
    (357, "bpf"),
    (374, "userfaultfd"),
    (404, "clock_settime64"),
    (425, "io_uring_setup"),
    (426, "io_uring_enter"),
    (427, "io_uring_register"),
    (428, "open_tree"),
    (429, "move_mount"),
    (430, "fsopen"),
    (431, "fsconfig"),
    (432, "fsmount"),
    (433, "fspick"),
    (442, "mount_setattr"),
    (443, "quotactl_fd"),
];

/// The filter of those programs; to this machine's own it says nothing.
pub fn filter(namespaces: u32, network: bool) -> BpfProgram {
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned();
    let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    let mut of_32_bits = vec![step(LOAD, NUMBER)];
    for (number, _) in DENIED {
        of_32_bits.extend([branch(EQUAL, number, 0, 1), step(END, refused)]);
    }
    of_32_bits.extend([branch(EQUAL, CLONE3, 0, 1), step(END, unknown)]);
    let with_first = |call: u32, test: u32, value: u32| {
        [
            branch(EQUAL, call, 0, 4),
            step(LOAD, FIRST),
            branch(test, value, 0, 1),
            step(END, refused),
            step(END, libc::SECCOMP_RET_ALLOW),
        ]
    };
    of_32_bits.extend(with_first(CLONE, ANY_BIT, namespaces));
    let virtual_machines = libc::AF_VSOCK.cast_unsigned();
    of_32_bits.extend(with_first(SOCKET, EQUAL, virtual_machines));
    if !network {
        // Which kind of socket it makes is in memory, where a filter cannot look.
        of_32_bits.extend(with_first(SOCKETCALL, EQUAL, MAKE_SOCKET));
    }
    of_32_bits.push(step(END, libc::SECCOMP_RET_ALLOW));
    let length = u32::try_from(of_32_bits.len()).unwrap_or(u32::MAX);
    let mut program = vec![
        step(LOAD, ARCHITECTURE),
        branch(EQUAL, I386, 1, 0),
        step(JUMP, length),
    ];
    program.extend(of_32_bits);
    program.extend([
        branch(EQUAL, X86_64, 1, 0),
        step(END, libc::SECCOMP_RET_KILL_PROCESS),
        step(LOAD, NUMBER),
        branch(AT_LEAST, X32, 0, 1),
        step(END, unknown),
        step(END, libc::SECCOMP_RET_ALLOW),
    ]);
    program
}

/// Has a filter of this machine's own programs say nothing to others: as made, it ends them.
pub fn leave_to_others(program: &mut BpfProgram) {
    let ends = step(END, libc::SECCOMP_RET_KILL_PROCESS);
    let mut found = program.iter_mut().take(3);
    if let Some(instruction) = found.find(|instruction| **instruction == ends) {
        instruction.k = libc::SECCOMP_RET_ALLOW;
    }
}

fn step(code: u32, k: u32) -> sock_filter {
    branch(code, k, 0, 0)
}

fn branch(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    let code = code as u16;
    sock_filter { code, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a filter answers, as the kernel would carry it out.
    fn answer(program: &BpfProgram, architecture: u32, number: u32, first: u32) -> u32 {
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let instruction = &program[at];
            at += 1;
            let (code, k) = (u32::from(instruction.code), instruction.k);
            let holds = match code {
                LOAD => {
                    accumulator = match k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        _ => first,
                    };
                    continue;
                }
                END => return k,
                JUMP => {
                    at += k as usize;
                    continue;
                }
                EQUAL => accumulator == k,
                AT_LEAST => accumulator >= k,
                _ => accumulator & k != 0,
            };
            at += usize::from(if holds {
                instruction.jt
            } else {
                instruction.jf
            });
        }
    }

    #[test]
    fn programs_of_32_bits_may_what_others_may() {
        let refused = libc::SECCOMP_RET_ERRNO | 0x01;
        let unknown = libc::SECCOMP_RET_ERRNO | 0x26;
        let allowed = libc::SECCOMP_RET_ALLOW;
        let program = filter(0x1000_0000, false);
        for (number, name) in DENIED {
            assert_eq!(answer(&program, I386, number, 0), refused, "{name}");
        }
        assert_eq!(answer(&program, I386, 4, 0), allowed, "write");
        assert_eq!(answer(&program, I386, CLONE, 0x11), allowed);
        assert_eq!(answer(&program, I386, CLONE, 0x1000_0011), refused);
        assert_eq!(answer(&program, I386, CLONE3, 0), unknown);
        assert_eq!(answer(&program, I386, SOCKET, 1), allowed);
        assert_eq!(answer(&program, I386, SOCKET, 40), refused);
        assert_eq!(answer(&program, I386, SOCKETCALL, MAKE_SOCKET), refused);
        assert_eq!(answer(&program, I386, SOCKETCALL, 2), allowed);
        let online = filter(0x1000_0000, true);
        assert_eq!(answer(&online, I386, SOCKETCALL, MAKE_SOCKET), allowed);
        // What this filter does not know about.
        assert_eq!(answer(&program, X86_64, 165, 0), allowed);
        assert_eq!(answer(&program, X86_64, X32 + 1, 0), unknown);
        let end = libc::SECCOMP_RET_KILL_PROCESS;
        assert_eq!(answer(&program, 0x4000_0028, 1, 0), end, "of ARM");
    }
}
