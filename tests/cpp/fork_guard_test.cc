#include "telemetry/record/fork_guard.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/registry.h"

namespace inferometer {
namespace {

// A child that hangs is ended by its alarm, which fails the test; none of this waits for time.
TEST(ForkGuardTest, TheChildCanRenderAndRecordWhileThreadsOfTheParentScrape) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer does not hold its allocator's locks over fork(): a child of a "
                  "process with threads may hang in operator new";
#endif
  const auto registry = Registry::create();
  const auto other = Registry::create();
  const Counter hits = registry->counter("hits", "", {"path"});
  hits.labels({"/"}).inc();
  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  threads.reserve(2);
  // However the test ends: an assertion that fails must not leave its threads behind.
  const std::shared_ptr<void> at_end(nullptr, [&](void*) { stop = true; });
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        (void)registry->render_text();
        (void)other->render_text();
        const std::string path = std::to_string(t) + "/" + std::to_string(i % 50);
        hits.labels({path}).inc();
        hits.remove({path});
      }
    });
  }
  for (int round = 0; round < 30; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);
      hits.labels({"child"}).inc();
      const bool seen =
          registry->render_text().find("hits_total{path=\"child\"} 1.0") != std::string::npos;
      const bool shown = other->render_text().find("inferometer_build_info") != std::string::npos;
      _exit(seen && shown && hits.labels({"/"}).value() == 1 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  stop = true;
  threads.clear();
  EXPECT_FALSE(registry->sample_value("hits_total", {{"path", "child"}}));
}

}  // namespace
}  // namespace inferometer
