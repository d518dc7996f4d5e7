#include "telemetry/record/exemplar_cells.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <set>

#include "inferometer/errors.h"
#include "telemetry/record/names.h"
#include "telemetry/write/label_text.h"

namespace inferometer {
namespace {

constexpr char kEnd = '\xff';  // no part of UTF-8

size_t code_points(std::string_view utf8) noexcept {
  return static_cast<size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

// Takes the text up to the next end off the front.
std::string_view take(std::string_view& text) {
  const size_t end = std::min(text.find(kEnd), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

}  // namespace

void check_exemplar(ExemplarLabels labels) {
  if (labels.empty()) throw ConfigError("exemplar: got no labels, want at least one");
  std::set<std::string_view> names;
  size_t points = 0;
  for (const auto& [name, value] : labels) {
    if (!is_label_name(name)) {
      throw ConfigError("exemplar: got label name \"" + std::string(name) +
                        "\", want [a-zA-Z_][a-zA-Z0-9_]*");
    }
    if (!names.insert(name).second) {
      throw ConfigError("exemplar: got label " + std::string(name) + " twice, want each once");
    }
    if (!is_utf8(value)) {
      throw ConfigError("exemplar: the value of label " + std::string(name) + " is not UTF-8");
    }
    points += code_points(name) + code_points(value);
  }
  if (points > kMaxExemplarCodePoints) {
    throw ConfigError("exemplar: got labels of " + std::to_string(points) +
                      " code points, names and values together, want at most " +
                      std::to_string(kMaxExemplarCodePoints));
  }
}

void check_trace_id(std::string_view trace_id) {
  constexpr size_t kMost = kMaxExemplarCodePoints - std::string_view("trace_id").size();
  if (!is_utf8(trace_id)) throw ConfigError("trace_id: got text that is no UTF-8, want UTF-8");
  if (const size_t points = code_points(trace_id); points > kMost) {
    throw ConfigError("trace_id: got " + std::to_string(points) + " code points, want at most " +
                      std::to_string(kMost));
  }
}

ExemplarCells::ExemplarCells(std::shared_ptr<Storage> storage, size_t buckets)
    : storage_(std::move(storage)), buckets_(buckets) {
  words_ = storage_->arena.at(storage_->arena.allocate(buckets_ * kSlotWords));
}

ExemplarCells::~ExemplarCells() {
  storage_->arena.free(storage_->arena.offset_of(words_), buckets_ * kSlotWords);
}

void ExemplarCells::set(size_t bucket, ExemplarLabels labels, double value,
                        int64_t timestamp_ns) noexcept {
  std::array<char, kMaxTextBytes> text;
  size_t size = 0;
  for (const auto& [name, label] : labels) {
    for (const std::string_view part : {name, label}) {
      if (size + part.size() + 1 > text.size()) return;  // was not checked
      std::ranges::copy(part, text.begin() + static_cast<std::ptrdiff_t>(size));
      size += part.size();
      text[size++] = kEnd;
    }
  }
  Word* const words = slot(bucket);
  uint64_t sequence = words[0].load(std::memory_order_relaxed);
  // Acquire, so that nothing below moves up before the slot is ours.
  if (sequence % 2 != 0 ||
      !words[0].compare_exchange_strong(sequence, sequence + 1, std::memory_order_acquire)) {
    return;
  }
  // Release, each: who sees one of these sees the odd number, or a later one, behind it.
  words[1].store(std::bit_cast<uint64_t>(value), std::memory_order_release);
  words[2].store(static_cast<uint64_t>(timestamp_ns), std::memory_order_release);
  words[3].store(size, std::memory_order_release);
  for (size_t at = 0; at < size; at += sizeof(Word)) {
    uint64_t piece = 0;
    std::memcpy(&piece, text.data() + at, std::min(sizeof(piece), size - at));
    words[kHeadWords + at / sizeof(Word)].store(piece, std::memory_order_release);
  }
  words[0].store(sequence + 2, std::memory_order_release);
}

ExemplarReading ExemplarCells::read(size_t bucket) const {
  constexpr int kTries = 8;
  const Word* const words = slot(bucket);
  std::array<char, kMaxTextBytes> text;
  for (int i = 0; i < kTries; ++i) {
    const uint64_t before = words[0].load(std::memory_order_acquire);
    if (before == 0) return {};
    if (before % 2 != 0) continue;
    ExemplarReading reading;
    reading.value = std::bit_cast<double>(words[1].load(std::memory_order_acquire));
    reading.timestamp_ns = static_cast<int64_t>(words[2].load(std::memory_order_acquire));
    const size_t size = std::min<size_t>(words[3].load(std::memory_order_acquire), text.size());
    for (size_t at = 0; at < size; at += sizeof(Word)) {
      const uint64_t piece = words[kHeadWords + at / sizeof(Word)].load(std::memory_order_acquire);
      std::memcpy(text.data() + at, &piece, std::min(sizeof(piece), size - at));
    }
    // The loads above acquire, so this one comes after them: the number unchanged means that no
    // writer was in between.
    if (words[0].load(std::memory_order_relaxed) != before) continue;
    std::string_view rest(text.data(), size);
    while (!rest.empty()) {
      const std::string_view name = take(rest);
      append_label(reading.text, name, take(rest));
    }
    return reading;
  }
  return {};
}

}  // namespace inferometer
