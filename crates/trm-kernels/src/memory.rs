//! The process's memory: freed pages are kept for the next pass.

/// Lets the process keep the memory that it frees, for the tensors of the next pass: fetching pages from the operating
/// system again and again costs a pass on the CPU up to a third of its time. For programs to call once at their start; they
/// then need as much memory as at their peak until they end.
///
/// It tells the allocator of glibc; elsewhere it does nothing.
pub fn keep_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code, reason = "settings of the allocator")]
    {
        const GROW_BY: libc::c_int = 64 << 20;
        // SAFETY: sets numbers in the allocator, under its lock.
        unsafe {
            libc::mallopt(libc::M_MMAP_MAX, 0);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
            libc::mallopt(libc::M_TOP_PAD, GROW_BY);
        }
    }
}
