#!/usr/bin/env python3
"""Checks that a C++ file includes what it names. Standard library only.

Usage: scripts/check_includes.py [ROOT]

Builds and clang-tidy read several files at a time, where a file also sees what those before it
include. By itself it must do too: what it names has to be declared in a header that it includes,
directly or through headers of ours. A standard header does not count for what another one needs:
that differs from library to library.

Prints one line a finding, `path:line: what is wrong`, and exits 1 if there is any.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from check_layers import Finding, includes

FOLDERS = ("cpp/include", "cpp/src", "cpp/bindings")

# What the standard headers declare in std, as far as we use it; `ranges::` is left out.
STANDARD: dict[str, str] = {
    "algorithm": "adjacent_find all_of any_of binary_search copy count_if equal fill fill_n find"
    " find_if for_each is_sorted lower_bound max min move none_of reverse sort stable_sort"
    " upper_bound clamp",
    "array": "array get begin end",
    "atomic": "atomic memory_order_acq_rel memory_order_acquire memory_order_relaxed"
    " memory_order_release memory_order_seq_cst atomic_thread_fence atomic_ref",
    "bit": "bit_cast bit_width bit_ceil countl_zero countr_zero popcount has_single_bit",
    "charconv": "chars_format from_chars to_chars",
    "chrono": "chrono",
    "cmath": "abs ceil exp exp2 fabs floor fmod ilogb isfinite isinf isnan ldexp llround log log2"
    " nan nearbyint nextafter pow round signbit sqrt trunc",
    "concepts": "integral floating_point same_as convertible_to",
    "condition_variable": "condition_variable cv_status",
    "cstddef": "byte ptrdiff_t nullptr_t",
    "cstdio": "snprintf FILE fopen fclose",
    "cstdlib": "abs getenv abort exit free malloc strtol",
    "cstring": "memcmp memcpy memmove memset strcmp strerror strlen",
    "ctime": "time",
    "deque": "deque begin end erase erase_if",
    "exception": "current_exception exception exception_ptr make_exception_ptr rethrow_exception"
    " terminate uncaught_exceptions",
    "filesystem": "filesystem",
    "fstream": "ifstream ofstream",
    "functional": "equal_to function greater hash less ref cref invoke",
    "future": "future promise async",
    "initializer_list": "initializer_list",
    "iterator": "back_inserter begin end prev next distance advance size ssize make_move_iterator",
    "latch": "latch",
    "limits": "numeric_limits",
    "map": "map begin end erase_if size ssize",
    "memory": "construct_at destroy_at enable_shared_from_this make_shared make_unique"
    " make_unique_for_overwrite shared_ptr unique_ptr weak_ptr static_pointer_cast"
    " dynamic_pointer_cast default_delete addressof",
    "mutex": "adopt_lock call_once lock_guard mutex once_flag scoped_lock unique_lock defer_lock",
    "new": "align_val_t bad_alloc nothrow launder",
    "numeric": "accumulate iota gcd lcm midpoint reduce",
    "optional": "make_optional nullopt optional nullopt_t",
    "queue": "priority_queue queue",
    "random": "mt19937 mt19937_64 random_device uniform_int_distribution",
    "semaphore": "binary_semaphore counting_semaphore",
    "set": "set begin end erase_if size ssize",
    "shared_mutex": "shared_lock shared_mutex",
    "span": "as_bytes as_writable_bytes dynamic_extent span size ssize",
    "sstream": "istringstream ostringstream stringstream",
    "stdexcept": "domain_error exception invalid_argument length_error logic_error out_of_range"
    " overflow_error runtime_error",
    "string": "basic_string begin end erase erase_if getline hash size ssize stod stoi stoll stoul"
    " string to_string",
    "string_view": "hash size ssize string_view",
    "system_error": "errc error_category error_code generic_category make_error_code"
    " system_category system_error",
    "thread": "jthread stop_token this_thread thread",
    "tuple": "apply get ignore make_tuple tie tuple",
    "type_traits": "conditional_t decay_t enable_if_t invoke_result_t is_integral_v is_same_v"
    " is_trivially_copyable_v is_trivially_destructible_v remove_cvref_t underlying_type_t",
    "unordered_map": "unordered_map erase_if size ssize",
    "unordered_set": "unordered_set erase_if size ssize",
    "utility": "as_const cmp_equal cmp_greater cmp_less declval exchange forward get in_place"
    " index_sequence make_pair move pair swap",
    "variant": "get get_if holds_alternative monostate variant visit",
    "vector": "begin end erase erase_if size ssize vector",
}
# What is outside of std. A function counts where it is called, a macro or type wherever it stands.
PLATFORM: dict[str, str] = {
    "arpa/inet.h": "inet_ntop( inet_pton( htons( ntohs(",
    "cerrno": "errno EINTR EAGAIN EWOULDBLOCK ETIMEDOUT ENOENT EADDRINUSE EMFILE ENFILE",
    "climits": "INT_MAX",
    "cstdint": "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t",
    "ctime": "timespec clock_gettime( gmtime_r( localtime_r( CLOCK_MONOTONIC CLOCK_REALTIME",
    "cxxabi.h": "abi",
    "dirent.h": "opendir( readdir( closedir( DIR dirent",
    "dlfcn.h": "dlopen( dlsym( dlclose( dlerror( RTLD_LAZY RTLD_NOW RTLD_LOCAL dladdr( Dl_info",
    "fcntl.h": "fcntl( O_RDONLY O_CLOEXEC O_NONBLOCK F_GETFD F_SETFD F_DUPFD_CLOEXEC",
    "linux/futex.h": "FUTEX_WAIT_BITSET FUTEX_WAKE FUTEX_PRIVATE_FLAG",
    "netdb.h": "addrinfo getaddrinfo( freeaddrinfo gai_strerror( AI_PASSIVE EAI_SYSTEM",
    "netinet/in.h": "sockaddr_in sockaddr_in6 in_addr INADDR_ANY IPPROTO_TCP IPPROTO_IPV6",
    "netinet/tcp.h": "TCP_NODELAY TCP_USER_TIMEOUT",
    "poll.h": "poll( pollfd POLLIN POLLOUT POLLHUP",
    "pthread.h": "pthread_atfork( pthread_self( pthread_setname_np( pthread_t pthread_sigmask(",
    "sys/eventfd.h": "eventfd( EFD_CLOEXEC EFD_NONBLOCK",
    "sys/mman.h": "mmap( munmap( madvise( MAP_ANONYMOUS MADV_WIPEONFORK",
    "sys/resource.h": "getrlimit( getrusage( RLIMIT_NOFILE rusage",
    "sys/socket.h": "accept4( getsockname( setsockopt( getsockopt( SOL_SOCKET SOCK_STREAM"
    " SOCK_CLOEXEC sockaddr sockaddr_storage socklen_t",
    "sys/syscall.h": "SYS_futex SYS_gettid",
    "sys/timerfd.h": "timerfd_create( timerfd_settime( TFD_CLOEXEC TFD_NONBLOCK itimerspec",
    "unistd.h": "getpid( sysconf( syscall( pipe2( _SC_CLK_TCK _SC_PAGESIZE fork( _exit(",
    "zlib.h": "z_stream deflateInit2 deflateInit2_ deflate( deflateEnd( inflate( Z_OK Z_FINISH",
}
# Names of a library, but for those that we announce, and how the names of its headers start.
LIBRARIES: dict[str, tuple[str, ...]] = {
    r"(?:pybind11|py)::": ("pybind11/",),
    r"Py(?:Object|_\w+)\b": ("Python.h", "structmember.h", "pybind11/"),
    r"prometheus::(?!Collectable|MetricFamily)": ("prometheus/",),
    r"boost::": ("boost/",),
    r"asio::buffer\b": ("boost/asio/buffer.hpp",),
    r"asio::io_context\b": ("boost/asio/io_context.hpp",),
    r"asio::posix::": ("boost/asio/posix/",),
    r"asio::post\b": ("boost/asio/post.hpp",),
    r"tcp::": ("boost/asio/ip/tcp.hpp",),
    r"Eigen::": ("Eigen/",),
}

NOISE = re.compile(
    r"//[^\n]*|/\*.*?\*/|#\s*include[^\n]*"
    r'|(?P<text>R"(?P<mark>\w*)\(.*?\)(?P=mark)"|"(?:[^"\\\n]|\\.)*")',
    re.DOTALL,
)
IN_STD = re.compile(r"\bstd::(?:ranges::)?(\w+)")
WORD = re.compile(
    r"(?P<member>(?:\.|->|(?<!inferometer)::)\s*)?\b(?P<word>[A-Za-z_]\w*)(?P<call>\s*\()?"
)
MEMBER = re.compile(r"(?:\.|->)(\w+\()")
# What is not a function, though it looks like a call.
NO_FUNCTIONS = frozenset({"defined(", "__attribute__("})

# What a header declares at namespace scope: heads of declarations, without `template <...>`.
NAMESPACE = re.compile(r'\bnamespace\b[^;{}()=]*$|\bextern\s*""\s*$')
TEMPLATE = re.compile(r"^\s*(?:#[^\n]*\n\s*)*(?:template\s*<[^{};]*?>\s*(?=[\w\[:]))?")
CLASS = re.compile(
    r"^(?:class|struct|union|enum(?: class)?)\s.*?(\w+)\s*(?:final\s*)?(?::[^:].*)?$"
)
ALIAS = re.compile(r"^using\s+(\w+)\s*=")
FUNCTION = re.compile(r"^[^(=]*[\w>&*\]]\s*[\s&*](\w+)\s*\(")
CONSTANT = re.compile(r"\b(k[A-Z]\w*)\s*(?:\[\w*\]\s*)?(?:=.*)?$")
MACRO = re.compile(r"^\s*#\s*define\s+(\w+)", re.MULTILINE)

# What is declared anywhere, members and locals too: there the name is not that of another file.
HIDING = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:class|struct|enum|enum\s+class)\s+(\w+)\b(?!\s*::)[^;{}()<>=]*\{",
        r"\busing\s+(\w+)\s*=",
        r"\b(?:typename|class)\s+(\w+)\s*[,>]",
        r"\bconstexpr\s+\w+\s+(k\w+)",
        r"(?<!return)(?<!throw)(?<!else)(?<!new)(?<=[\w>&*])\s[&*]*(\w+\()",
    )
)
LAMBDA = re.compile(r"\bauto\s+(\w+)\s*=\s*\[")
ANNOUNCED = re.compile(r"\b(?:class|struct|enum\s+class)\s+(\w+)\s*(?::[^;{}:]*)?;")


def without_noise(text: str) -> str:
    """Returns C++ with comments, strings and #includes blanked; its lines stay where they are."""

    def blank(match: re.Match[str]) -> str:
        return ('""' if match["text"] else " ") + "\n" * match.group().count("\n")

    return NOISE.sub(blank, text)


def heads(text: str) -> Iterator[tuple[str, str]]:
    """Yields each declaration at namespace scope, up to the `;` or `{` that ends it, and that."""
    depth = start = 0
    for match in re.finditer(r"[;{}]", text):
        mark, head = match.group(), text[start : match.start()]
        opens_namespace = not depth and mark == "{" and NAMESPACE.search(head)
        if not depth and mark != "}" and not opens_namespace:
            yield TEMPLATE.sub("", head, count=1).strip(), mark
        if mark == "{" and not opens_namespace:
            depth += 1
        elif mark == "}" and depth:
            depth -= 1
        if not depth:
            start = match.end()


def declared(text: str) -> set[str]:
    """Returns the names that a header declares at namespace scope; a function's with `(`."""
    names = set(MACRO.findall(text))
    for head, mark in heads(text):
        if found := CLASS.search(head):
            if mark == "{":
                names.add(found.group(1))
        elif found := ALIAS.search(head):
            names.add(found.group(1))
        elif found := FUNCTION.search(head):
            names.add(found.group(1) + "(")
        elif found := CONSTANT.search(head):
            names.add(found.group(1))
    return names - NO_FUNCTIONS


class Source:
    """A file: what it includes, what it names, and what its names hide."""

    def __init__(self, root: Path, path: Path) -> None:
        """Reads it."""
        self.path = str(path.relative_to(root))
        self.text = without_noise(path.read_text(encoding="utf-8"))
        self.ours: list[str] = []
        self.theirs: set[str] = set()
        for _, included in includes(path):
            places = (root / "cpp/include", root / "cpp/src", path.parent)
            found = [place / included for place in places if (place / included).is_file()]
            if found:
                self.ours.append(str(found[0].relative_to(root)))
            else:
                self.theirs.add(included)
        self.hidden = {name for pattern in HIDING for name in pattern.findall(self.text)}
        self.announced = set(ANNOUNCED.findall(self.text))
        self.hidden |= {name + "(" for name in LAMBDA.findall(self.text)}
        self.members = set(MEMBER.findall(self.text))

    def needs_definition(self, name: str) -> bool:
        """Whether it makes one of a class, or uses a member: not only pointers and references."""
        return bool(re.search(rf"\b{re.escape(name)}\s*(?:::|[({{])", self.text))

    def names(self) -> dict[str, int]:
        """Returns each name and its first line: `std::x`, and what is called with `(` too."""
        found = [(f"std::{match.group(1)}", match.start()) for match in IN_STD.finditer(self.text)]
        for match in WORD.finditer(self.text):
            if not match["member"]:
                found.append((match["word"], match.start("word")))
                if match["call"]:
                    found.append((match["word"] + "(", match.start("word")))
        places = dict(reversed(found))
        return {name: self.line(place) for name, place in places.items()}

    def line(self, place: int) -> int:
        """Returns the number of the line of a place in the text."""
        return self.text.count("\n", 0, place) + 1


def providers(sources: dict[str, Source]) -> dict[str, set[str]]:
    """Returns the headers that declare each name."""
    found: dict[str, set[str]] = {}
    for header, names in STANDARD.items():
        for name in names.split():
            found.setdefault(f"std::{name}", set()).add(header)
    for header, names in PLATFORM.items():
        for name in names.split():
            found.setdefault(name, set()).add(header)
    members = {name for source in sources.values() for name in source.members}
    for path, source in sources.items():
        if path.endswith(".h"):
            for name in declared(source.text) - members:
                found.setdefault(name, set()).add(path)
    return found


def reached(source: Source, sources: dict[str, Source]) -> set[str]:
    """Returns what a file includes, directly or through headers of ours, and itself."""
    found, waiting = {source.path} | source.theirs, list(source.ours)
    while waiting:
        header = waiting.pop()
        if header not in found:
            found |= {header} | sources[header].theirs
            waiting += sources[header].ours
    return found


def check_source(
    source: Source, sources: dict[str, Source], declarers: dict[str, set[str]]
) -> Iterator[Finding]:
    """Yields what a file names without including it."""
    included = reached(source, sources)
    ours = [sources[path] for path in included if path in sources]
    hidden = source.announced.union(*(other.hidden for other in ours))
    announced = set().union(*(other.announced for other in ours))
    for name, line in source.names().items():
        wanted = declarers.get(name)
        if wanted is None:
            if name.startswith("std::"):
                message = f"{name} is not in the tables of check_includes.py"
                yield Finding(source.path, line, message)
        elif not (
            wanted & included
            or name in hidden
            or (name in announced and not source.needs_definition(name))
        ):
            message = f"{name} is of {' or '.join(sorted(wanted))}: not included"
            yield Finding(source.path, line, message)
    for pattern, headers in LIBRARIES.items():
        found = re.search(rf"\b{pattern}", source.text)
        if found and not any(path.startswith(headers) for path in included):
            message = f"{found.group()} is of {' or '.join(headers)}: not included"
            yield Finding(source.path, source.line(found.start()), message)


def check(root: Path) -> list[Finding]:
    """Returns every finding below `root`, in order."""
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))]
    files = [Source(root, path) for path in paths if path.suffix in (".h", ".cc")]
    sources = {source.path: source for source in files}
    declarers = providers(sources)
    return [finding for source in files for finding in check_source(source, sources, declarers)]


def main(arguments: list[str]) -> int:
    """Prints the findings under the given root (default: the repository); 1 if there are any."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings = check(root)
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.message}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
