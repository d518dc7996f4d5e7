#include "exposition/listening_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "exposition/open_sockets.h"
#include "exposition/port_holder.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr int kBacklog = 256;
constexpr int kLastPort = 65535;

std::string place(const std::string& host, int port) {
  const bool literal_v6 = host.find(':') != std::string::npos;
  return (literal_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const std::string& host, int port) {
  if (host.empty() || host.find('\0') != std::string::npos) {
    throw ConfigError(
        "host: got an empty name or one with NUL, want a name or an address (\"127.0.0.1\": this "
        "machine only, \"0.0.0.0\": all interfaces)");
  }
  if (port < 0 || port > kLastPort) {
    throw ConfigError("port: got " + std::to_string(port) +
                      ", want 0 (the system picks one) to 65535");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    throw ConfigError("host: got \"" + host + "\", want a name or an address of this machine (" +
                      (failed == EAI_SYSTEM ? strerrordesc_np(errno) : gai_strerror(failed)) + ")");
  }
  return {found, &freeaddrinfo};
}

// A listening socket at this address; -1 with errno.
int listen_at(const addrinfo& address) {
  const int fd = OpenSockets::open(address.ai_family, address.ai_socktype);
  if (fd < 0) return -1;
  const int on = 1;
  const int off = 0;
  // A restarted service must not wait for its predecessor's old connections.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "::" takes IPv4 too, whatever the machine's default is.
  if (address.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  OpenSockets::close(fd);
  errno = error;
  return -1;
}

}  // namespace

ListeningSocket::ListeningSocket(const std::string& host, int port) {
  const Addresses addresses = resolve(host, port);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    fd_ = listen_at(*address);
    if (fd_ >= 0) {
      learn_address();
      return;
    }
    error = errno;
  }
  throw ConfigError(bind_error(host, port, error));
}

ListeningSocket::~ListeningSocket() {
  if (fd_ >= 0) OpenSockets::close(fd_);
}

int ListeningSocket::release() noexcept { return std::exchange(fd_, -1); }

void ListeningSocket::learn_address() {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  // NOLINTNEXTLINE(*-reinterpret-cast): what the socket interface asks for
  getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size);
  ipv6_ = storage.ss_family == AF_INET6;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (ipv6_) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    port_ = ntohs(address.sin6_port);
    const bool any = IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr);
    const bool mapped_loopback =
        IN6_IS_ADDR_V4MAPPED(&address.sin6_addr) && address.sin6_addr.s6_addr[12] == 127;
    loopback_ = IN6_IS_ADDR_LOOPBACK(&address.sin6_addr) || mapped_loopback;
    inet_ntop(AF_INET6, any ? &in6addr_loopback : &address.sin6_addr, text.data(), text.size());
  } else {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    port_ = ntohs(address.sin_port);
    loopback_ = ntohl(address.sin_addr.s_addr) >> 24U == 127;
    if (address.sin_addr.s_addr == htonl(INADDR_ANY)) {
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
  }
  authority_ = place(text.data(), port_);
}

std::string bind_error(const std::string& host, int port, int error) {
  const std::string where = "cannot listen on " + place(host, port) + ": ";
  switch (error) {
    case EADDRINUSE:
      return where + "the port is in use by " + describe_port_holder(port) +
             "; take another port, or 0 to have one picked";
    case EACCES:
      return where +
             "ports below 1024 need root or CAP_NET_BIND_SERVICE here "
             "(sysctl net.ipv4.ip_unprivileged_port_start); want a higher one";
    case EADDRNOTAVAIL:
      return where +
             "no interface of this machine has that address; want one that has, "
             "\"127.0.0.1\", or \"0.0.0.0\" for all";
    default:
      return where + std::system_category().message(error);
  }
}

}  // namespace inferometer
