#include "telemetry/record/collector_thread.h"

#include <pthread.h>

#include <utility>

namespace inferometer {
namespace {

void serve(CollectorMailbox& mailbox, FamilySource& source,
           const std::shared_ptr<const Collected>& failed) {
  pthread_setname_np(pthread_self(), "im-collector");
  while (mailbox.wait_for_ask()) {
    std::shared_ptr<const Collected> collected = failed;
    try {
      collected = std::make_shared<const Collected>(source.collect());
    } catch (...) {  // NOLINT(bugprone-empty-catch): whatever foreign code throws
    }
    mailbox.publish(std::move(collected));
  }
}

}  // namespace

CollectorThread::CollectorThread(std::shared_ptr<FamilySource> source, CollectorOptions options)
    : options_(options), mailbox_(std::make_shared<CollectorMailbox>()) {
  // Made here, where there being no memory is an error that somebody hears of.
  auto failed = std::make_shared<const Collected>(Collected{.families = {}, .errors = 1});
  thread_ = std::thread([mailbox = mailbox_, source = std::move(source),
                         failed = std::move(failed)] { serve(*mailbox, *source, failed); });
}

CollectorThread::~CollectorThread() {
  if (mailbox_->close()) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

}  // namespace inferometer
