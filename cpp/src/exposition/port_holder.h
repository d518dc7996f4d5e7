// Who listens on a port, for the message that it is in use.
#pragma once

#include <string>

namespace inferometer {

/// "pid 4711 (python3)" for the process that listens on the TCP port, as far as /proc tells: a
/// process of another user can be seen by root only. Otherwise how to find out.
[[nodiscard]] std::string describe_port_holder(int port);

}  // namespace inferometer
