//! Whether tiles (AMX) can be used: the processor has them, and the operating system must be asked.
#![allow(unsafe_code, reason = "a system call that touches no memory")]

/// Whether the processor has tiles and the operating system lets this process use them.
pub fn is_allowed() -> bool {
    #[cfg(target_os = "linux")]
    {
        /// Permission for the tiles' state (`arch/x86/include/uapi/asm/prctl.h`).
        const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
        const XFEATURE_XTILEDATA: libc::c_long = 18;
        const AMX_BF16_AND_TILE: u32 = 1 << 22 | 1 << 24;
        let features = std::arch::x86_64::__cpuid_count(7, 0).edx;
        if features & AMX_BF16_AND_TILE == AMX_BF16_AND_TILE {
            // SAFETY: asks for a permission, and touches no memory.
            return 0
                == unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) };
        }
    }
    false
}
