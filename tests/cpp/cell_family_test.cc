#include "telemetry/cells/cell_family.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/errors.h"
#include "storage_under_test.h"

namespace inferometer {
namespace {

using Texts = std::vector<std::string>;
using Views = std::vector<std::string_view>;

CellSpec labelled(std::vector<std::string> names = {"code"}) {
  CellSpec spec;
  spec.name = "requests";
  spec.label_names = std::move(names);
  return spec;
}

Texts texts(const CellFamily& family) {
  Texts result;
  family.visit([&](const ValueCell& cell) { result.emplace_back(cell.labels()); });
  return result;
}

size_t size(const CellFamily& family) { return texts(family).size(); }

TEST(CellFamilyTest, ShowsCellsInTheOrderOfTheirMaking) {
  CellFamily family(labelled(), make_storage());
  EXPECT_TRUE(family.empty());
  const auto second = family.get(Views{"b"});
  const auto first = family.get(Views{"a"});
  EXPECT_EQ(family.get(Views{"b"}), second);
  EXPECT_NE(first, second);
  EXPECT_EQ(texts(family), (Texts{"code=\"b\"", "code=\"a\""}));
  EXPECT_EQ(family.exposed_name(), "requests_total");
}

TEST(CellFamilyTest, SortsLabelsIfAskedAndTheLastOfTwoEqualNamesCounts) {
  CellFamily sorted(labelled({"z", "a", "a"}), make_storage());
  EXPECT_EQ(sorted.get(Views{"1", "2", "say \"x\"\n"})->labels(), R"(a="say \"x\"\n",z="1")");
  EXPECT_EQ(sorted.get(Views{"1", "other", "say \"x\"\n"})->labels(), texts(sorted).at(0));
  EXPECT_EQ(size(sorted), 1U);
  CellSpec spec = labelled({"z", "a"});
  spec.sorted_labels = false;
  CellFamily as_given(spec, make_storage());
  EXPECT_EQ(as_given.get(Views{"1", "2"})->labels(), R"(z="1",a="2")");
  const Texts names = {"a", "z"};
  EXPECT_TRUE(as_given.contains(names, Texts{"2", "1"}));
  EXPECT_FALSE(as_given.contains(names, Texts{"1", "2"}));
  EXPECT_FALSE(as_given.contains(Texts{"a"}, Texts{"2"}));
}

TEST(CellFamilyTest, RefusesWrongLabels) {
  CellFamily family(labelled(), make_storage());
  EXPECT_THROW((void)family.get({}), ConfigError);
  EXPECT_THROW((void)family.get(Views{"\xff"}), ConfigError);
  EXPECT_THROW(family.remove({}), ConfigError);
  CellFamily plain(labelled({}), make_storage());
  EXPECT_THROW(plain.remove({}), ConfigError);
}

TEST(CellFamilyTest, AFamilyWithoutLabelsHasOneCellForEver) {
  CellFamily family(labelled({}), make_storage(0));
  ASSERT_EQ(size(family), 1U);
  family.clear();
  EXPECT_EQ(family.get({}), family.get({}));
  EXPECT_EQ(family.get({})->labels(), "");
}

TEST(CellFamilyTest, RemovedCellsAreGoneAndStillUsable) {
  CellFamily family(labelled(), make_storage());
  const auto cell = family.get(Views{"a"});
  family.remove(Views{"a"});
  family.remove(Views{"a"});
  EXPECT_TRUE(family.empty());
  cell->add(1);
  EXPECT_EQ(cell->value(), 1);
  EXPECT_EQ(family.get(Views{"a"})->value(), 0);
}

TEST(CellFamilyTest, WhatComesWhenItIsFullSharesTheOverflowSeries) {
  const auto counted = make_storage(2);
  CellFamily family(labelled({"a", "b"}), counted);
  const auto first = family.get(Views{"1", "1"});
  (void)family.get(Views{"2", "2"});
  EXPECT_TRUE(family.has_room_for(Views{"1", "1"}));
  EXPECT_FALSE(family.has_room_for(Views{"3", "3"}));
  EXPECT_TRUE(family.has_room_for(Views{"_overflow", "_overflow"}));
  EXPECT_EQ(counted->dropped_series.load(), 0U);
  const auto overflow = family.get(Views{"3", "3"});
  EXPECT_EQ(family.get(Views{"4", "4"}), overflow);
  EXPECT_EQ(family.get(Views{"_overflow", "_overflow"}), overflow);
  EXPECT_EQ(overflow->labels(), R"(a="_overflow",b="_overflow")");
  EXPECT_EQ(counted->dropped_series.load(), 2U);
  EXPECT_EQ(size(family), 3U);
  EXPECT_EQ(family.get(Views{"1", "1"}), first);
  family.remove(Views{"1", "1"});
  EXPECT_NE(family.get(Views{"3", "3"}), overflow) << "there is room again";
}

TEST(CellFamilyTest, HistogramsHaveNativeBucketsIfTheyWantThem) {
  CellSpec spec = labelled();
  spec.type = CellType::kHistogram;
  spec.bounds = CellBounds::of({1});
  CellFamily classic(spec, make_storage());
  EXPECT_EQ(classic.get(Views{"v"})->native(), nullptr);
  spec.native_histograms = true;
  CellFamily native(spec, std::make_shared<Storage>(1 << 20, 10));
  EXPECT_NE(native.get(Views{"v"})->native(), nullptr);
  CellFamily without_room(spec, std::make_shared<Storage>(4096, 10));
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) (void)without_room.get(Views{std::to_string(i)});
      },
      ConfigError);
}

TEST(CellFamilyTest, WhatIsRemovedDuringAVisitIsSeenToTheEnd) {
  CellFamily family(labelled(), make_storage());
  for (const char* code : {"a", "b", "c"}) family.get(Views{code})->set(1);
  std::weak_ptr<ValueCell> last = family.get(Views{"c"});
  double sum = 0;
  family.visit([&](const ValueCell& cell) {
    family.remove(Views{"b"});
    family.clear();
    (void)family.get(Views{"new"});
    family.visit([](const ValueCell& /*cell*/) {});  // the end of an inner visit frees nothing
    sum += cell.value();
  });
  EXPECT_EQ(sum, 3);
  EXPECT_TRUE(last.expired());
  EXPECT_EQ(texts(family), (Texts{"code=\"new\""}));
}

TEST(CellFamilyTest, IsLeftToPythonForGood) {
  CellFamily family(labelled(), make_storage());
  EXPECT_FALSE(family.left_to_python());
  family.leave_to_python();
  EXPECT_TRUE(family.left_to_python());
}

// Random operations against a plain map and the order in which its keys came.
TEST(CellFamilyTest, BehavesLikeAMapOfLimitedSize) {
  constexpr size_t kLimit = 20;
  const std::string overflow(kOverflowLabel);
  CellFamily family(labelled(), make_storage(kLimit));
  std::map<std::string, double> model;
  Texts order;
  std::mt19937 random(3);  // NOLINT(bugprone-random-generator-seed): the same test each time
  const auto forget = [&](const std::string& key) {
    model.erase(key);
    std::erase(order, key);
  };
  for (int step = 0; step < 5000; ++step) {
    std::string key = std::to_string(random() % 40);
    switch (random() % 8) {
      case 0:
      case 1:
        family.remove(Views{key});
        forget(key);
        break;
      case 2:
        if (random() % 50 != 0) break;
        family.clear();
        model.clear();
        order.clear();
        break;
      default:
        family.get(Views{key})->add(1);
        if (!model.contains(key) && model.size() - model.count(overflow) >= kLimit) key = overflow;
        if (!model.contains(key)) order.push_back(key);
        model[key] += 1;
    }
    Texts expected;
    for (const std::string& one : order) expected.push_back("code=\"" + one + "\"");
    ASSERT_EQ(texts(family), expected);
    family.visit([&](const ValueCell& cell) {
      const std::string_view labels = cell.labels();
      const std::string name(labels.substr(6, labels.size() - 7));
      ASSERT_EQ(cell.value(), model.at(name));
    });
  }
}

TEST(CellFamilyTest, WritersAndScrapersMayComeAtOnce) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 2000;
  CellFamily family(labelled(), make_storage(50));
  std::atomic<bool> done = false;
  std::thread scraper([&] {
    while (!done) {
      family.visit([](const ValueCell& cell) { (void)cell.value(); });
    }
  });
  std::atomic<int> made = 0;
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string passing = std::to_string(t) + "/" + std::to_string(i % 40);
        family.get(Views{passing})->add(1);
        family.get(Views{"kept"})->add(1);
        ++made;
        if (i % 2 == 0) family.remove(Views{passing});
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  scraper.join();
  EXPECT_EQ(family.get(Views{"kept"})->value(), kThreads * kRounds);
  EXPECT_LE(size(family), 51U);
}

// The lock that a scraper may hold is free in the child.
TEST(CellFamilyTest, AForkedChildMayUseItsFamilies) {
  CellFamily family(labelled(), make_storage());
  (void)family.get(Views{"a"});
  std::atomic<bool> done = false;
  std::thread scraper([&] {
    while (!done) (void)size(family);
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(size(family) == 1 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  done = true;
  scraper.join();
}

}  // namespace
}  // namespace inferometer
