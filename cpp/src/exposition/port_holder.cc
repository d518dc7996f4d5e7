#include "exposition/port_holder.h"

#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace inferometer {
namespace {

namespace fs = std::filesystem;

// The inodes of the sockets that listen on `port`. A line of /proc/net/tcp reads
//   sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
// with addresses as HEX:PORT and 0A for LISTEN.
std::vector<std::string> listening_inodes(int port) {
  std::vector<std::string> inodes;
  for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      std::string slot;
      std::string local;
      std::string remote;
      std::string state;
      std::string skipped;
      std::string inode;
      fields >> slot >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) fields >> skipped;
      fields >> inode;
      const size_t colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;
      int found = -1;
      std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
      if (found == port) inodes.push_back(inode);
    }
  }
  return inodes;
}

bool holds_one_of(const fs::path& process, const std::vector<std::string>& inodes) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry->path(), gone).string();
    for (const std::string& inode : inodes) {
      if (target == "socket:[" + inode + "]") return true;
    }
  }
  return false;
}

// The name of the command, not its arguments: they may hold what is nobody's business.
std::string command_of(const fs::path& process) {
  std::string name;
  std::getline(std::ifstream(process / "comm"), name);
  for (char& c : name) {
    if (c < ' ' || c > '~') c = '?';
  }
  return name;
}

}  // namespace

std::string describe_port_holder(int port) {
  const std::vector<std::string> inodes = listening_inodes(port);
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !inodes.empty() && !error && entry != end;
       entry.increment(error)) {
    const std::string pid = entry->path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!holds_one_of(entry->path(), inodes)) continue;
    if (pid == std::to_string(::getpid())) return "this process itself, pid " + pid;
    return "pid " + pid + " (" + command_of(entry->path()) + ")";
  }
  return "a process that is not visible from here (as root: ss -ltnp 'sport = :" +
         std::to_string(port) + "')";
}

}  // namespace inferometer
