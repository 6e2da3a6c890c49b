/// What stands between a program that a model wrote and this machine: a Python script of our own that
/// gives up root, enters new user, mount, network, process, IPC, host name and cgroup namespaces, leaves
/// of the file system only `/usr` (read only) and an empty `/tmp` of 16 MiB, sets limits, drops every
/// capability, installs a filter of system calls and only then becomes the program. If any step fails
/// there is no program.
///
/// Arguments: the program, seconds, bytes of memory of a process, bytes of a file.
enum SandboxLauncher {
  static let script = #"""
    import ctypes, os, resource, signal, struct, sys
    code, seconds, memory, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    libc = ctypes.CDLL(None, use_errno=True)
    def check(result, what):
        if result != 0:
            sys.exit("sandbox: %s: %s" % (what, os.strerror(ctypes.get_errno())))
    def mount(source, target, kind, flags, data=None):
        encode = lambda text: None if text is None else text.encode()
        check(libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags),
            encode(data)), "mount " + target)
    RDONLY, NOSUID, NODEV, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
    signal.alarm(seconds + 1)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        check(libc.prctl(4, 1, 0, 0, 0), "dumpable")
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(0x7e020000), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", "65534 %d 1" % uid), ("gid_map", "65534 %d 1" % gid)):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
    check(libc.prctl(1, 9, 0, 0, 0), "parent death")
    try:
        with open("/proc/sys/user/max_user_namespaces", "w") as file:
            file.write("0")
    except OSError:
        pass
    mount(None, "/", None, REC | PRIVATE)
    links = [(d, os.readlink("/" + d)) for d in ("bin", "lib", "lib64") if os.path.islink("/" + d)]
    kept = ["usr"] + [d for d in ("lib", "lib64") if os.path.isdir("/" + d) and not os.path.islink("/" + d)]
    mount("none", "/tmp", "tmpfs", NOSUID | NODEV, "size=1m,mode=755")
    os.chdir("/tmp")
    for name in kept:
        os.mkdir(name)
        mount("/" + name, name, None, BIND | REC)
        mount(None, name, None, REMOUNT | BIND | RDONLY | NOSUID | NODEV)
    for name, target in links:
        os.symlink(target, name)
    os.mkdir("dev")
    for name in ("null", "zero", "urandom"):
        open("dev/" + name, "w").close()
        mount("/dev/" + name, "dev/" + name, None, BIND)
    os.mkdir("tmp")
    mount("none", "tmp", "tmpfs", NOSUID | NODEV, "size=16m,mode=777")
    check(libc.syscall(155 if os.uname().machine == "x86_64" else 41, b".", b"."), "pivot_root")
    check(libc.umount2(b".", 2), "umount")
    mount(None, "/", None, REMOUNT | BIND | RDONLY | NOSUID | NODEV)
    os.chdir("/tmp")
    for kind, limit in (
        (resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, files),
        (resource.RLIMIT_NOFILE, 64), (resource.RLIMIT_NPROC, 16), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (limit, limit))
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)
    check(libc.prctl(38, 1, 0, 0, 0), "no_new_privs")
    # ptrace, process_vm_readv and _writev, unshare, setns, mount, umount2, bpf, perf_event_open,
    # userfaultfd, io_uring_setup, add_key, request_key, keyctl, kexec_load, init_module, finit_module,
    # open_by_handle_at, pivot_root, personality: not permitted. clone3: not there, so that clone is used.
    machines = {
        "x86_64": (0xC000003E, (101, 310, 311, 272, 308, 165, 166, 321, 298, 323, 425, 248, 249, 250, 246,
            175, 313, 304, 155, 135)),
        "aarch64": (0xC00000B7, (117, 270, 271, 97, 268, 40, 39, 280, 241, 282, 425, 217, 218, 219, 104,
            105, 273, 265, 41, 92))}
    if os.uname().machine not in machines:
        sys.exit("sandbox: no filter for this processor")
    machine, denied = machines[os.uname().machine]
    ok, refuse, absent, kill = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
    load, jump, above, give = 0x20, 0x15, 0x35, 0x06
    steps = [(load, 0, 0, 4), (jump, 1, 0, machine), (give, 0, 0, kill), (load, 0, 0, 0),
        (above, 0, 1, 0x40000000), (give, 0, 0, refuse), (jump, 0, 1, 435), (give, 0, 0, absent)]
    for number in denied:
        steps += [(jump, 0, 1, number), (give, 0, 0, refuse)]
    steps.append((give, 0, 0, ok))
    packed = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(packed)
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(buffer))
    check(libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0), "seccomp")
    os.closerange(3, 4096)
    os.execve("/usr/bin/python3", ["python3", "-I", "-S", "-B", "-c", code], {})
    """#
}
