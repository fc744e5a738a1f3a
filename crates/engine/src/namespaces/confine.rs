//! What a command in a sandbox may ask of the kernel: what a container of the engine may.

use std::collections::BTreeMap;

use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// What containers are given by default.
const CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// What would reach beyond the sandbox where the network is this machine's own: reading others'
/// packets, and taking the ports of its services.
const OF_THE_NETWORK: CapabilitySet = CapabilitySet::NET_RAW.union(CapabilitySet::NET_BIND_SERVICE);

/// Gives up for good what the next program is not to have.
pub fn drop_capabilities(network: bool) -> Result<(), Errno> {
    let kept = if network {
        CAPABILITIES.difference(OF_THE_NETWORK)
    } else {
        CAPABILITIES
    };
    for number in 0..64 {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        match rustix::thread::capability_is_in_bounding_set(capability) {
            Ok(true) if !kept.contains(capability) => {
                rustix::thread::remove_capability_from_bounding_set(capability)?;
            }
            Ok(_) => {}
            // The kernel knows no more.
            Err(Errno::INVAL) => break,
            Err(errno) => return Err(errno),
        }
    }
    let sets = rustix::thread::capabilities(None)?;
    rustix::thread::set_capabilities(
        None,
        CapabilitySets {
            inheritable: CapabilitySet::empty(),
            ..sets
        },
    )
}

/// What every architecture has and no build needs: other file systems and namespaces, the kernel's
/// own programs and keys, the clock, the machine itself.
const DENIED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_writev,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[libc::c_long] = &[
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS__sysctl,
    libc::SYS_sysfs,
    libc::SYS_uselib,
    libc::SYS_ustat,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[libc::c_long] = &[];

/// Every kind of namespace that `clone` can make.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// The filters, as the kernel takes them.
pub fn filters(network: bool) -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let mut denied: BTreeMap<i64, Vec<SeccompRule>> = DENIED
        .iter()
        .chain(DENIED_HERE)
        .map(|call| (*call, Vec::new()))
        .collect();
    let mut namespaces = Vec::new();
    for flag in NAMESPACES {
        let flag = u64::from(flag.cast_unsigned());
        let asked = SeccompCmpOp::MaskedEq(flag);
        let condition = SeccompCondition::new(0, SeccompCmpArgLen::Qword, asked, flag)?;
        namespaces.push(SeccompRule::new(vec![condition])?);
    }
    denied.insert(libc::SYS_clone, namespaces);
    // The sockets of virtual machines know no network namespaces.
    let vsock = u64::from(libc::AF_VSOCK.cast_unsigned());
    let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, vsock)?;
    denied.insert(libc::SYS_socket, vec![SeccompRule::new(vec![condition])?]);
    // Its flags are in memory, where a filter cannot look; who is told that it does not exist uses clone.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let own: Result<Vec<BpfProgram>, seccompiler::BackendError> =
        [(denied, libc::EPERM), (unknown, libc::ENOSYS)]
            .into_iter()
            .map(|(calls, errno)| {
                SeccompFilter::new(
                    calls,
                    SeccompAction::Allow,
                    SeccompAction::Errno(errno.cast_unsigned()),
                    architecture,
                )?
                .try_into()
            })
            .collect();
    own.map(|own| with_others(own, network))
}

/// And the filter of programs of another kind, where a machine may run those.
#[cfg(target_arch = "x86_64")]
fn with_others(mut own: Vec<BpfProgram>, network: bool) -> Vec<BpfProgram> {
    own.iter_mut().for_each(super::compat::leave_to_others);
    let namespaces = NAMESPACES.iter().fold(0, |all, flag| all | flag);
    own.push(super::compat::filter(namespaces.cast_unsigned(), network));
    own
}
#[cfg(not(target_arch = "x86_64"))]
fn with_others(own: Vec<BpfProgram>, _network: bool) -> Vec<BpfProgram> {
    own
}

/// Puts a filter over this thread and every program it becomes.
///
/// `seccompiler::apply_filter` would also set `no_new_privs`, which containers do not have: `sudo`
/// and `su` of another user work in a step.
#[expect(unsafe_code, reason = "no crate wraps the call without no_new_privs")]
pub fn apply(filter: &BpfProgram) -> std::io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(std::io::Error::other)?,
        filter: filter.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // SAFETY: the kernel reads `len` instructions behind `filter`, which is borrowed until the call
    // is over, and seccompiler's instruction has the kernel's layout. It writes nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

/// Has the next program find nothing open but input, output and errors: whoever started this program
/// may have left it files that a sandbox must not see.
#[expect(unsafe_code, reason = "no crate we have wraps the call")]
pub fn close_files() -> std::io::Result<()> {
    let (first, last) = (3_u32, u32::MAX);
    // SAFETY: the call takes numbers only. Nothing is closed before the next program starts, so that
    // no file of this one loses its number under it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            last,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capabilities_are_those_of_a_container() {
        assert_eq!(CAPABILITIES.bits(), 0xa804_25fb);
    }

    #[test]
    fn the_filters_are_programs_that_the_kernel_takes() {
        let filters = filters(true).unwrap();
        assert_eq!(filters.len(), 3);
        for filter in filters {
            assert!((1..4096).contains(&filter.len()), "{}", filter.len());
        }
    }
}
